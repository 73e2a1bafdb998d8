{#- The date on the wall at an instant. -#}
{% macro local_date(instant, timezone) -%}
    (({{ instant }}) at time zone {{ timezone }})::date
{%- endmacro %}


{#-
    The first instant of a local day. Where a clock is set back over midnight (the Azores, Havana) midnight comes
    twice and Postgres answers with the second; where it is set forward over midnight there is none, and Postgres
    answers with the instant of the change, which is right.
-#}
{% macro local_day_start(day, timezone) -%}
    case
        when (((({{ day }})::timestamp at time zone {{ timezone }}) - interval '1 hour') at time zone {{ timezone }})::date
            = ({{ day }})
            then (({{ day }})::timestamp at time zone {{ timezone }}) - interval '1 hour'
        else ({{ day }})::timestamp at time zone {{ timezone }}
    end
{%- endmacro %}


{#- Where the part of an interval on one local day begins: only a day that is not its first needs a midnight. -#}
{% macro piece_from(day, first_date, interval_from, timezone) -%}
    case
        when {{ day }} = {{ first_date }} then {{ interval_from }}
        else {{ local_day_start(day, timezone) }}
    end
{%- endmacro %}


{#- Where the part of an interval on one local day ends. -#}
{% macro piece_until(day, last_date, interval_until, timezone) -%}
    case
        when {{ day }} = {{ last_date }} then {{ interval_until }}
        else {{ local_day_start('(' ~ day ~ ' + 1)', timezone) }}
    end
{%- endmacro %}
