"""Whether this process is well: what supervisors and load balancers ask, before any page is built and after."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tallywatt.wiring import House


async def health_of(house: House) -> bytes:
    """Whether this process answers and can read its database, as JSON."""
    position = await house.ask(house.views.last_position)
    return msgspec.json.encode({"status": "ok", "version": version("tallywatt"), "position": position})
