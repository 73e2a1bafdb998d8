{#- Moments that two machines' logs show may lie this far apart although they are one. -#}
{% macro clock_tolerance() -%}
    interval '{{ var("clock_tolerance") }}'
{%- endmacro %}


{#- Hours since 1970 of an instant: sessions are looked for by player and hour, so that a join on both is hashed. -#}
{% macro epoch_hour(instant) -%}
    floor(date_part('epoch', {{ instant }}) / 3600)::integer
{%- endmacro %}
