{#- Which session of a proxy a back-end's session lies in, once those are gone that are somebody else's. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key='session_id',
    on_schema_change='fail',
    meta={
        'changes_of': ['int_minecraft__proxy_candidates', 'int_minecraft__proxy_pairs'],
        'scope': ['proxy_session_id'],
        'tells': ['session_id', 'proxy_session_id'],
    },
    indexes=[
        {'columns': ['session_id'], 'unique': true},
        {'columns': ['proxy_session_id']},
        {'columns': ['is_disputed']},
    ],
    pre_hook="{{ take_up(touched_proxy_sessions()) }}",
    post_hook="{{ note_taken_up() }}"
) }}

with

assigned as (

    {{ rows_touched('int_minecraft__proxy_candidates', ['proxy_session_id']) }}

),

pairs as (

    select * from {{ ref('int_minecraft__proxy_pairs') }}

),

-- all sessions of a true back-end lie in the proxy's; of a server beside it, few do, by accident
weighed as (

    select
        assigned.*,
        {{ ratio('inside.sessions', 'every.sessions') }} as inside_ratio
    from assigned
    inner join pairs as inside
        on
            assigned.server_uuid = inside.server_uuid
            and assigned.proxy_server_uuid = inside.within_uuid
    inner join pairs as every
        on
            assigned.server_uuid = every.server_uuid
            and assigned.server_uuid = every.within_uuid

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
        ranked.proxy_server_uuid,
        disputed.proxy_session_id is not null as is_disputed
    from ranked
    left join disputed on ranked.proxy_session_id = disputed.proxy_session_id
    left join namesakes on ranked.session_id = namesakes.session_id
    where namesakes.session_id is null

)

select * from matches
