"""Alembic's entry: runs the migrations on the database that `upgrade` named, all of them in one transaction.

A process that is killed in the middle of it leaves the database as it was, on both engines.
"""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import create_engine, event, pool

from tallywatt.adapters.storage import tables
from tallywatt.adapters.storage.tables.schema import for_postgresql

assert tables.__all__, "importing the tables fills the metadata"
engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)

if engine.dialect.name == "sqlite":
    # Python's driver would commit before each DDL statement; left alone, SQLite rolls back DDL like everything else.

    @event.listens_for(engine, "connect")
    def leave_transactions_to_us(connection: Any, _: Any) -> None:
        """Take the driver's hands off transactions."""
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin_at_once(connection: Any) -> None:
        """Take the write lock before anything is read."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")


with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=for_postgresql(),
        render_as_batch=False,
        transactional_ddl=True,
        version_table=context.config.attributes["version_table"],
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
