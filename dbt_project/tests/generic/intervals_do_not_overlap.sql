{#- Half-open intervals of one group: the next may begin where the last ends. An end that is NULL never comes. -#}
{% test intervals_do_not_overlap(model, group_by, from_column, until_column) %}

    with

    ordered as (

        select
            {{ group_by | join(', ') }},
            {{ from_column }},
            {{ until_column }},
            lead({{ from_column }}) over (
                partition by {{ group_by | join(', ') }}
                order by {{ from_column }}, {{ until_column }} nulls last
            ) as next_from
        from {{ model }}
        where {{ from_column }} is not null

    )

    select *
    from ordered
    where next_from < coalesce({{ until_column }}, 'infinity')

{% endtest %}
