{#- Seconds between two instants, as double precision. -#}
{% macro seconds_between(from_instant, until_instant) -%}
    extract(epoch from ({{ until_instant }}) - ({{ from_instant }}))::double precision
{%- endmacro %}


{#- A part of a whole, NULL when the whole is nothing or unknown. -#}
{% macro ratio(part, whole) -%}
    ({{ part }})::double precision / nullif(({{ whole }})::double precision, 0)
{%- endmacro %}


{#- Minutes of the pieces of sample spans for which a condition holds. -#}
{% macro minutes(condition) -%}
    coalesce(sum(piece_seconds::numeric) filter (where {{ condition }}), 0)::double precision / 60
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
