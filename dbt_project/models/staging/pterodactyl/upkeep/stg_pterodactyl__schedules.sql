with

source as (

    {{ current_versions(source('pterodactyl', 'schedules')) }}

),

renamed as (

    select
        ---------- ids
        id as schedule_id,
        split_part(scope, ':', 2)::uuid as server_uuid,

        ---------- properties
        record ->> 'name' as schedule_name,
        record -> 'cron' ->> 'minute' as cron_minute,
        record -> 'cron' ->> 'hour' as cron_hour,
        record -> 'cron' ->> 'day_of_month' as cron_day_of_month,
        record -> 'cron' ->> 'month' as cron_month,
        record -> 'cron' ->> 'day_of_week' as cron_day_of_week,

        ---------- booleans
        (record ->> 'is_active')::boolean as is_enabled,
        (record ->> 'is_processing')::boolean as is_processing,
        (record ->> 'only_when_online')::boolean as is_only_when_online,

        ---------- times
        (record ->> 'last_run_at')::timestamptz as last_run_at,
        (record ->> 'next_run_at')::timestamptz as next_run_at,
        (record ->> 'created_at')::timestamptz as created_at,
        (record ->> 'updated_at')::timestamptz as updated_at,

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
