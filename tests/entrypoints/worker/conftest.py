"""What the tests of workers may ask for: a house that tells partners, on either engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.entrypoints.worker.post import Post
from tests.migrated import house_url, migrated_file, postgresql_house_url, spare_databases, sqlite_house_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["house_url", "migrated_file", "postgresql_house_url", "spare_databases", "sqlite_house_url"]


@pytest.fixture
def post(tmp_path: Path, house_url: str) -> Iterator[Post]:
    """A house that tells partners, on each engine."""
    built = Post(tmp_path, house_url)
    yield built
    built.close()
