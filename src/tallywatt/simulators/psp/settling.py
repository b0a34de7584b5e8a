"""Pure: how the simulated provider settles at the moment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Settling:
    """How the provider settles at the moment: what the switch `/_settling` sets."""

    currency: str | None = None
    """Into which currency everything is exchanged; None: each stays what it is."""
    rate: str = "1"
    lose: int = 0
    """So many of the next charges appear in no list."""
    more_fee: int = 0
    """Minor units on top of each fee."""
