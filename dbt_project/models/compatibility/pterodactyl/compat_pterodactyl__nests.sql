{{ config(alias='nests') }}

with

nests as (

    select * from {{ ref('stg_pterodactyl__nests') }}

),

renamed as (

    select
        nest_id as id,
        nest_uuid::text as uuid,
        nest_name as name,
        description,
        author,
        created_at,
        updated_at,
        is_active
    from nests

)

select * from renamed
