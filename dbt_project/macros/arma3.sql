{#- The key of a player: the site's number of the player, else the name at that site; NULL where there is neither. -#}
{% macro arma3_player_key(site, player_id, player_name) -%}
    {{ site }} || '/' || coalesce(({{ player_id }})::text, 'name:' || {{ player_name }})
{%- endmacro %}


{#- How many there are of what kills tell; NULL, not 0, where the source of the replay tells of no kills at all. -#}
{% macro arma3_of_kills(count) -%}
    case when replays.are_kills_known then coalesce({{ count }}, 0) end
{%- endmacro %}


{#- How many participants were alive at the end; NULL where the source says of none whether it was. -#}
{% macro arma3_survivors(count) -%}
    case when of_participants.participants_known > 0 then of_participants.{{ count }} end
{%- endmacro %}


{#-
    The replays of which this model has no rows, or those of another load: each is looked up by index, so a build costs as
    much with ten years of games as with one.
-#}
{% macro arma3_replays_to_build() -%}
    select replays.*
    from {{ ref('stg_arma3__replays') }} as replays
    where
        replays.landed_at is not null
    {%- if is_incremental() %}
        and not exists (
            select
            from {{ this }} as built
            where built.replay_key = replays.replay_key and built._load_id = replays._load_id
        )
    {%- endif %}
{%- endmacro %}


{#- Lets the rows go that this model has of another load of their replay. -#}
{% macro arma3_corrected_go() -%}
    {%- if is_incremental() %}
    delete from {{ this }}
    where replay_key in (
        select replays.replay_key
        from {{ ref('stg_arma3__replays') }} as replays
        cross join lateral (
            select found._load_id from {{ this }} as found where found.replay_key = replays.replay_key limit 1
        ) as built
        where built._load_id is distinct from replays._load_id
    )
    {%- endif %}
{%- endmacro %}


{#-
    Who played on which evening, as presence() says of servers: a scope is a site, or Arma 3 with all of them. An evening is
    the day on which its games began, so one that ends after midnight is of one evening. Each game counts once.
-#}
{% macro arma3_presence() -%}
    select
        scopes.scope_key,
        played.player_key as player_id,
        played.played_date as local_date,
        sum(played.play_seconds::numeric)::double precision as play_seconds
    from {{ ref('fct_arma3_player_games') }} as played
    inner join {{ ref('int_arma3__games') }} as games on played.replay_key = games.replay_key
    cross join lateral (values (played.site), ('arma3')) as scopes (scope_key)
    where games.is_counted and played.played_date is not null
    group by scopes.scope_key, played.player_key, played.played_date
{%- endmacro %}


{#-
    What is known of each scope, as known_scopes() says of servers: from the evening of the first game to the day on which
    the site's list was read last, by the clock of its games. Whether a list reaches back to the first game ever is not known.
-#}
{% macro arma3_scopes() -%}
    select
        scopes.scope,
        scopes.scope_key,
        mode() within group (order by coalesce(replays.timezone, 'UTC')) as timezone,
        min(replays.played_date) as first_date,
        greatest(
            max(replays.played_date),
            max({{ local_date('lists.asked_at', "coalesce(replays.timezone, 'UTC')") }})
        ) as last_date,
        min(replays.played_date) as first_whole_date,
        greatest(
            max(replays.played_date),
            max({{ local_date('lists.asked_at', "coalesce(replays.timezone, 'UTC')") }})
        ) - 1 as last_whole_date,
        false as is_history_whole
    from {{ ref('stg_arma3__replays') }} as replays
    inner join {{ ref('int_arma3__games') }} as games on replays.replay_key = games.replay_key
    left join (
        select
            site,
            max(asked_at) as asked_at
        from {{ ref('stg_arma3__pages') }}
        where document_kind = 'list' and outcome in ('ok', 'unchanged')
        group by site
    ) as lists on replays.site = lists.site
    cross join lateral (values ('site', replays.site), ('game', 'arma3')) as scopes (scope, scope_key)
    where games.is_counted and replays.played_date is not null
    group by scopes.scope, scopes.scope_key
{%- endmacro %}


{#- The players of games as lengths_of reads sessions: what is not recorded has no length. -#}
{% macro arma3_stays() -%}
    select
        scopes.scope_key,
        played.played_date as joined_date,
        not played.is_presence_recorded as is_open,
        played.play_seconds / 60 as counted_minutes,
        {{ seconds_between(
            'lag(played.present_until) over (partition by scopes.scope_key, played.player_key order by played.present_from)',
            'played.present_from'
        ) }} / 3600 as gap_hours
    from {{ ref('fct_arma3_player_games') }} as played
    inner join {{ ref('int_arma3__games') }} as games on played.replay_key = games.replay_key
    cross join lateral (values (played.site), ('arma3')) as scopes (scope_key)
    where games.is_counted and played.played_date is not null
{%- endmacro %}


{#-
    What games of a kind come to: those of a world, or of a mission in a world. Each game counts once.

    keys: columns of games that make a kind
    counted: more figures, an expression for each name
-#}
{% macro arma3_games_by(keys, counted={}) -%}
with

games as (

    select *
    from {{ ref('int_arma3__games') }}
    where is_counted

),

of_players as (

    select
        replay_key,
        count(*) as players,
        sum(kills) as kills,
        sum(deaths) as deaths,
        sum(team_kills) as team_kills,
        count(*) filter (where is_survivor) as survivors,
        count(is_survivor) as survival_known
    from {{ ref('fct_arma3_player_games') }}
    group by replay_key

),

counted as (

    select
        {% for key in keys -%}
        games.{{ key }},
        {% endfor -%}
        {% for name, expression in counted.items() -%}
        {{ expression }} as {{ name }},
        {% endfor -%}
        count(*) as games,
        count(games.winner_side) as games_decided,
        avg(of_players.players)::double precision as mean_players,
        max(of_players.players) as most_players,
        avg(games.duration_seconds::numeric)::double precision / 60 as mean_minutes,
        sum(of_players.kills)::bigint as kills,
        sum(of_players.deaths)::bigint as deaths,
        sum(of_players.team_kills)::bigint as team_kills,
        sum(of_players.survivors) as survivors,
        sum(of_players.survival_known) as survival_known,
        min(games.played_date) as first_played_date,
        max(games.played_date) as last_played_date
    from games
    left join of_players on games.replay_key = of_players.replay_key
    group by {% for key in keys %}games.{{ key }}{{ ', ' if not loop.last }}{% endfor %}

)

select
    {% for name in keys + (counted.keys() | list) -%}
    {{ name }},
    {% endfor -%}
    games,
    games_decided,
    mean_players,
    most_players,
    mean_minutes,
    kills,
    deaths,
    team_kills,
    {{ ratio('survivors', 'survival_known') }} as survival_share,
    first_played_date,
    last_played_date
from counted
{%- endmacro %}
