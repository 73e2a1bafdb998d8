{{ config(alias='eggs') }}

with

eggs as (

    select * from {{ ref('stg_pterodactyl__eggs') }}

),

renamed as (

    select
        egg_id as id,
        egg_uuid::text as uuid,
        egg_name as name,
        description,
        nest_id,
        author,
        created_at,
        updated_at,
        is_active
    from eggs

)

select * from renamed
