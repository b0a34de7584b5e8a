"""Whether this process is well: what supervisors and load balancers ask, before any page is built and after."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tallywatt.wiring import House

BUSY_COMMANDS = 10_000
"""Half of what the writer's queue holds: another process should be asked while it is worked off."""


async def health_of(house: House) -> bytes:
    """Whether this process answers and can read its database, as JSON."""
    position = await house.ask(house.views.last_position)
    return msgspec.json.encode({"status": "ok", "version": version("tallywatt"), "position": position})


async def readiness_of(house: House, *, furnished: bool = True) -> tuple[int, bytes]:
    """Whether this process should be sent visitors and stations: 200, or 503 with what stands in the way."""
    in_the_way = [] if furnished else ["pages and API are still being built"]
    writer = house.store.writer
    if not writer.is_alive:
        in_the_way.append("the writer has ended")
    elif writer.waiting > BUSY_COMMANDS:
        in_the_way.append(f"{writer.waiting} commands wait for the writer")
    try:
        await house.ask(house.views.last_position)
    except Exception as error:  # noqa: BLE001  # whatever it is, the answer is that the database does not answer
        in_the_way.append(f"the database does not answer: {type(error).__name__}")
    told = {"status": "not ready" if in_the_way else "ready", "in_the_way": in_the_way}
    return 503 if in_the_way else 200, msgspec.json.encode(told)
