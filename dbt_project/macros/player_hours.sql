{#-
    What a build of the hours of players is about (decision 23): days of which sessions came or went; all days of a server
    whose zone changed; days that are known by now and were not, or not for as long; and days that are known no more. What
    is known of a server is one stretch of time, so the ends of what was built as known tell; days on which a session was
    seen are built beyond it too.
-#}
{% macro touched_player_hours() -%}
    with moved as materialized (
        select distinct server_uuid
        from {{ changes_of('ops.server_timezones', {'server_uuid': 'uuid'}) }} as changes
    ),

    known as materialized (
        {{ known_log_days() }}
    ),

    built as materialized (
        select
            known.server_uuid,
            first_days.local_date as first_date,
            last_days.local_date as last_date
        from known
        {% for days, way in [('first_days', 'asc'), ('last_days', 'desc')] -%}
        cross join lateral (
            select found.local_date
            from {{ this }} as found
            where found.server_uuid = known.server_uuid and found.seconds_known > 0
            order by found.local_date {{ way }}
            limit 1
        ) as {{ days }}
        {% endfor %}
    )

    select
        server_uuid,
        local_date
    from {{ changes_of(ref('int_minecraft__session_days'), {'server_uuid': 'uuid', 'local_date': 'date'}) }} as changes
    union
    {{ of_servers_that_moved(this, 'local_date') }}
    union
    select
        days.server_uuid,
        days.local_date
    from (
        select
            known.server_uuid,
            known.timezone,
            known.logs_known_from,
            known.logs_known_until,
            known.first_date as first_known_date,
            known.last_date as last_known_date,
            built.first_date,
            built.last_date,
            generated.day::date as local_date
        from known
        left join built on known.server_uuid = built.server_uuid
        cross join lateral generate_series(
            known.first_date::timestamp, known.last_date::timestamp, interval '1 day'
        ) as generated (day)
    ) as days
    where
        days.first_date is null
        or days.local_date < days.first_date
        or days.local_date > days.last_date
        or days.server_uuid in (select moved.server_uuid from moved)
        or (
            days.local_date in (days.first_date, days.last_date, days.first_known_date, days.last_known_date)
            and abs((
                select coalesce(sum(found.seconds_known::numeric), 0)
                from {{ this }} as found
                where found.server_uuid = days.server_uuid and found.local_date = days.local_date
            ) - {{ seconds_between(
                'greatest(' ~ local_day_start('days.local_date', 'days.timezone') ~ ', days.logs_known_from)',
                'least(' ~ local_day_start('(days.local_date + 1)', 'days.timezone') ~ ', days.logs_known_until)'
            ) }}::numeric) > 0.001
        )
    union
    select
        gone.server_uuid,
        gone.local_date
    from built
    inner join known on built.server_uuid = known.server_uuid
    cross join lateral (
        select
            found.server_uuid,
            found.local_date
        from {{ this }} as found
        where
            found.server_uuid = built.server_uuid
            and (found.local_date < known.first_date or found.local_date > known.last_date)
        {{ by_index_for_each_row() }}
    ) as gone
    where built.first_date < known.first_date or built.last_date > known.last_date
{%- endmacro %}


{#- The servers of which a log is known, with the first and the last day on their clocks on which it is. -#}
{% macro known_log_days() -%}
    select
        logs.server_uuid,
        coalesce(timezones.timezone, 'UTC') as timezone,
        logs.logs_known_from,
        logs.logs_known_until,
        {{ local_date('logs.logs_known_from', "coalesce(timezones.timezone, 'UTC')") }} as first_date,
        {{ local_date(
            "logs.logs_known_until - interval '1 microsecond'", "coalesce(timezones.timezone, 'UTC')"
        ) }} as last_date
    from {{ ref('int_minecraft__known_logs') }} as logs
    left join {{ ref('stg_ops__server_timezones') }} as timezones on logs.server_uuid = timezones.server_uuid
    where logs.logs_known_from < logs.logs_known_until
{%- endmacro %}


{#- From known: the days of servers that are to be built, of those on which the log is known. -#}
{% macro known_days_wanted() -%}
    {%- if is_incremental() -%}
    select touched.*
    from touched
    inner join known
        on
            touched.server_uuid = known.server_uuid
            and touched.local_date between known.first_date and known.last_date
    {%- else -%}
    select
        known.server_uuid,
        generated.day::date as local_date
    from known
    cross join lateral generate_series(
        known.first_date::timestamp, known.last_date::timestamp, interval '1 day'
    ) as generated (day)
    {%- endif -%}
{%- endmacro %}


{#- From days to the CTE hours: 23 to 25 of each day, which begin when the clock shows a full hour. -#}
{% macro hours_of_days() -%}
bounded as (

    select
        *,
        {{ local_day_start('local_date', 'timezone') }} as day_starts_at,
        {{ local_day_start('(local_date + 1)', 'timezone') }} as day_ends_at
    from days

),

hours as (

    select
        bounded.*,
        bounded.day_starts_at + make_interval(hours => generated.hour_number) as hour_at,
        least(
            bounded.day_starts_at + make_interval(hours => generated.hour_number + 1), bounded.day_ends_at
        ) as hour_ends_at
    from bounded
    cross join generate_series(0, 25) as generated (hour_number)
    where bounded.day_starts_at + make_interval(hours => generated.hour_number) < bounded.day_ends_at

)
{%- endmacro %}


{#- From hours and pieces to the CTE cut: the part of each session on each hour that it touches. -#}
{% macro pieces_of_hours() -%}
placed as (

    select
        pieces.server_uuid,
        pieces.player_id,
        pieces.has_length,
        pieces.is_first_day,
        pieces.piece_from,
        pieces.piece_until,
        bounded.day_starts_at,
        floor({{ seconds_between('bounded.day_starts_at', 'pieces.piece_from') }} / 3600)::integer as first_hour,
        floor({{ seconds_between(
            'bounded.day_starts_at',
            "greatest(pieces.piece_from, pieces.piece_until - interval '1 microsecond')"
        ) }} / 3600)::integer as last_hour
    from pieces
    inner join bounded on pieces.server_uuid = bounded.server_uuid and pieces.local_date = bounded.local_date

),

cut as (

    select
        placed.server_uuid,
        placed.player_id,
        placed.day_starts_at + make_interval(hours => generated.hour_number) as hour_at,
        case
            when generated.hour_number = placed.first_hour then placed.piece_from
            else placed.day_starts_at + make_interval(hours => generated.hour_number)
        end as piece_from,
        case
            when generated.hour_number = placed.last_hour then placed.piece_until
            else placed.day_starts_at + make_interval(hours => generated.hour_number + 1)
        end as piece_until,
        placed.is_first_day and generated.hour_number = placed.first_hour as is_join,
        case
            when placed.has_length
                then {{ seconds_between(
                    'greatest(placed.piece_from, placed.day_starts_at'
                    ' + make_interval(hours => generated.hour_number))',
                    'least(placed.piece_until, placed.day_starts_at'
                    ' + make_interval(hours => generated.hour_number + 1))'
                ) }}
        end as player_seconds
    from placed
    cross join lateral generate_series(placed.first_hour, placed.last_hour) as generated (hour_number)

)
{%- endmacro %}


{#-
    From cut to the CTE concurrency: peaks, occupied time and joins of each hour. At one instant ends come before starts,
    as in peak_concurrency, and who was there already before who joins; who comes and goes within a second goes last.
-#}
{% macro concurrency_of_hours() -%}
steps as (

    select
        server_uuid,
        hour_at,
        piece_from as at,
        1 as phase,
        is_join,
        1 as change
    from cut

    union all

    select
        server_uuid,
        hour_at,
        piece_until as at,
        case when piece_until = piece_from then 2 else 0 end as phase,
        false as is_join,
        -1 as change
    from cut

),

running as (

    select
        server_uuid,
        hour_at,
        at,
        is_join,
        sum(change) over by_time as players_online,
        lead(at) over by_time as until
    from steps
    window by_time as (
        partition by server_uuid, hour_at order by at, phase, is_join rows between unbounded preceding and current row
    )

),

concurrency as (

    select
        counted.server_uuid,
        counted.hour_at,
        counted.occupied_seconds,
        counted.joins,
        counted.joins_into_empty,
        counted.peak_concurrent_players,
        peaks.peak_at
    from (
        select
            server_uuid,
            hour_at,
            coalesce(sum(
                extract(epoch from until - at)
            ) filter (where players_online > 0), 0)::double precision as occupied_seconds,
            count(*) filter (where is_join)::integer as joins,
            count(*) filter (where is_join and players_online = 1)::integer as joins_into_empty,
            max(players_online)::integer as peak_concurrent_players
        from running
        group by server_uuid, hour_at
    ) as counted
    inner join (
        select distinct on (server_uuid, hour_at)
            server_uuid,
            hour_at,
            at as peak_at
        from running
        order by server_uuid asc, hour_at asc, players_online desc, at asc
    ) as peaks on counted.server_uuid = peaks.server_uuid and counted.hour_at = peaks.hour_at

)
{%- endmacro %}
