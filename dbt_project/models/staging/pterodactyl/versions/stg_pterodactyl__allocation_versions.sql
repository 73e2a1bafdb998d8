with

source as (

    select * from {{ source('pterodactyl', 'allocations') }}

),

renamed as (

    select
        ---------- ids
        id as allocation_id,
        substring(scope from '[0-9]+$')::bigint as node_id,

        ---------- booleans
        (record ->> 'assigned')::boolean as is_assigned,

        ---------- validity
        is_active,
        valid_from,
        valid_to,
        deleted_at

    from source

)

select * from renamed
