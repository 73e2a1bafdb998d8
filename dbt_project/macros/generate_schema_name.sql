{#- A folder's schema is taken as it is written: there is one warehouse, not one schema for each developer. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
