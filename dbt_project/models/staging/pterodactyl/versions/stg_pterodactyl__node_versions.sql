with

source as (

    select * from {{ source('pterodactyl', 'nodes') }}

),

renamed as (

    select
        ---------- ids
        uuid as node_uuid,
        id as node_id,

        ---------- capacity
        (record ->> 'memory')::bigint as memory_mebibytes,
        (record ->> 'memory_overallocate')::bigint as memory_overallocate_percent,
        (record ->> 'disk')::bigint as disk_mebibytes,
        (record ->> 'disk_overallocate')::bigint as disk_overallocate_percent,

        ---------- validity
        is_active,
        valid_from,
        valid_to,
        deleted_at

    from source

)

select * from renamed
