-- In which files lines of logins came, went or changed. Run by 0037_logins.py; decision 50 says how it is read.

-- The relation that it names is no table: the lines in raw_minecraft.events that tell of logins. A file that grew without
-- one is not noted, as most are not.
create function ops.record_logins() returns trigger language plpgsql as $$
declare
    kinds smallint[] := array(
        select kind_id from raw_minecraft.event_kinds where kind in ('player_login', 'login_refused')
    );
    -- the rows are read once: a file's come together
    file_ids integer[] := array(select distinct file_id from changed where kind_id = any(kinds));
begin
    if cardinality(file_ids) = 0 then
        return null;
    end if;
    -- transactions follow one another from here on, so numbers ascend in the order of the commits
    perform pg_advisory_xact_lock(hashtext('pteroassets'), hashtext('changes of raw_minecraft.logins'));
    insert into ops.row_changes (relation, change, touched)
    select 'raw_minecraft.logins', 1, jsonb_build_object('server_uuid', files.server_uuid, 'file_key', files.file_key)
    from raw_minecraft.log_files as files
    where files.file_id = any(file_ids);
    return null;
end
$$;
create trigger logins_came after insert on raw_minecraft.event_rows referencing new table as changed
for each statement execute function ops.record_logins();
create trigger logins_went after delete on raw_minecraft.event_rows referencing old table as changed
for each statement execute function ops.record_logins();
create trigger logins_became after update on raw_minecraft.event_rows referencing new table as changed
for each statement execute function ops.record_logins();
