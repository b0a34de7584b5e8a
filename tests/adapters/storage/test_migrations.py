"""Migrations: from nothing to the newest schema on both engines, and what they make is what the tables say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from tallywatt.adapters.storage import tables
from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.migrations import (
    HEAD,
    newest,
    present_revision,
    require_current,
    sqlalchemy_url,
    upgrade,
)
from tallywatt.adapters.storage.store import Store
from tallywatt.adapters.storage.tables.schema import for_postgresql, metadata
from tallywatt.kernel.errors import SchemaUnknown
from tests.workflows.house_of import HouseOf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

assert tables.__all__, "importing the tables fills the metadata"


@pytest.fixture
def migrated(house_url: str) -> Iterator[Connection]:
    """A migrated database, as SQLAlchemy sees it."""
    engine = create_engine(sqlalchemy_url(house_url))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_from_nothing_to_the_newest(engine_url: str) -> None:
    """An empty database has no revision and is refused; after the upgrade it has the newest."""
    assert present_revision(engine_url) is None
    with pytest.raises(SchemaUnknown) as caught:
        require_current(engine_url)
    assert "tallywatt database upgrade" in (caught.value.remedy or "")

    upgrade(engine_url)
    upgrade(engine_url)

    assert present_revision(engine_url) == HEAD
    require_current(engine_url)


def test_an_empty_database_gets_at_once_what_the_migrations_make_step_by_step() -> None:
    """After a new revision: python -m tallywatt.adapters.storage.migrations.newest"""
    assert newest.FILE.read_text(encoding="utf-8") == newest.migrated()


def test_a_database_that_is_not_empty_is_not_made_anew(sqlite_house_url: str) -> None:
    """Only the first start takes the short way."""
    assert not newest.make_tables(sqlite_house_url)


def test_the_migrated_schema_is_what_the_tables_say(migrated: Connection) -> None:
    """Nothing was changed in a table and forgotten in a migration."""
    context = MigrationContext.configure(migrated, opts={"compare_type": True, "compare_server_default": True})

    assert compare_metadata(context, for_postgresql()) == []


def test_indexes_of_some_rows_are_not_indexes_of_all(migrated: Connection) -> None:
    """The comparison above leaves out conditions; without its own, a unique index of open rows forbids a second closed one."""
    engine = migrated.dialect.name
    with_condition = {
        str(found["name"])
        for name in metadata.tables
        for found in inspect(migrated).get_indexes(name)
        if found.get("dialect_options", {}).get(f"{engine}_where") is not None
    }
    declared = {str(one.name) for each in metadata.tables.values() for one in each.indexes if "where" in one.info}

    assert with_condition == declared
    assert declared, "there are such indexes"


def test_checks_are_what_the_tables_say(migrated: Connection) -> None:
    """The comparison above leaves out checks, and a new kind of something is a changed check."""
    found = inspect(migrated)
    for table in metadata.tables.values():
        named = {check["name"]: _plain(check["sqltext"]) for check in found.get_check_constraints(table.name)}
        wanted = {str(one.name) for one in table.constraints if type(one).__name__ == "CheckConstraint"}
        assert set(named) == wanted, table.name
    if migrated.dialect.name == "sqlite":
        _compare_texts(migrated)


def _compare_texts(migrated: Connection) -> None:
    found = inspect(migrated)
    for table in metadata.tables.values():
        named = {check["name"]: _plain(check["sqltext"]) for check in found.get_check_constraints(table.name)}
        for one in table.constraints:
            if type(one).__name__ == "CheckConstraint":
                assert named[str(one.name)] == _plain(str(one.sqltext)), one.name  # type: ignore[attr-defined]  # a check has a text


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().strip("()")


def test_sqlite_tables_are_strict(sqlite_house_url: str) -> None:
    """A text in a column of numbers is an error there too."""
    connection = connect(sqlite_house_url)
    rows = connection.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")
    strict = {name: flag for name, flag in rows if name in metadata.tables}
    connection.close()

    assert strict == dict.fromkeys(metadata.tables, 1)


def test_an_unknown_revision_is_refused(house_url: str) -> None:
    """A newer version wrote this database: nothing is guessed, and it says what to do."""
    connection = connect(house_url)
    connection.begin()
    connection.change("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()

    with pytest.raises(SchemaUnknown) as caught:
        Store(house_url, HouseOf(house_url).draw, b"\0" * 32)

    assert "9999" in caught.value.message
