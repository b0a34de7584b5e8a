"""What the tests of pages may ask for: a furnished house, and a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.entrypoints.scene import Scene
from tests.entrypoints.served import browser
from tests.migrated import migrated_file, sqlite_house_url
from tests.parts import part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

__all__ = ["migrated_file", "sqlite_house_url"]


@pytest.fixture
def scene(tmp_path: Path, sqlite_house_url: str) -> Iterator[Scene]:
    """A furnished house on the embedded engine."""
    built = Scene.open(tmp_path, sqlite_house_url).furnish()
    yield built
    built.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real Chromium, one for the tests of a file, each in a context of its own; without one they are skipped by name.

    It lends its thread's event loop to nobody, so it does not outlive its file.
    """
    with browser(part("chromium")) as started:
        yield started
