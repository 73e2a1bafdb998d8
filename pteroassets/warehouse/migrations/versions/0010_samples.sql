-- Samples take a third of the room: what is said once a pass, and once for each answer of a server, stands beside them.
-- Run by 0010_samples.py. The rows that are there are moved afterwards, in steps (warehouse/folding.py).

-- views read a table whatever its name becomes: those of this one are to read what takes its name
create temporary table readers on commit drop as
select distinct views.oid::regclass::text as name, pg_get_viewdef(views.oid) as query
from pg_depend as dependencies
inner join pg_rewrite as rules on rules.oid = dependencies.objid
inner join pg_class as views on views.oid = rules.ev_class and views.relkind = 'v'
where dependencies.classid = 'pg_rewrite'::regclass
    and dependencies.refclassid = 'pg_class'::regclass
    and dependencies.refobjid = 'raw_pterodactyl.utilization_samples'::regclass;

alter table raw_pterodactyl.utilization_samples rename to utilization_samples_unmoved;

-- A pass' number: its time in steps of ten seconds, from 2024 to 2045 with zero halfway, times 64, and which of the pass'
-- loads it is. So numbers ascend with time, and the time of a row is known without another table: by it rows are found and
-- partitions left out.
create function raw_pterodactyl.pass_time(pass_number integer) returns timestamptz
language sql immutable parallel safe
return to_timestamp(2039611520::double precision + 10 * (pass_number >> 6));

-- One row for each load of a pass that brought samples.
create table raw_pterodactyl.sample_passes (
    pass_number integer primary key,
    interval_seconds integer not null,      -- how long a sample of this pass stands for at the most
    sampled_from timestamptz not null,      -- what the times of its samples are counted from
    _load_id uuid not null,
    _loaded_at timestamptz not null default now()
);
create index sample_passes_time on raw_pterodactyl.sample_passes (raw_pterodactyl.pass_time(pass_number));
create index sample_passes_loaded on raw_pterodactyl.sample_passes (_loaded_at);

-- One row for each answer that a server ever gave, but for its figures. Loads keep it from standing twice, by their lock.
create table raw_pterodactyl.sample_answers (
    answer_id integer generated always as identity primary key,
    server_uuid uuid not null,
    node_name text,
    outcome text not null check (outcome in ('ok', 'offline', 'suspended', 'installing', 'install_failed',
        'restoring_backup', 'transferring', 'maintenance', 'node_unreachable', 'rate_limited', 'gone', 'error')),
    state text,                             -- current_state as the panel said it
    is_suspect boolean not null,            -- running with uptime > 0 and memory 0: a fault, not a measurement
    reason text                             -- for an outcome that is not ok or offline
);
create index sample_answers_server on raw_pterodactyl.sample_answers (server_uuid);

-- One row for each server and sampling pass. Columns stand by their width, so that nothing is padded. That a server
-- has one row in a pass is kept by the load (landing/pterodactyl/utilization.py), which an index would double in size.
create table raw_pterodactyl.sample_measures (
    memory_bytes bigint,
    disk_bytes bigint,
    network_rx_bytes bigint,                -- since the container started
    network_tx_bytes bigint,
    uptime_milliseconds bigint,
    pass_number integer not null,
    answer_id integer not null,
    cpu_thousandths integer,                -- of a percent of one core; null unless measured
    sampled_microseconds integer not null   -- after sampled_from of the pass: when this server answered or was passed over
) partition by range (raw_pterodactyl.pass_time(pass_number));
create index sample_measures_time on raw_pterodactyl.sample_measures
using brin (raw_pterodactyl.pass_time(pass_number)) with (pages_per_range = 16, autosummarize = on);

-- The samples as they were before: one row for each server and sampling pass.
create view raw_pterodactyl.samples_moved as
select
    answers.server_uuid,
    raw_pterodactyl.pass_time(measures.pass_number) as pass_at,
    passes.sampled_from + make_interval(secs => measures.sampled_microseconds / 1000000::double precision) as sampled_at,
    passes.interval_seconds,
    answers.node_name,
    answers.outcome,
    answers.state,
    measures.cpu_thousandths / 1000::double precision as cpu_percent,
    measures.memory_bytes,
    measures.disk_bytes,
    measures.network_rx_bytes,
    measures.network_tx_bytes,
    measures.uptime_milliseconds,
    answers.is_suspect,
    answers.reason,
    passes._load_id,
    passes._loaded_at,
    -- the same as pass_at: a condition on both finds few passes among many
    raw_pterodactyl.pass_time(passes.pass_number) as _pass_at
from raw_pterodactyl.sample_measures as measures
inner join raw_pterodactyl.sample_passes as passes on passes.pass_number = measures.pass_number
inner join raw_pterodactyl.sample_answers as answers on answers.answer_id = measures.answer_id;

-- As long as rows are left to be moved, a reader finds each in one of the two places.
create view raw_pterodactyl.utilization_samples as
select * from raw_pterodactyl.samples_moved
union all
select
    server_uuid, pass_at, sampled_at, interval_seconds, node_name, outcome, state, cpu_percent, memory_bytes, disk_bytes,
    network_rx_bytes, network_tx_bytes, uptime_milliseconds, is_suspect, reason, _load_id, _loaded_at, pass_at
from raw_pterodactyl.utilization_samples_unmoved;

-- Months whose samples were dropped (retention); what was made of them is all that there is of them.
create table ops.dropped_samples (
    month date primary key,                 -- its first day; months are those of UTC
    samples bigint not null,
    dropped_at timestamptz not null default now()
);

do $$
declare
    reader record;
begin
    for reader in select * from readers loop
        execute format('create or replace view %%s as %%s', reader.name, reader.query);
    end loop;
end $$;

-- The passes of which samples were ever landed, also of those that were dropped since.
create view ops.sampling_passes as
select raw_pterodactyl.pass_time(pass_number) as pass_at, interval_seconds, _load_id, _loaded_at
from raw_pterodactyl.sample_passes;
