with

samples as (

    select * from {{ ref('stg_pterodactyl__utilization_samples') }}

),

{{ sample_spans() }}

select * from sample_spans
