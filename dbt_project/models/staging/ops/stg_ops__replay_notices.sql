with

source as (

    select * from {{ source('ops', 'replay_notices') }}

),

renamed as (

    select
        replay_key,
        decided_at,
        told as is_told,
        reason,
        text as message_text

    from source

)

select * from renamed
