{# Groups of outcomes, as pteroassets/sources/outcomes.py has them; tests/warehouse/test_vocabulary.py compares. #}

{% macro unanswered_outcomes() %}('node_unreachable', 'rate_limited', 'error'){% endmacro %}

{% macro timed_outcomes() %}('ok', 'truncated'){% endmacro %}

{% macro damaged_outcomes() %}('truncated', 'unreadable'){% endmacro %}
