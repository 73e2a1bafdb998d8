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


{#-
    Before a model that is built whole, of a join of two things that are both computed. Of what a view or a CTE sums up
    Postgres expects one row, and then reads the other side once for each row that there is, so that with twice the
    history or the servers it costs four times as much. Joins by index that are written as such stay.
-#}
{% macro without_nested_loops() -%}
    set local enable_nestloop = off
{%- endmacro %}
