{#- CTEs over samples: as views over all of them, and in incremental models over those of a few hours. -#}


{#-
    Of samples: that their pass is not before *first* and before *last*. Said of the sample and of its pass, it leaves
    out months of the one and finds the others by index. Each may be a subquery of one row.
-#}
{% macro of_passes_between(first, last) -%}
    pass_at >= {{ first }}
        and pass_at < {{ last }}
        and _pass_at >= {{ first }}
        and _pass_at < {{ last }}
{%- endmacro %}


{#-
    From the CTE samples to the CTE sample_spans. A sample's span is right if the hour after its pass is among samples,
    and its network traffic if two hours before it are.
-#}
{% macro sample_spans() -%}
lined as (

    select
        *,
        lead(pass_at) over (partition by server_uuid order by pass_at) as following_pass_at,
        lag(pass_at) over of_a_kind as previous_pass_at,
        lag(sampled_at) over of_a_kind as previous_sampled_at,
        lag(uptime_seconds) over of_a_kind as previous_uptime_seconds,
        lag(network_rx_bytes) over of_a_kind as previous_network_rx_bytes,
        lag(network_tx_bytes) over of_a_kind as previous_network_tx_bytes
    from samples
    window of_a_kind as (partition by server_uuid, outcome_group = 'measured' order by pass_at)

),

spans as (

    select
        *,
        pass_at as span_from,
        least(following_pass_at, pass_at + make_interval(secs => interval_seconds)) as span_until,
        outcome_group = 'measured'
        and coalesce(
            previous_pass_at >= pass_at - make_interval(secs => 2 * interval_seconds), false
        ) as has_previous
    from lined

),

-- has_restarted: of no use where nothing was measured, and true there as where there is no sample before
compared as (

    select
        *,
        case
            when has_previous then {{ seconds_between('previous_sampled_at', 'sampled_at') }}
        end as seconds_since_previous,
        not has_previous
        or uptime_seconds < previous_uptime_seconds
        or network_rx_bytes < previous_network_rx_bytes
        or network_tx_bytes < previous_network_tx_bytes
        or uptime_seconds + {{ var('panel_cache_seconds') }}
        < {{ seconds_between('previous_sampled_at', 'sampled_at') }} as has_restarted
    from spans

),

-- after a restart the counters began again at nothing, so they are themselves what was sent since
metered as (

    select
        *,
        case
            when outcome_group <> 'measured' then null
            when has_restarted then least(uptime_seconds, coalesce(seconds_since_previous, uptime_seconds))
            else seconds_since_previous
        end as metered_seconds
    from compared

),

sample_spans as (

    select
        server_uuid,
        pass_at,
        sampled_at,
        interval_seconds,
        outcome,
        outcome_group,
        state,
        span_from,
        span_until,
        {{ seconds_between('span_from', 'span_until') }} as span_seconds,
        case when outcome_group = 'measured' then cpu_percent end as cpu_percent,
        case when outcome_group = 'measured' then memory_mebibytes end as memory_mebibytes,
        case when outcome_group in ('measured', 'offline') then disk_mebibytes end as disk_mebibytes,
        has_restarted,
        case
            when metered_seconds > 0 and metered_seconds <= 2 * interval_seconds
                then metered_seconds
        end as network_seconds,
        case
            when metered_seconds > 0 and metered_seconds <= 2 * interval_seconds
                then network_rx_bytes - case when has_restarted then 0 else previous_network_rx_bytes end
        end as network_rx_bytes,
        case
            when metered_seconds > 0 and metered_seconds <= 2 * interval_seconds
                then network_tx_bytes - case when has_restarted then 0 else previous_network_tx_bytes end
        end as network_tx_bytes,
        _loaded_at
    from metered

)
{%- endmacro %}


{#- From *spans* to the CTE pieces: one row for each sample and UTC hour that its span touches. -#}
{% macro sample_hours(spans) -%}
pieces as (

    select
        spans.server_uuid,
        spans.pass_at,
        spans._loaded_at,
        generated.hour_at,
        spans.outcome_group,
        spans.state,
        spans.cpu_percent,
        spans.memory_mebibytes,
        spans.disk_mebibytes,
        spans.network_seconds,
        spans.network_rx_bytes,
        spans.network_tx_bytes,
        {{ seconds_between(
            'greatest(spans.span_from, generated.hour_at)',
            "least(spans.span_until, generated.hour_at + interval '1 hour')"
        ) }} as piece_seconds,
        spans.pass_at >= generated.hour_at as is_pass_hour
    from {{ spans }} as spans
    cross join lateral generate_series(
        date_trunc('hour', spans.span_from, 'UTC'),
        spans.span_until - interval '1 microsecond',
        interval '1 hour'
    ) as generated (hour_at)

)
{%- endmacro %}


{#-
    From *spans*, terms and validity to the CTE pieces: one row for each sample and local day that its span touches.
    Nothing is expected of a server before it was made or after it was gone, so nothing then is counted.
-#}
{% macro sample_days(spans) -%}
clipped as (

    select
        spans.*,
        coalesce(terms.timezone, 'UTC') as timezone,
        coalesce(terms.terms_digest, 'unlisted') as terms_digest,
        greatest(spans.span_from, terms.exists_from) as clipped_from,
        greatest(least(spans.span_until, terms.exists_until), spans.span_from, terms.exists_from) as clipped_until,
        spans.pass_at >= coalesce(terms.exists_from, '-infinity')
        and spans.pass_at < coalesce(terms.exists_until, 'infinity') as is_in_life
    from {{ spans }} as spans
    left join terms on spans.server_uuid = terms.server_uuid

),

dated as (

    select
        *,
        {{ local_date('clipped_from', 'timezone') }} as first_date,
        {{ local_date("greatest(clipped_from, clipped_until - interval '1 microsecond')", 'timezone') }} as last_date
    from clipped

),

split as (

    select
        dated.*,
        generated.day::date as local_date,
        {{ piece_from(
            'generated.day::date', 'dated.first_date', 'dated.clipped_from', 'dated.timezone'
        ) }} as piece_from,
        {{ piece_until(
            'generated.day::date', 'dated.last_date', 'dated.clipped_until', 'dated.timezone'
        ) }} as piece_until
    from dated
    cross join lateral generate_series(
        dated.first_date::timestamp, dated.last_date::timestamp, interval '1 day'
    ) as generated (day)

),

pieces as (

    select
        split.server_uuid,
        split.pass_at,
        split.terms_digest,
        split._loaded_at,
        split.local_date,
        split.outcome_group,
        split.state,
        split.cpu_percent,
        split.memory_mebibytes,
        {{ seconds_between('split.piece_from', 'split.piece_until') }} as piece_seconds,
        split.local_date = split.first_date and split.is_in_life as is_pass_day,
        validity.memory_limit_mebibytes
    from split
    left join validity
        on
            split.server_uuid = validity.server_uuid
            and split.pass_at >= validity.counted_from
            and split.pass_at < coalesce(validity.valid_to, 'infinity')

)
{%- endmacro %}


{#- Whether samples between *first* and *last* were dropped, so that what was made of them is kept as it is. -#}
{% macro were_dropped(first, last) -%}
    exists (
            select 1 from ops.dropped_samples as dropped
            where
                {{ first }} < (dropped.month + interval '1 month') at time zone 'UTC'
                and {{ last }} > dropped.month::timestamp at time zone 'UTC'
        )
{%- endmacro %}


{#-
    After the last select of a model, from the CTE *made*: where the model is built anew although rows of it are there,
    those of which samples were dropped, which may be all that is left, stay. *first* and *last* say which time a row,
    called built, is made of.
-#}
{% macro and_rows_of_dropped_samples(made, key, first, last) -%}
    {%- if not is_incremental() and this and load_relation(this) is not none -%}
    where
        not exists (
            select 1 from {{ this }} as built
            where
                {{ were_dropped(first, last) }}
                {%- for column in key %}
                and built.{{ column }} = {{ made }}.{{ column }}
                {%- endfor %}
        )

    union all

    select {{ adapter.get_columns_in_relation(this) | map(attribute='quoted') | join(', ') }}
    from {{ this }} as built
    where {{ were_dropped(first, last) }}
    {%- endif -%}
{%- endmacro %}


{#- After an incremental model: an index that is there also where the model was first built by an earlier version. -#}
{% macro keep_index(name, columns, where=none) -%}
    create index if not exists {{ name }} on {{ this }} ({{ columns | join(', ') }}){{ ' where ' ~ where if where }}
{%- endmacro %}


{#-
    From terms to touched, the days of servers that an incremental build makes again, and to samples, those
    that they are made of.
-#}
{% macro samples_of_touched_days() -%}
{{ samples_that_arrived(['server_uuid', 'pass_at']) }},

-- smaller or greater, not unequal: by that the index finds the few that there are
changed as (

    select
        server_uuid,
        timezone,
        terms_digest
    from terms
    where
        exists (
            select 1 from {{ this }} as built
            where built.server_uuid = terms.server_uuid and built.terms_digest < terms.terms_digest
        )
        or exists (
            select 1 from {{ this }} as built
            where built.server_uuid = terms.server_uuid and built.terms_digest > terms.terms_digest
        )

),

days_touched as (

    select
        arrived.server_uuid,
        coalesce(terms.timezone, 'UTC') as timezone,
        {{ local_date('arrived.pass_at + reached.after', "coalesce(terms.timezone, 'UTC')") }} as local_date
    from arrived
    left join terms on arrived.server_uuid = terms.server_uuid
    cross join (values (interval '0'), (interval '1 hour')) as reached (after)

    union

    select
        built.server_uuid,
        changed.timezone,
        built.local_date + neighbour.days as local_date
    from changed
    inner join {{ this }} as built on changed.server_uuid = built.server_uuid
    cross join generate_series(-2, 2) as neighbour (days)
    where built.terms_digest <> changed.terms_digest

),

bounded as (

    select
        server_uuid,
        local_date,
        {{ local_day_start('local_date', 'timezone') }} - interval '1 hour' as reads_from,
        {{ local_day_start('(local_date + 1)', 'timezone') }} as reads_until
    from days_touched

),

touched as (

    select * from bounded
    where not {{ were_dropped('bounded.reads_from', 'bounded.reads_until') }}

),

-- a span ends where the next begins, which may be in the hour after
reading as (

    select
        server_uuid,
        min(reads_from) as first_at,
        max(reads_until) + interval '1 hour' as last_at
    from touched
    group by server_uuid

),

read as (

    select *
    from {{ ref('stg_pterodactyl__utilization_samples') }}
    where
        {{ of_passes_between(
            '(select min(reading.first_at) from reading)', '(select max(reading.last_at) from reading)'
        ) }}

),

samples as (

    select read.*
    from read
    inner join reading
        on
            read.server_uuid = reading.server_uuid
            and read.pass_at >= reading.first_at
            and read.pass_at < reading.last_at

)
{%- endmacro %}


{#- To touched, the hours of servers that an incremental build makes again, and to samples that they are made of. -#}
{% macro samples_of_touched_hours() -%}
{{ samples_that_arrived(['server_uuid', 'pass_at']) }},

hours_touched as (

    select distinct
        arrived.server_uuid,
        date_trunc('hour', arrived.pass_at, 'UTC') + make_interval(hours => neighbour.hours) as hour_at
    from arrived
    cross join generate_series(0, 2) as neighbour (hours)

),

touched as (

    select * from hours_touched as built
    where not {{ were_dropped("built.hour_at - interval '3 hours'", "built.hour_at + interval '1 hour'") }}

),

-- a span that began in the hour before may reach into a touched one, and its traffic is counted from two hours before
samples as (

    select *
    from {{ ref('stg_pterodactyl__utilization_samples') }}
    where
        {{ of_passes_between(
            "(select date_trunc('hour', reach.first_pass_at, 'UTC') - interval '3 hours' from reach)",
            "(select date_trunc('hour', reach.last_pass_at, 'UTC') + interval '4 hours' from reach)"
        ) }}

)
{%- endmacro %}
