{{ config(alias='clients') }}

with

users as (

    select * from {{ ref('stg_pterodactyl__users') }}

),

renamed as (

    select
        user_id as id,
        user_uuid::text as uuid,
        username as client_name,
        email,
        first_name,
        last_name,
        is_root_admin as admin,
        has_two_factor as "2fa",
        created_at,
        updated_at,
        is_active
    from users

)

select * from renamed
