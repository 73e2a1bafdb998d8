{#- What Postgres' planner is told of models, since it cannot know it. -#}


{#- Before a model: compiling a plan takes seconds, running these takes fractions of one. -#}
{% macro without_jit() -%}
    set local jit = off
{%- endmacro %}


{#-
    Ends a lateral subquery so that Postgres runs it for each outer row, by index, however many rows it expects: an
    incremental build then reads what it touches and nothing else. Left free, the planner guesses a third of the table
    for what arrived and reads all of it.
-#}
{% macro by_index_for_each_row() -%}
    offset 0
{%- endmacro %}
