"""An installation on each engine, furnished, with no server running yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.migrated import postgresql_house_url, spare_databases
from tests.whole.processes import Installation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["postgresql_house_url", "spare_databases"]


@pytest.fixture(params=["sqlite_url", "postgresql_house_url"], ids=["sqlite", "postgresql"])
def engine_url(request: pytest.FixtureRequest) -> str:
    """A database of this test alone, once on each engine; on PostgreSQL with all tables, which take two seconds to make."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def installation(engine_url: str, tmp_path: Path) -> Iterator[Installation]:
    """On SQLite in its data directory, on PostgreSQL in a database."""
    url = None if engine_url.startswith("sqlite:") else engine_url
    built = Installation(tmp_path / "data", url)
    built.furnish()
    yield built
    built.kill()


@pytest.fixture
def split_installation(postgresql_house_url: str, tmp_path: Path) -> Iterator[Installation]:
    """On PostgreSQL, for several processes."""
    built = Installation(tmp_path / "data", postgresql_house_url)
    built.furnish()
    yield built
    built.kill()
