{#- Seconds between two instants, as double precision; extract() makes a numeric first, at three times the cost. -#}
{% macro seconds_between(from_instant, until_instant) -%}
    date_part('epoch', ({{ until_instant }}) - ({{ from_instant }}))
{%- endmacro %}


{#- A part of a whole, NULL when the whole is nothing or unknown. -#}
{% macro ratio(part, whole) -%}
    ({{ part }})::double precision / nullif(({{ whole }})::double precision, 0)
{%- endmacro %}


{#-
    A measure in the *units* in which it was taken, as a whole number. A sum of such does not hang on the order of the
    rows, to the last bit; casting each value to numeric for that costs ten times as much.
-#}
{% macro counted_in(units, measure) -%}
    ({{ measure }} * {{ units }})::bigint
{%- endmacro %}


{% macro microseconds(seconds) -%}
    {{ counted_in(1000000, seconds) }}
{%- endmacro %}


{% macro thousandths(percent) -%}
    {{ counted_in(1000, percent) }}
{%- endmacro %}


{% macro bytes(mebibytes) -%}
    {{ counted_in(1048576, mebibytes) }}
{%- endmacro %}


{#- Minutes of the pieces of sample spans for which a condition holds. -#}
{% macro minutes(condition) -%}
    (
            coalesce(sum({{ microseconds('piece_seconds') }}) filter (where {{ condition }}), 0) / 1000000
        )::double precision / 60
{%- endmacro %}


{#- Minutes of the pieces of a group by what came of asking, as columns. -#}
{% macro minutes_by_outcome() -%}
    {{ minutes("outcome_group in ('measured', 'offline')") }} as minutes_sampled,
        {{ minutes("outcome_group = 'measured' and state = 'running'") }} as minutes_running,
        {{ minutes("outcome_group = 'gated'") }} as minutes_gated,
        {{ minutes("outcome_group = 'failed'") }} as minutes_failed,
        {{ minutes("outcome_group = 'suspect'") }} as minutes_suspect
{%- endmacro %}


{#- The part of the expected minutes that was sampled, never above 1; NULL where nothing was expected. -#}
{% macro coverage(minutes_sampled, minutes_expected) -%}
    case
        when {{ minutes_expected }} > 0
            then least(({{ minutes_sampled }})::double precision / {{ minutes_expected }}, 1)
    end
{%- endmacro %}


{#-
    Until when something that began counts: the end that is certain. An inferred end counts at its lower bound, and what
    goes on as far as it was last seen.
-#}
{% macro counted_until(began_at, ends) -%}
    case when {{ began_at }} is not null then greatest({{ began_at }}, coalesce({{ ends | join(', ') }})) end
{%- endmacro %}
