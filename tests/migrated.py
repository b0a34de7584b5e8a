"""Databases that have all tables already: migrated once a run on each engine, and copied for each test."""

from __future__ import annotations

import shutil
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tallywatt.adapters.storage.migrations import upgrade
from tests.postgresql import fresh_database
from tests.spares import Spares

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_numbers = count(1)


def copy_of(migrated: Path, folder: Path) -> str:
    """The URL of a copy of a migrated SQLite file."""
    path = folder / "house.db"
    shutil.copy(migrated, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "tallywatt.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def spare_databases(postgresql_server_url: str) -> Iterator[Spares]:
    """PostgreSQL databases with all tables. They go from test to test: copying one costs fifty times as much as emptying it."""
    name = f"migrated_{next(_numbers)}"
    with fresh_database(postgresql_server_url, name) as url:
        upgrade(url)
        spares = Spares(postgresql_server_url, name)
        yield spares
        spares.close()


@pytest.fixture
def sqlite_house_url(migrated_file: Path, tmp_path: Path) -> str:
    """An SQLite database of this test alone, with all tables and nothing in them."""
    return copy_of(migrated_file, tmp_path)


@pytest.fixture
def postgresql_house_url(spare_databases: Spares) -> Iterator[str]:
    """The same on PostgreSQL."""
    name = spare_databases.take()
    try:
        yield spare_databases.url(name)
    finally:
        spare_databases.give_back(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def house_url(request: pytest.FixtureRequest) -> str:
    """A database of this test alone with all tables and nothing in them, once on each engine."""
    url: str = request.getfixturevalue(f"{request.param}_house_url")
    return url
