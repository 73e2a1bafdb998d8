-- Who was in and who was not. Run by 0006_presence.py.

alter table raw_minecraft.log_files
    add column is_proxy boolean;            -- by the software; null where nothing names it

alter table raw_minecraft.server_runs
    add column is_proxy boolean,            -- the same, or by what it says
    add column refused_entries integer not null default 0, -- clients with a name that did not get in
    add column fake_players integer not null default 0; -- different ones, made by a mod; they have no sessions
