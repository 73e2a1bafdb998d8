-- What is derived from events is not raw: it moves to a schema of its own. Run by 0009_derived.py.

create schema derived_minecraft;
alter table raw_minecraft.player_sessions set schema derived_minecraft;
alter table raw_minecraft.server_runs set schema derived_minecraft;

-- the ledger names tables with their schema, and freshness is read by that name
update ops.loads
set table_name = replace(table_name, 'raw_minecraft.', 'derived_minecraft.')
where table_name in ('raw_minecraft.player_sessions', 'raw_minecraft.server_runs');
