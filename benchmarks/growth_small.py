"""Growth up to a hundred thousand stored sessions: what `make bench` has time for. `growth` goes on to a million."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import growth

if TYPE_CHECKING:
    from benchmarks.figure import Figure


def measure() -> list[Figure]:
    """The first two sizes."""
    return growth.measure(growth.SIZES[:2])
