-- What logs of every server software say, and how much of them was read. Run by 0003_logs.py.

alter table raw_minecraft.log_files
    add column software text,               -- as the log names it; null where nothing tells
    add column game_version text,
    add column layout text,                 -- of the lines' beginnings, one of sources/minecraft/formats.py
    add column lines_continuation integer not null default 0, -- no prefix: they belong to the line before
    drop constraint log_files_date_source_check,
    add constraint log_files_date_source_check
        check (date_source in ('file_name', 'line', 'crash_report', 'modified_at')),
    drop constraint log_files_outcome_check,
    add constraint log_files_outcome_check check (outcome in ('ok', 'empty', 'truncated', 'unreadable',
        'not_a_server_log', 'no_times'));   -- no_times: no line shows a time, so nothing in it can be placed

-- Of the row of the listing itself (path ''): what lay in the folder, and how much of it the log store holds.
alter table raw_minecraft.log_reads
    add column files_present integer,
    add column bytes_present bigint,        -- as listed: compressed where the file is
    add column bytes_read bigint,           -- of bytes_present: files whose listed state was fetched
    drop constraint log_reads_outcome_check,
    add constraint log_reads_outcome_check check (outcome in ('ok', 'unchanged', 'no_log_folder', 'not_minecraft',
        'suspended', 'installing', 'install_failed', 'restoring_backup', 'transferring', 'maintenance',
        'node_unreachable', 'rate_limited', 'gone', 'too_large', 'budget_spent', 'error'));

alter table raw_minecraft.player_sessions
    add column is_proxy boolean not null default false, -- of a proxy: from the first back-end to the client's departure
    add column server_switches integer not null default 0; -- changes of the back-end, of a proxy's session

alter table raw_minecraft.server_runs
    add column software text,
    add column crash_cause text,            -- crash_report, exception, watchdog, or the exception that is named
    add column crash_report text,           -- name of its file
    add column overload_warnings integer not null default 0;
