{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key=['log_file_id', 'line_number'],
    on_schema_change='fail',
    meta={
        'changes_of': ['raw_minecraft.logins', 'ops.server_timezones'],
        'scope': ['log_file_id'],
        'tested_from': 'local_date',
        'tells': ['server_uuid', 'local_date', 'logged_at'],
    },
    indexes=[
        {'columns': ['log_file_id', 'line_number'], 'unique': true},
        {'columns': ['local_date', 'server_uuid']},
    ],
    pre_hook="{{ take_up(touched_files_of_logins()) }}",
    post_hook="{{ note_taken_up() }}"
) }}

-- depends_on: {{ ref('stg_minecraft__log_files') }}
with

lines as (

    {{ lines_of_logins() }}

),

timezones as (

    select * from {{ ref('stg_ops__server_timezones') }}

),

logins as (

    select
        lines.log_file_id,
        lines.line_number,
        lines.server_uuid,
        lines.logged_at,
        {{ local_date('lines.logged_at', "coalesce(timezones.timezone, 'UTC')") }} as local_date,
        case lines.event_kind when 'player_login' then 'login' else 'refused' end as login_kind,
        lines.player_name,
        lines.detail ->> 'address' as address,
        case lines.event_kind when 'login_refused' then coalesce(lines.detail ->> 'cause', 'other') end as cause
    from lines
    left join timezones on lines.server_uuid = timezones.server_uuid

)

select * from logins
