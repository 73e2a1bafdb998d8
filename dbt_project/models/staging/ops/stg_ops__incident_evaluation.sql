with

source as (

    select * from {{ source('ops', 'incident_state') }}

),

renamed as (

    select evaluated_at from source

)

select * from renamed
