"""What the tests of the HTTP door may ask for: a furnished house behind its app."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.entrypoints.scene import Scene
from tests.migrated import migrated_file, sqlite_house_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["migrated_file", "sqlite_house_url"]


@pytest.fixture
def scene(tmp_path: Path, sqlite_house_url: str) -> Iterator[Scene]:
    """A furnished house on the embedded engine."""
    built = Scene.open(tmp_path, sqlite_house_url).furnish()
    yield built
    built.close()
