{#-
    The two logs are written by two machines, so the same moment may differ by clock_tolerance, and the proxy's lines
    bear names where the back-end's bear UUIDs. The join is on the player and the hour in which the back-end's session
    begins, so it is hashed: a player's years are never compared with each other.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key='session_id',
    on_schema_change='fail',
    meta={
        'changes_of': ['int_minecraft__sessions_on_servers'],
        'scope': ['session_id'],
        'tells': ['session_id', 'server_uuid', 'proxy_session_id', 'proxy_server_uuid'],
    },
    indexes=[{'columns': ['session_id'], 'unique': true}, {'columns': ['proxy_session_id']}],
    pre_hook="{{ take_up(touched_backends()) }}",
    post_hook="{{ note_taken_up() }}"
) }}

with

sessions as (

    {{ touched_backends_with_proxies() }}

),

-- where a log shows the player: an inferred end at its lower bound, a join that was not seen at the departure
shown as (

    select
        session_id,
        server_uuid,
        is_proxy,
        lower(player_name) as folded_name,
        player_name,
        player_uuid,
        case when identity_kind in ('account_uuid', 'bedrock_uuid') then player_uuid end as global_uuid,
        is_open,
        joined_at is not null as has_join,
        left_at,
        left_at_upper,
        coalesce(counted_from, last_shown_at, seen_at) as shown_from,
        coalesce(counted_until, last_shown_at, seen_at) as shown_until
    from sessions

),

proxies as (

    select
        *,
        shown_from - {{ clock_tolerance() }} as reach_from,
        shown_until + {{ clock_tolerance() }}
        + case when is_open then interval '{{ var("reading_lag") }}' else interval '0' end as reach_until,
        coalesce(left_at, left_at_upper, 'infinity') + {{ clock_tolerance() }} as ends_by
    from shown
    where is_proxy

),

-- of a proxy's session whose join was before its first known line, only what began within a week before is looked at
proxy_hours as (

    select
        proxies.*,
        generated.epoch_hour
    from proxies
    cross join lateral generate_series(
        {{ epoch_hour('proxies.reach_from') }} - case when proxies.has_join then 0 else 168 end,
        {{ epoch_hour('proxies.reach_until') }}
    ) as generated (epoch_hour)

),

-- UUIDs decide where both have one and both mean the same by it: an offline UUID is but another form of the name
same_players as (

    {% for shared in ['player_uuid', 'folded_name'] %}
    select
        backends.session_id,
        backends.server_uuid,
        backends.global_uuid,
        backends.player_name,
        backends.has_join,
        backends.left_at,
        backends.shown_from,
        backends.shown_until,
        {% for column in [
            'session_id', 'server_uuid', 'player_name', 'global_uuid', 'has_join', 'shown_from', 'shown_until'
        ] -%}
        proxy_hours.{{ column }} as proxy_{{ column }},
        {% endfor -%}
        proxy_hours.reach_from,
        proxy_hours.reach_until,
        proxy_hours.ends_by
    from proxy_hours
    inner join shown as backends
        on
            not backends.is_proxy
            and proxy_hours.{{ shared }} = backends.{{ shared }}
            and proxy_hours.epoch_hour = {{ epoch_hour('backends.shown_from') }}
    {% if loop.last %}
    where
        proxy_hours.player_uuid is null
        or backends.player_uuid is null
        or (proxy_hours.global_uuid is null) <> (backends.global_uuid is null)
    {% endif %}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

lying_inside as (

    select
        *,
        greatest(
            {{ seconds_between('shown_from', 'proxy_shown_from') }},
            {{ seconds_between('proxy_shown_until', 'shown_until') }},
            0
        ) as seconds_outside,
        {{ seconds_between('greatest(shown_from, proxy_shown_from)', 'least(shown_until, proxy_shown_until)') }}
            as seconds_inside
    from same_players
    where
        shown_from <= reach_until
        and case when proxy_has_join then shown_from else shown_until end >= reach_from
        and (left_at is null or left_at <= ends_by)

)

-- nobody comes through two proxies at once
select distinct on (session_id)
    session_id,
    server_uuid,
    global_uuid,
    shown_from,
    shown_until,
    proxy_session_id,
    proxy_server_uuid,
    proxy_global_uuid
from lying_inside
order by
    session_id asc,
    (player_name = proxy_player_name) desc,
    seconds_outside asc,
    seconds_inside desc,
    proxy_session_id asc
