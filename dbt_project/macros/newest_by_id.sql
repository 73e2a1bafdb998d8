{#-
    The record that now owns an id of the panel. Ids begin again when a panel's database is set up anew, so a record
    that is gone may share its id with one that is there; a join by id must find one of them.
-#}
{% macro newest_by_id(relation, id_column) -%}
    select distinct on ({{ id_column }}) *
    from {{ relation }}
    order by {{ id_column }} asc, is_active desc, valid_from desc
{%- endmacro %}
