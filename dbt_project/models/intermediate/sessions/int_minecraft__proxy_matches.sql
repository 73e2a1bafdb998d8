{#- Which session of a proxy a back-end's session lies in, once those are gone that are somebody else's. -#}
{{ config(
    materialized='table',
    indexes=[{'columns': ['session_id'], 'unique': true}],
    post_hook="{{ analyze_rows() }}"
) }}

with

sessions as (

    select * from {{ ref('int_minecraft__sessions_on_servers') }}

),

assigned as (

    select * from {{ ref('int_minecraft__proxy_candidates') }}

),

server_totals as (

    select
        server_uuid,
        count(*) as sessions_total
    from sessions
    where not is_proxy
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
