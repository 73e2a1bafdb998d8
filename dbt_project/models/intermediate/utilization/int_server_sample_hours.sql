with

spans as (

    select * from {{ ref('int_pterodactyl__sample_spans') }}

),

{{ sample_hours('spans') }}

select * from pieces
