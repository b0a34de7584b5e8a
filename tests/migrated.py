"""Databases that have all tables already: migrated once a run on each engine, and copied for each test."""

from __future__ import annotations

import shutil
from itertools import count
from typing import TYPE_CHECKING

import psycopg
import pytest

from tallywatt.adapters.storage.migrations import upgrade
from tests.postgresql import create_database, fresh_database

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
def migrated_template(postgresql_server_url: str) -> Iterator[str]:
    """The name of a PostgreSQL database with all tables, to be copied by the server."""
    name = f"migrated_{next(_numbers)}"
    with fresh_database(postgresql_server_url, name) as url:
        upgrade(url)
        yield name


@pytest.fixture
def sqlite_house_url(migrated_file: Path, tmp_path: Path) -> str:
    """An SQLite database of this test alone, with all tables and nothing in them."""
    return copy_of(migrated_file, tmp_path)


@pytest.fixture
def postgresql_house_url(postgresql_server_url: str, migrated_template: str) -> Iterator[str]:
    """The same on PostgreSQL."""
    name = f"house_{next(_numbers)}"
    with psycopg.connect(f"{postgresql_server_url}postgres", autocommit=True) as connection:
        create_database(connection, name, migrated_template)
    try:
        yield f"{postgresql_server_url}{name}"
    finally:
        with psycopg.connect(f"{postgresql_server_url}postgres", autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgresql"])
def house_url(request: pytest.FixtureRequest) -> str:
    """A database of this test alone with all tables and nothing in them, once on each engine."""
    url: str = request.getfixturevalue(f"{request.param}_house_url")
    return url
