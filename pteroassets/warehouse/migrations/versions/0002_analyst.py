"""Create the role analyst, and the schemas it reads so that default privileges reach every model in them.

The role has no login: an operator grants it to people (grant analyst to someone).
"""

from alembic import op

revision = "0002"
down_revision = "0001"

_READABLE = ("staging", "marts", "pterodactyl", "minecraft")


def upgrade() -> None:
    bind = op.get_bind()
    # a role belongs to the whole server, so another warehouse on it may have made it already
    bind.exec_driver_sql(
        """
        do $$ begin
            if not exists (select from pg_roles where rolname = 'analyst') then
                create role analyst nologin;
            end if;
        exception
            when duplicate_object or unique_violation then null;
            when insufficient_privilege then
                raise exception 'the account %% may not create the role analyst', current_user
                    using hint = 'run as a superuser: create role analyst nologin';
        end $$
        """
    )
    for schema in (*_READABLE, "intermediate"):
        bind.exec_driver_sql(f"create schema if not exists {schema}")
    for schema in _READABLE:
        bind.exec_driver_sql(f"grant usage on schema {schema} to analyst")
        bind.exec_driver_sql(f"alter default privileges in schema {schema} grant select on tables to analyst")
