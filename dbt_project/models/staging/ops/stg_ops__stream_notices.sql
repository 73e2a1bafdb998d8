with

source as (

    select * from {{ source('ops', 'stream_notices') }}

),

renamed as (

    select
        notice_key,
        split_part(notice_key, '/', 1) as notice_kind,
        split_part(notice_key, '/', 2) as subject_id,
        login,
        decided_at,
        told as is_told,
        reason,
        ended_at

    from source

)

select * from renamed
