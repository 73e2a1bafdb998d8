with

source as (

    {{ current_versions(source('pterodactyl', 'allocations')) }}

),

renamed as (

    select
        ---------- ids
        id as allocation_id,
        substring(scope from '[0-9]+$')::bigint as node_id,

        ---------- properties
        record ->> 'ip' as ip_address,
        record ->> 'alias' as ip_alias,
        (record ->> 'port')::integer as port,
        record ->> 'notes' as notes,

        ---------- booleans
        (record ->> 'assigned')::boolean as is_assigned,

        ---------- validity
        is_active,
        valid_from,
        deleted_at,

        ---------- load
        _source,
        _loaded_at

    from source

)

select * from renamed
