{#-
    The lower ('-') or upper ('+') bound of the interval of a part of a whole, at 95 %. E. B. Wilson, Probable inference,
    the law of succession, and statistical inference, 1927; 1.96 for 95 %.
-#}
{% macro wilson_bound(part, whole, sign) -%}
    least(greatest(
                (
                    {{ part }} + 1.9208
                    {{ sign }} 1.96 * sqrt(
                        {{ part }}::double precision * ({{ whole }} - {{ part }}) / {{ whole }} + 0.9604
                    )
                ) / ({{ whole }} + 3.8416),
                0
            ), 1)::double precision
{%- endmacro %}
