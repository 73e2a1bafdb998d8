{#- Without CTEs: of a view with them Postgres finds neither the first nor the last row by an index. -#}
select
    ---------- ids
    server_uuid,
    file_key,

    ---------- place
    path,
    log_date,
    log_sequence,
    date_source,
    is_live,
    is_listed,
    listed_size as listed_bytes,
    listed_modified_at,
    listed_utc_offset_seconds,

    ---------- what came of it
    outcome,
    reason,
    content_digest,
    content_bytes,
    parsed_bytes,
    parsed_lines,
    parser_version,
    lines_understood,
    lines_ignored,
    lines_unknown,
    lines_continuation,

    ---------- what wrote it
    software,
    is_proxy,
    game_version,
    layout,

    ---------- times
    first_line_at,
    last_line_at,
    fetched_at,

    ---------- load
    _loaded_at

from {{ source('minecraft', 'log_files') }}
