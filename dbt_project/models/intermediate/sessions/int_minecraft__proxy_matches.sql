{#-
    Which session of a proxy a back-end's session lies in. The two are written by two machines, so the same moment may
    differ by clock_tolerance, and the proxy's lines bear names where the back-end's bear UUIDs.

    The join is on the player and the hour in which the back-end's session begins, so it is hashed: a player's years
    are never compared with each other.
-#}
{{ config(
    materialized='table',
    indexes=[{'columns': ['session_id'], 'unique': true}],
    post_hook='analyze {{ this }}'
) }}

with

sessions as (

    select * from {{ ref('int_minecraft__sessions_on_servers') }}

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

backends as (

    select
        *,
        {{ epoch_hour('shown_from') }} as epoch_hour
    from shown
    where not is_proxy

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

    select
        backends.session_id,
        backends.server_uuid,
        backends.global_uuid,
        backends.player_name,
        backends.has_join,
        backends.left_at,
        backends.shown_from,
        backends.shown_until,
        proxy_hours.session_id as proxy_session_id,
        proxy_hours.server_uuid as proxy_server_uuid,
        proxy_hours.player_name as proxy_player_name,
        proxy_hours.global_uuid as proxy_global_uuid,
        proxy_hours.has_join as proxy_has_join,
        proxy_hours.shown_from as proxy_shown_from,
        proxy_hours.shown_until as proxy_shown_until,
        proxy_hours.reach_from,
        proxy_hours.reach_until,
        proxy_hours.ends_by
    from proxy_hours
    inner join backends
        on
            proxy_hours.player_uuid = backends.player_uuid
            and proxy_hours.epoch_hour = backends.epoch_hour

    union all

    select
        backends.session_id,
        backends.server_uuid,
        backends.global_uuid,
        backends.player_name,
        backends.has_join,
        backends.left_at,
        backends.shown_from,
        backends.shown_until,
        proxy_hours.session_id as proxy_session_id,
        proxy_hours.server_uuid as proxy_server_uuid,
        proxy_hours.player_name as proxy_player_name,
        proxy_hours.global_uuid as proxy_global_uuid,
        proxy_hours.has_join as proxy_has_join,
        proxy_hours.shown_from as proxy_shown_from,
        proxy_hours.shown_until as proxy_shown_until,
        proxy_hours.reach_from,
        proxy_hours.reach_until,
        proxy_hours.ends_by
    from proxy_hours
    inner join backends
        on
            proxy_hours.folded_name = backends.folded_name
            and proxy_hours.epoch_hour = backends.epoch_hour
    where
        proxy_hours.player_uuid is null
        or backends.player_uuid is null
        or (proxy_hours.global_uuid is null) <> (backends.global_uuid is null)

),

lying_inside as (

    select
        *,
        greatest(
            {{ seconds_between('shown_from', 'proxy_shown_from') }},
            {{ seconds_between('proxy_shown_until', 'shown_until') }},
            0
        ) as seconds_outside,
        {{ seconds_between(
            'greatest(shown_from, proxy_shown_from)', 'least(shown_until, proxy_shown_until)'
        ) }} as seconds_inside
    from same_players
    where
        shown_from <= reach_until
        and case when proxy_has_join then shown_from else shown_until end >= reach_from
        and (left_at is null or left_at <= ends_by)

),

-- nobody comes through two proxies at once
assigned as (

    select distinct on (session_id) *
    from lying_inside
    order by
        session_id asc,
        (player_name = proxy_player_name) desc,
        seconds_outside asc,
        seconds_inside desc,
        proxy_session_id asc

),

server_totals as (

    select
        server_uuid,
        count(*) as sessions_total
    from backends
    group by server_uuid

),

-- all sessions of a true back-end lie in the proxy's; of a server beside it, few do, by accident
pair_totals as (

    select
        proxy_server_uuid,
        server_uuid,
        count(*) as sessions_inside
    from assigned
    group by proxy_server_uuid, server_uuid

),

weighed as (

    select
        assigned.*,
        {{ ratio('pair_totals.sessions_inside', 'server_totals.sessions_total') }} as inside_ratio
    from assigned
    inner join pair_totals
        on
            assigned.proxy_server_uuid = pair_totals.proxy_server_uuid
            and assigned.server_uuid = pair_totals.server_uuid
    inner join server_totals on assigned.server_uuid = server_totals.server_uuid

),

ranked as (

    select
        *,
        row_number() over (
            partition by proxy_session_id
            order by
                coalesce(global_uuid = proxy_global_uuid, false) desc,
                inside_ratio desc,
                shown_from asc,
                session_id asc
        ) as place,
        max(shown_until) over (
            partition by proxy_session_id
            order by shown_from, session_id
            rows between unbounded preceding and 1 preceding
        ) as shown_before_until,
        min(global_uuid::text) over (partition by proxy_session_id)
        <> max(global_uuid::text) over (partition by proxy_session_id) as has_two_accounts
    from weighed

),

disputed as (

    select distinct proxy_session_id
    from ranked
    where
        has_two_accounts
        or shown_from + {{ clock_tolerance() }} < shown_before_until

),

claims as (

    select ranked.*
    from ranked
    inner join disputed on ranked.proxy_session_id = disputed.proxy_session_id

),

-- one connection is one account, and on one back-end at a time; the one it leaves may notice late, if it hangs. Who
-- does not fit is somebody else who bears the name
namesakes as (

    select distinct claims.session_id
    from claims
    inner join claims as better
        on
            claims.proxy_session_id = better.proxy_session_id
            and claims.place > better.place
    where
        claims.global_uuid <> better.global_uuid
        or {{ seconds_between(
            'greatest(claims.shown_from, better.shown_from)', 'least(claims.shown_until, better.shown_until)'
        ) }} > greatest(
            extract(epoch from {{ clock_tolerance() }}),
            0.5 * least(
                {{ seconds_between('claims.shown_from', 'claims.shown_until') }},
                {{ seconds_between('better.shown_from', 'better.shown_until') }}
            )
        )

),

matches as (

    select
        ranked.session_id,
        ranked.server_uuid,
        ranked.proxy_session_id,
        ranked.proxy_server_uuid
    from ranked
    left join namesakes on ranked.session_id = namesakes.session_id
    where namesakes.session_id is null

)

select * from matches
