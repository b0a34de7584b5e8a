"""An installation on each engine, furnished, with no server running yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.whole.processes import Installation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def installation(engine_url: str, tmp_path: Path) -> Iterator[Installation]:
    """On SQLite in its data directory, on PostgreSQL in a database."""
    url = None if engine_url.startswith("sqlite:") else engine_url
    built = Installation(tmp_path / "data", url)
    built.furnish()
    yield built
    built.kill()


@pytest.fixture
def split_installation(postgresql_url: str, tmp_path: Path) -> Iterator[Installation]:
    """On PostgreSQL, for several processes."""
    built = Installation(tmp_path / "data", postgresql_url)
    built.furnish()
    yield built
    built.kill()
