"""Migrations: expand, then contract. `upgrade` brings a database to the newest schema; `serve` refuses an unknown one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tallywatt.adapters.storage.connections import connect, database_errors, is_sqlite, sqlite_path
from tallywatt.adapters.storage.migrations.newest import make_tables
from tallywatt.adapters.storage.migrations.planner import tell_planner
from tallywatt.kernel.errors import SchemaUnknown

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0065"
"""The newest revision, kept here so that a start need not import Alembic (a fifth of a second)."""

FOLDER = Path(__file__).parent
VERSIONS = "alembic_version"
"""The table with the revision of a database that may be opened."""


def sqlalchemy_url(url: str) -> str:
    """The address as SQLAlchemy spells it."""
    if is_sqlite(url):
        return url
    return url.replace("postgres://", "postgresql://", 1).replace("postgresql://", "postgresql+psycopg://", 1)


def configuration(url: str, versions: str = VERSIONS) -> Config:
    """Alembic's configuration, without a file."""
    from alembic.config import Config  # noqa: PLC0415  # a fifth of a second that only `upgrade` needs

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["url"] = sqlalchemy_url(url)
    config.attributes["version_table"] = versions
    return config


def upgrade(url: str) -> None:
    """Bring a database to the newest revision, from nothing if it is empty."""
    if not is_sqlite(url):
        # Alembic would read all revisions to find that there is nothing to do: half a second of every start.
        if present_revision(url) != HEAD:
            migrate(url)
        return
    Path(sqlite_path(url)).parent.mkdir(parents=True, exist_ok=True)
    if not make_tables(url):
        migrate(url)
    tell_planner(url)


def migrate(url: str, revision: str = "head", versions: str = VERSIONS) -> None:
    """Bring a database to a revision, step by step; which one it has stands in that table."""
    from alembic import command  # noqa: PLC0415  # as above

    command.upgrade(configuration(url, versions), revision)


def present_revision(url: str) -> str | None:
    """The revision of a database, None for an empty one."""
    if is_sqlite(url) and not Path(sqlite_path(url)).exists():
        return None
    connection = connect(url, read_only=True)
    try:
        rows = connection.execute("SELECT version_num FROM alembic_version")
    except database_errors():
        return None
    finally:
        connection.close()
    return str(rows[0][0]) if rows else None


def require_current(url: str) -> None:
    """Raise SchemaUnknown unless the database has the newest revision."""
    present = present_revision(url)
    if present == HEAD:
        return
    if present is None:
        msg = "the database has no tables of Tallywatt"
        remedy = "run: tallywatt database upgrade"
    else:
        msg = f"the database has revision {present}, this version of Tallywatt knows up to {HEAD}"
        remedy = "run: tallywatt database upgrade, or use the version that wrote it"
    raise SchemaUnknown(msg, remedy=remedy)
