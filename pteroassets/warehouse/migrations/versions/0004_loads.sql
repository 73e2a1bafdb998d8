-- Which loads a build has taken in. Run by 0004_loads.py.

-- Loads of one table follow one another (warehouse/load.py), so the numbers of a table's loads ascend in the order in
-- which they were committed: whoever sees a number sees the rows of all lower ones.
alter table ops.loads add column load_number bigint generated always as identity;
create unique index loads_number on ops.loads (table_name, load_number);

-- One row for each incremental model.
create table ops.incremental_builds (
    model text primary key,                 -- its relation, as dbt writes it
    seen_load bigint,                       -- the newest load whose rows its last build took in
    building_load bigint not null           -- of the build that is under way, or was the last
);

-- without it a page that was written since the last vacuum is read by every build
alter index raw_pterodactyl.utilization_samples_loaded set (autosummarize = on);
