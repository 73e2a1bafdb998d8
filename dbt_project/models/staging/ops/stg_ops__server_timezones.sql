with

source as (

    select * from {{ source('ops', 'server_timezones') }}

),

renamed as (

    select
        server_uuid,
        timezone,
        source as timezone_source

    from source

)

select * from renamed
