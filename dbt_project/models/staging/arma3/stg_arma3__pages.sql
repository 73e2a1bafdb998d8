with

source as (

    select * from {{ source('arma3', 'pages') }}

),

renamed as (

    select
        ---------- ids
        url,
        site,
        replay_id,

        ---------- document
        document as document_kind,
        outcome,
        reason,

        ---------- when
        asked_at,
        fetched_at

    from source

)

select * from renamed
