"""A simulated provider in a process of its own, and the official SDK pointed at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.simulators.psp.running import RunningPsp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def psp(tmp_path: Path) -> Iterator[RunningPsp]:
    """A provider with an empty state file, stopped at the end."""
    with RunningPsp(tmp_path / "psp.jsonl") as running:
        yield running
