with

source as (

    select * from {{ source('ops', 'incidents') }}

),

renamed as (

    select
        ---------- ids
        incident_id,
        server_uuid,

        ---------- what and whom
        kind,
        subject_kind,
        subject_key,
        subject_name,
        aspect,
        severity,
        cause,
        node_name,
        egg_name,
        owner_name,

        ---------- times
        opened_at,
        noticed_at,
        last_at,
        closed_at,
        closed_as,

        ---------- what came of it
        times,
        cardinality(held_back) as alarms_held_back,
        acknowledged_by,
        acknowledged_at,
        snoozed_until,
        is_quiet

    from source

)

select * from renamed
