{#- Without CTEs: of a view with them Postgres finds neither the first nor the last row by an index. -#}
select
    ---------- ids
    load_id,
    table_name,

    ---------- times
    observed_at,
    seconds,

    ---------- what came of it
    is_complete,
    rows_read,
    rows_expected,
    rows_added,
    rows_changed,
    rows_gone,
    rows_total,
    requests,
    rate_limit_remaining,
    problems,

    ---------- load
    _loaded_at,
    load_number

from {{ source('ops', 'loads') }}
