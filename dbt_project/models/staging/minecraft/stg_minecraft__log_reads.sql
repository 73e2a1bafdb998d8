{#- Without CTEs: of a view with them Postgres finds neither the first nor the last row by an index. -#}
select
    ---------- ids
    server_uuid,
    observed_at,
    path,

    ---------- what came of it
    path = '' as is_listing,
    outcome,
    reason,
    size as listed_bytes,
    modified_at as listed_modified_at,

    ---------- of the listing itself
    files_present,
    bytes_present,
    bytes_read,

    ---------- load
    _loaded_at

from {{ source('minecraft', 'log_reads') }}
