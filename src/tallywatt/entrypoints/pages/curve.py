"""Pure: the energy of a session as a line to draw, made here so that the page needs no script."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from tallywatt.kernel import clock

WIDTH: Final = 600
HEIGHT: Final = 120
MOST_POINTS: Final = 300


def curve(row: dict[str, Any]) -> dict[str, str] | None:
    """The line of a session and the area under it as SVG paths; None with fewer than two registers that differ in time."""
    told = [
        (row["started_at"], row["meter_start_wh"]),
        *((one["occurred_at"], one["register_wh"]) for one in row["readings"]),
        (row["transaction_ended_at"], row["meter_stop_wh"]),
    ]
    points = sorted(
        (clock.parse_instant(at), Decimal(register)) for at, register in told if at is not None and register is not None
    )
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
