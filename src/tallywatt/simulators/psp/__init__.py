"""A payment provider for tests and demonstrations: strict, Stripe-compatible, with books of its own in a file of its own."""

from __future__ import annotations

from tallywatt.simulators.psp.options import Options
from tallywatt.simulators.psp.server import run

__all__ = ["Options", "run"]
