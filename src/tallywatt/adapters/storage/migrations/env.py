"""Alembic's entry: runs the migrations on the database that `upgrade` named."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, pool

from tallywatt.adapters.storage import tables
from tallywatt.adapters.storage.tables.schema import metadata

assert tables.__all__, "importing the tables fills the metadata"
engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=False)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
