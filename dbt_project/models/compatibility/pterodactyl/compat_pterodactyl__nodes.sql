{{ config(alias='nodes') }}

with

nodes as (

    select * from {{ ref('stg_pterodactyl__nodes') }}

),

renamed as (

    select
        node_id as id,
        node_uuid::text as uuid,
        is_public as public,
        node_name as name,
        description,
        location_id,
        fqdn,
        scheme,
        is_behind_proxy as behind_proxy,
        is_under_maintenance as maintenance_mode,
        memory_mebibytes as memory,
        disk_mebibytes as disk,
        allocated_memory_mebibytes as allocated_memory,
        allocated_disk_mebibytes as allocated_disk,
        upload_limit_mebibytes as upload_size,
        daemon_port::bigint as daemon_listen,
        sftp_port::bigint as daemon_sftp,
        daemon_folder as daemon_base,
        created_at,
        updated_at,
        is_active
    from nodes

)

select * from renamed
