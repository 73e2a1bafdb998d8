with

servers as (

    select * from {{ ref('int_minecraft__servers') }}

)

select
    server_uuid,
    software,
    game_version,
    is_proxy
from servers
