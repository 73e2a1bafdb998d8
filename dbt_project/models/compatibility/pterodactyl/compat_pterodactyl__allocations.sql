{{ config(alias='allocations') }}

with

allocations as (

    select * from {{ ref('stg_pterodactyl__allocations') }}

),

renamed as (

    select
        allocation_id as id,
        port,
        is_assigned as assigned,
        node_id,
        is_active
    from allocations

)

select * from renamed
