"""Pure: the energy of a session as a line to draw, made here so that the page needs no script."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from tallywatt.kernel import clock

WIDTH: Final = 600
HEIGHT: Final = 120
MOST_POINTS: Final = 300


def _registers(row: dict[str, Any]) -> list[tuple[int, Decimal]]:
    """When the meter showed what, in the order of time."""
    told = [
        (row["started_at"], row["meter_start_wh"]),
        *((one["occurred_at"], one["register_wh"]) for one in row["readings"]),
        (row["transaction_ended_at"], row["meter_stop_wh"]),
    ]
    return sorted(
        (clock.parse_instant(at), Decimal(register)) for at, register in told if at is not None and register is not None
    )


def power(row: dict[str, Any]) -> dict[str, Any] | None:
    """The power of a session as steps between its registers, with the highest; None where it cannot be told.

    It is what the meter's registers say, so that the area under it is the energy that is billed.
    """
    points = _registers(row)
    steps = [
        (start, end, (high - low) * 3_600_000 / (end - start))
        for (start, low), (end, high) in pairwise(points)
        if end > start and high >= low
    ]
    steps = steps[:: max(1, len(steps) // MOST_POINTS)]
    most = max((watts for *_, watts in steps), default=Decimal(0))
    if len(steps) < 2 or most == 0:
        return None
    first, last = steps[0][0], steps[-1][1]
    line = ""
    for start, end, watts in steps:
        y = round(HEIGHT - 4 - float(watts / most) * (HEIGHT - 8), 1)
        x, until = (round((at - first) / (last - first) * WIDTH, 1) for at in (start, end))
        line += f"{' L' if line else 'M'}{x} {y} L{until} {y}"
    return {"line": line, "area": f"{line} L{WIDTH} {HEIGHT} L0 {HEIGHT} Z", "most_watts": int(most)}


def curve(row: dict[str, Any]) -> dict[str, str] | None:
    """The line of a session and the area under it as SVG paths; None with fewer than two registers that differ in time."""
    points = _registers(row)
    if not points:
        return None
    start, end = points[0][0], points[-1][0]
    if len(points) < 2 or end <= start:
        return None
    low, high = min(value for _, value in points), max(value for _, value in points)
    thinned = points[:: max(1, len(points) // MOST_POINTS)]
    if thinned[-1] != points[-1]:
        thinned.append(points[-1])
    spread = high - low or Decimal(1)
    placed = [
        (
            round((at - start) / (end - start) * WIDTH, 1),
            round(HEIGHT - 4 - float((value - low) / spread) * (HEIGHT - 8), 1),
        )
        for at, value in thinned
    ]
    line = " ".join(f"{'M' if place == 0 else 'L'}{x} {y}" for place, (x, y) in enumerate(placed))
    return {"line": line, "area": f"{line} L{placed[-1][0]} {HEIGHT} L{placed[0][0]} {HEIGHT} Z"}
