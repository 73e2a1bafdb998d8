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
        when properties ->> '{{ field }}' ~ '^[0-9]{1,15}(\.[0-9]+)?$'
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
