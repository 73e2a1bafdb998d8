{#- The servers that *relation* has rows of, found by its index on them: as many steps as there are servers. -#}
{% macro servers_in(relation) -%}
(
        with recursive found as (
            (select server_uuid from {{ relation }} order by server_uuid limit 1)

            union all

            select following.server_uuid
            from found
            cross join lateral (
                select later.server_uuid
                from {{ relation }} as later
                where later.server_uuid > found.server_uuid
                order by later.server_uuid
                limit 1
            ) as following
        )

        select server_uuid from found
    )
{%- endmacro %}


{#-
    From days and lifetimes to the CTE judged: what was expected of each server on each of its days. One text for all
    days and for those that a build makes again.
-#}
{% macro judged_days() -%}
bounded as (

    select
        days.server_uuid,
        days.local_date,
        coalesce(lifetimes.timezone, 'UTC') as timezone,
        {{ local_day_start('days.local_date', "coalesce(lifetimes.timezone, 'UTC')") }} as day_starts_at,
        {{ local_day_start('(days.local_date + 1)', "coalesce(lifetimes.timezone, 'UTC')") }} as day_ends_at,
        lifetimes.sampling_from,
        lifetimes.sampling_until,
        lifetimes.logs_known_from,
        lifetimes.logs_known_until
    from days
    left join lifetimes on days.server_uuid = lifetimes.server_uuid

),

judged as (

    select
        server_uuid,
        local_date,
        timezone,
        day_starts_at,
        day_ends_at,
        case
            when sampling_from is not null and sampling_until is not null
                then
                    greatest(
                        {{ seconds_between(
                            'greatest(day_starts_at, sampling_from)', 'least(day_ends_at, sampling_until)'
                        ) }},
                        0
                    )
                    / 60
            else 0
        end as minutes_expected,
        coalesce(day_ends_at > logs_known_from and day_starts_at < logs_known_until, false) as is_log_known
    from bounded

)
{%- endmacro %}


{#- The first and the last day on which something is expected of a server, from *lifetimes*. -#}
{% macro expected_days(lifetimes) -%}
    select
        server_uuid,
        {{ local_date('least(expected_from, logs_known_from)', 'timezone') }} as first_date,
        {{ local_date(
            "greatest(expected_until, logs_known_until) - interval '1 microsecond'", 'timezone'
        ) }} as last_date
    from {{ lifetimes }}
{%- endmacro %}


{#-
    Before a model by server and day that goes on from its last build: notes of what is to be built again are taken
    from the list of work (decision 24). Where everything is built anew, they are done with.
-#}
{% macro take_days_noted() -%}
    {%- if flags.EMPTY -%}
    select 1
    {%- elif is_incremental() -%}
    create temporary table noted_days on commit drop as
    select
        server_uuid,
        local_date,
        noted_at
    from ops.days_to_build
    where false;
    with taken as (
        delete from ops.days_to_build where model = '{{ this.identifier }}'
        returning server_uuid, local_date, noted_at
    )

    insert into noted_days
    select distinct * from taken
    {%- else -%}
    delete from ops.days_to_build where model = '{{ this.identifier }}'
    {%- endif -%}
{%- endmacro %}


{#- The rows of touched_days that stood there go; the build adds what stands there now. -#}
{% macro remove_touched_days() -%}
    {%- if is_incremental() and not flags.EMPTY -%}
    analyze touched_days;
    delete from {{ this }} as built
    using touched_days as touched
    where built.server_uuid = touched.server_uuid and built.local_date = touched.local_date
    {%- endif -%}
{%- endmacro %}
