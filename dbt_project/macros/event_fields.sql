{#-
    A field of an event's own, from its properties. What no contract names may be anything, and one event that is not as
    its contract says must not break a query over all of them: such a field is NULL.
-#}
{% macro event_text(field) -%}
    (properties ->> '{{ field }}')
{%- endmacro %}


{% macro event_integer(field) -%}
    case
        when properties ->> '{{ field }}' ~ '^-?[0-9]{1,10}(\.0+)?$'
            then case
                when abs((properties ->> '{{ field }}')::numeric) <= 2147483647
                    then (properties ->> '{{ field }}')::numeric::integer
            end
    end
{%- endmacro %}


{#- Money to six digits after the point, exact: a number that is told as text is not rounded on its way. -#}
{% macro event_money(field) -%}
    case
        when properties ->> '{{ field }}' ~ '^[0-9]{1,15}(\.[0-9]+)?\n?$'  -- as the contract's pattern is read
            then (properties ->> '{{ field }}')::numeric(21, 6)
    end
{%- endmacro %}


{% macro event_boolean(field) -%}
    case properties ->> '{{ field }}' when 'true' then true when 'false' then false end
{%- endmacro %}


{#- What of each event of *types* its typed model hands on, with its properties as the CTE events. -#}
{% macro events_of(types) -%}
events as (

    select *
    from {{ ref('fct_game_events') }}
    where event_type in ('{{ types | join("', '") }}')

)
{%- endmacro %}


{#- The columns that all typed models begin with. -#}
{% macro columns_of_events() -%}
    event_key,
    game,
    event_type,
    player_id,
    session_id,
    occurred_date,
    occurred_at,
    received_at
{%- endmacro %}


{#- What was paid; NULL where the event does not say it, or buys nothing. -#}
{% macro event_cost() -%}
    case event_type
        when 'transaction' then {{ event_money('total_cost') }}
        when 'purchase_sword' then {{ event_money('sword_cost') }}
        when 'purchase_armor' then {{ event_money('armor_cost') }}
    end
{%- endmacro %}


{#- What of the deeds that are counted an event is, whatever its type is called; NULL for any other. -#}
{% macro event_deed() -%}
    case
        when event_type in ('join_a_guild', 'join_guild') then 'guild'
        when event_type = 'guild_action' and {{ event_text('action') }} = 'join' then 'guild'
        when event_type in ('kill_enemy', 'slayed_dragon') then 'kill'
        when event_type in ('take_damage', 'took_damage') then 'damage'
        when event_type = 'accepted_a_quest' then 'quest'
        when event_type = 'attempt_daily_quest' and {{ event_boolean('attempted') }} then 'quest'
        when
            event_type in (
                'transaction', 'purchase_sword', 'purchase_armor', 'purchase_a_sword', 'purchase_a_horse'
            )
            then 'purchase'
    end
{%- endmacro %}


{#-
    When an event counts. A clock that is wrong by more than a day would put it into another week, or year: if the game says
    when it sent it, the clock is set right by that. What is then still to come, or is older than any game waits, counts when
    it was received; seconds are compared, since a time so far off may lie beyond those that there are.
-#}
{% macro event_time() -%}
    case
        when abs(clock_skew_milliseconds) > 86400000 then
            case
                when
                    extract(epoch from occurred_at) + clock_skew_milliseconds / 1000.0
                    between extract(epoch from received_at) - {{ oldest_event_seconds() }}
                    and extract(epoch from received_at) + 86400
                    then occurred_at + clock_skew_milliseconds * interval '1 millisecond'
                else received_at
            end
        when occurred_at > received_at + interval '1 day' then received_at
        when extract(epoch from occurred_at) < extract(epoch from received_at) - {{ oldest_event_seconds() }}
            then received_at
        else occurred_at
    end
{%- endmacro %}


{#- Ten years: a clock that was never set shows 1970, and no game keeps an event so long. -#}
{% macro oldest_event_seconds() -%}
    315576000
{%- endmacro %}
