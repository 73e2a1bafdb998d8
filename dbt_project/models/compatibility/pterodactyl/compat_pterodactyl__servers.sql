{{ config(alias='servers') }}

with

servers as (

    select * from {{ ref('stg_pterodactyl__servers') }}

),

renamed as (

    select
        server_id as id,
        server_uuid::text as uuid,
        identifier,
        server_name as name,
        description,
        memory_limit_mebibytes as limit_memory,
        disk_limit_mebibytes as limit_disk,
        io_weight as limit_io,
        cpu_limit_percent as limit_cpu,
        is_oom_killer_disabled as limit_oom_disable,
        database_limit as limit_database,
        allocation_limit as limit_allocation,
        backup_limit as limit_backup,
        owner_user_id as client_id,
        node_id,
        allocation_id,
        nest_id,
        egg_id,
        created_at,
        updated_at,
        is_active
    from servers

)

select * from renamed
