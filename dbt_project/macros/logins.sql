{#- What builds of logins, their days and their bursts are about (decision 50). -#}


{#- Files in which lines of logins came, went or changed, and all files of a server whose zone is another. -#}
{% macro touched_files_of_logins() -%}
    with moved as (
        select server_uuid from {{ changes_of('ops.server_timezones', {'server_uuid': 'uuid'}) }} as changes
    )

    select
        {{ log_file_id() }} as log_file_id,
        server_uuid,
        file_key
    from {{ changes_of('raw_minecraft.logins', {'server_uuid': 'uuid', 'file_key': 'text'}) }} as changes
    union
    select
        {{ log_file_id() }} as log_file_id,
        server_uuid,
        file_key
    from (
        {{ of_servers_that_moved(ref('stg_minecraft__log_files'), 'file_key') }}
    ) as files
{%- endmacro %}


{#- Key of a log file on its server. -#}
{% macro log_file_id() -%}
    md5(server_uuid::text || '/' || file_key)::uuid
{%- endmacro %}


{#- The lines of logins of the touched files; all of them where everything is built anew. -#}
{% macro lines_of_logins() -%}
    {%- set kinds = "event_kind in ('player_login', 'login_refused')" -%}
    {%- if is_incremental() -%}
    select
        touched.log_file_id,
        lines.*
    from touched
    cross join lateral (
        select found.*
        from {{ ref('stg_minecraft__events') }} as found
        where found.server_uuid = touched.server_uuid and found.file_key = touched.file_key
        {{ by_index_for_each_row() }}
    ) as lines
    where lines.{{ kinds }}
    {%- else -%}
    select
        {{ log_file_id() }} as log_file_id,
        *
    from {{ ref('stg_minecraft__events') }}
    where {{ kinds }}
    {%- endif -%}
{%- endmacro %}


{#- The ten minutes in which something happened; they are counted on no clock of a server's. -#}
{% macro ten_minutes_of(instant) -%}
    date_bin('10 minutes', {{ instant }}, '2000-01-01'::timestamptz)
{%- endmacro %}


{#- Ten minutes of a server of which a login changed. -#}
{% macro touched_ten_minutes() -%}
    select
        server_uuid,
        {{ ten_minutes_of('logged_at') }} as began_at,
        min(local_date) as first_date,
        max(local_date) as last_date
    from {{ changes_of(ref('int_minecraft__logins'), {
        'server_uuid': 'uuid', 'local_date': 'date', 'logged_at': 'timestamptz'
    }) }} as changes
    group by 1, 2
{%- endmacro %}


{#- Logins of the touched ten minutes, which may lie on two days of a clock. -#}
{% macro logins_of_touched_ten_minutes() -%}
    {%- if is_incremental() -%}
    select found_rows.*
    from touched
    cross join lateral (
        select found.*
        from {{ ref('int_minecraft__logins') }} as found
        where
            found.server_uuid = touched.server_uuid
            and found.local_date >= touched.first_date - 1
            and found.local_date <= touched.last_date + 1
            and found.logged_at >= touched.began_at
            and found.logged_at < touched.began_at + interval '10 minutes'
        {{ by_index_for_each_row() }}
    ) as found_rows
    {%- else -%}
    select * from {{ ref('int_minecraft__logins') }}
    {%- endif -%}
{%- endmacro %}
