{#-
    The records of an entity as they stand: a raw table keeps a row for each version of a record, and of these the one
    that no other has followed.
-#}
{% macro current_versions(relation) -%}
    select * from {{ relation }} where valid_to is null
{%- endmacro %}


{#-
    The record that now owns an id of the panel. Ids begin again when a panel's database is set up anew, so a record
    that is gone may share its id with one that is there; a join by id must find one of them.
-#}
{% macro newest_by_id(relation, id_column) -%}
    select distinct on ({{ id_column }}) *
    from {{ relation }}
    order by {{ id_column }} asc, is_active desc, valid_from desc
{%- endmacro %}
