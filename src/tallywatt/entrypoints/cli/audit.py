"""`tallywatt audit`: everything recomputed, and a list of what does not add up."""

from __future__ import annotations

from tallywatt.entrypoints.cli.words import examples

EXAMPLES = examples("tallywatt audit", "tallywatt audit --json")


def audit() -> None:
    """Recompute energy and money, and say what does not add up."""
    raise NotImplementedError
