{#-
    The marts that customers are offered (decision 0035): those of which a row says something of one server alone. What
    counts over servers, or tells of nodes and other users, is not offered, nor is a mart that is not named here.
    `without` are columns that are left out, `only` is a condition on the rows; `server` is the server of a row where it
    is not in server_uuid.
-#}
{% macro offered_to_customers() -%}
    {{ return({
        'dim_servers': {'without': ['external_id']},
        'dim_servers_history': {'without': ['owner_user_id', 'owner_user_uuid']},
        'dim_server_software': {},
        'fct_active_players_daily': {},
        'fct_changes': {'only': "kind <> 'owner'"},
        'fct_concurrency_changes': {},
        'fct_concurrency_peaks': {'without': ['node_uuid']},
        'fct_empty_hours_daily': {'without': ['owner_user_uuid']},
        'fct_limit_utilization_daily': {},
        'fct_log_coverage': {},
        'fct_login_bursts': {},
        'fct_logins_daily': {},
        'fct_player_activity_weekly': {},
        'fct_player_daily': {},
        'fct_player_events': {},
        'fct_player_hour_costs': {},
        'fct_player_servers': {},
        'fct_player_sessions': {'without': ['network_session_id']},
        'fct_players_hourly': {},
        'fct_recovery_points': {},
        'fct_retention': {'server': "case scope when 'server' then scope_key::uuid end"},
        'fct_return_after_trouble': {'server': "case scope when 'server' then scope_key::uuid end"},
        'fct_right_sizing': {},
        'fct_server_daily': {},
        'fct_server_reliability': {},
        'fct_server_runs': {},
        'fct_server_stops': {'without': ['actor_user_uuid', 'actor_username']},
        'fct_sleeping_servers': {},
        'fct_utilization_hourly': {'without': ['_samples_loaded_at']},
    }) }}
{%- endmacro %}


{#-
    After a mart was built, in its transaction: the view in the schema customer that shows a customer's rows of it. A
    table that is built anew takes its view with it, so the view is made again; one that stands as it should is left,
    since who reads it would have to be waited for. Its definition's digest is kept as the comment of its rule.
-#}
{% macro offer_to_customers() -%}
    {%- set view = 'customer.' ~ adapter.quote(this.identifier) -%}
    {%- set offer = offered_to_customers().get(this.identifier) -%}
    {%- if offer is none -%}
    drop view if exists {{ view }}
    {%- else -%}
    {%- set columns = model.columns.values() | rejectattr('name', 'in', offer.get('without', [])) | list -%}
    {%- set made -%}
        create view {{ view }} with (security_barrier) as
        select {{ columns | map(attribute='name') | join(', ') }} from {{ this }}
        where {{ offer['only'] ~ ' and ' if 'only' in offer else '' }}{{ offer.get('server', 'server_uuid') }} = any (array(
            select owned.server_uuid from ops.customer_servers as owned where owned.role_name = current_user
        ));
        comment on view {{ view }} is $comment${{ model.description | trim }} Your servers alone.$comment$;
        {%- for column in columns %}
        comment on column {{ view }}.{{ column.name }} is $comment${{ column.description | trim }}$comment$;
        {%- endfor %}
    {%- endset -%}
    do $customer$
    begin
        if exists (
            select from pg_rewrite inner join pg_depend
                on pg_depend.classid = 'pg_rewrite'::regclass and pg_rewrite.oid = pg_depend.objid
            where pg_rewrite.ev_class = to_regclass('{{ view }}')
                and pg_depend.refobjid = '{{ this }}'::regclass
                and obj_description(pg_rewrite.oid, 'pg_rewrite') = '{{ local_md5(made) }}'
        ) then
            return;
        end if;
        drop view if exists {{ view }};
        {{ made }}
        comment on rule "_RETURN" on {{ view }} is '{{ local_md5(made) }}';
    end
    $customer$
    {%- endif -%}
{%- endmacro %}
