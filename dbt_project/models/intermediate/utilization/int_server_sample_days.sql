with

spans as (

    select * from {{ ref('int_pterodactyl__sample_spans') }}

),

terms as (

    select * from {{ ref('int_server_terms') }}

),

validity as (

    select * from {{ ref('int_pterodactyl__server_validity') }}

),

{{ sample_days('spans') }}

select * from pieces
