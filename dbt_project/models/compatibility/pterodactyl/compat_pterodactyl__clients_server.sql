{{ config(alias='clients_server') }}

with

subusers as (

    select * from {{ ref('stg_pterodactyl__subusers') }}

),

renamed as (

    select
        subuser_id as id,
        user_id as client_id,
        server_id,
        created_at,
        updated_at,
        is_active
    from subusers

)

select * from renamed
