"""Alembic's entry: run the migrations on the database that ``migrate.upgrade`` names, one process at a time."""

from alembic import context
from sqlalchemy import NullPool, create_engine, text

# any number that no one else on this database takes
_MIGRATION_LOCK = 7_316_052

engine = create_engine(context.config.attributes["url"], poolclass=NullPool)
with engine.connect() as connection:
    connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": _MIGRATION_LOCK})
    connection.commit()
    context.configure(connection=connection, transactional_ddl=True, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": _MIGRATION_LOCK})
    connection.commit()
engine.dispose()
