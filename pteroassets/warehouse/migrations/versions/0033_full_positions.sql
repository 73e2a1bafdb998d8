-- Every position of a recording, where a setting asks for it. Run by 0033_full_positions.py.

create table raw_arma3.full_positions (
    replay_key bigint not null references raw_arma3.replays,
    entity_id bigint not null,              -- unit or vehicle, which share their numbers
    number integer not null,
    first_second double precision not null,
    last_second double precision not null,  -- nothing changed until then
    x double precision not null,
    y double precision not null,
    z double precision,
    heading smallint,
    life smallint,                          -- 0 dead or wrecked, 1 awake or whole, 2 unconscious
    is_in_vehicle boolean,                  -- null: a vehicle
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (replay_key, entity_id, number)
);
