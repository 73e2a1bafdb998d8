{{ config(alias='locations') }}

with

locations as (

    select * from {{ ref('stg_pterodactyl__locations') }}

),

renamed as (

    select
        location_id as id,
        location_code as short,
        location_name as long,
        created_at,
        updated_at,
        is_active
    from locations

)

select * from renamed
