"""`tallywatt demo`."""

from __future__ import annotations

from tallywatt.entrypoints.cli.words import examples

EXAMPLES = examples("tallywatt demo", "tallywatt demo --exit")


def demo() -> None:
    """Play a day."""
    raise NotImplementedError
