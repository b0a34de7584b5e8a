"""Pure: what typical sessions cost, as stacked bars: drawn here, so that neither page nor file needs a script.

A chart of eight bars is forty lines of SVG. The charting library that reports will use weighs thirty megabytes and two
seconds of a build; a command line that answers at once cannot wait for it.
"""

from __future__ import annotations

from html import escape
from typing import Any, Final

from tallywatt.entrypoints.pages.figures import money
from tallywatt.entrypoints.pages.language import _, language, later
from tallywatt.rating.explain import figure

WIDTH: Final = 380
"""As wide as a phone, so that words are as large there as they are meant."""
FIGURE: Final = 76
"""Left free behind the longest bar, for its sum."""
ROW: Final = 42
BAR: Final = 14
LEGEND: Final = 26

SESSIONS: Final = {
    "short_stop": later("Short stop"),
    "evening": later("Evening at the kerb"),
    "overnight": later("Overnight"),
    "workday": later("While at work"),
    "fast": later("Fast charge"),
    "fast_and_stays": later("Fast charge, stays an hour"),
    "long_trip": later("Long trip"),
    "broken_off": later("Given up at once"),
    "own": later("As asked for"),
}
PARTS: Final = {
    "energy": later("Energy"),
    "time": later("Charging time"),
    "idle": later("Idle time"),
    "fee": later("Session fee"),
    "other": later("Other"),
}
"""Kinds of lines, in the order in which they are stacked."""
_KIND: Final = {"energy": "energy", "charging_time": "time", "idle_time": "idle", "session_fee": "fee"}
COLOURS: Final = {"energy": "#0d6b5e", "time": "#2457a6", "idle": "#b3690f", "fee": "#7a7f87", "other": "#a8271f"}
"""For a file; a page has its own, light and dark."""


def drawn(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Bars and legend of simulated sessions (`typical.simulated_data`): places and lengths in units of the drawing."""
    most = max((_length(row) for row in rows), default=0) or 1
    scale = (WIDTH - FIGURE) / most
    used = {_KIND.get(part["reason"], "other") for row in rows for part in row["parts"] if part["gross_minor"]}
    bars = []
    for number, row in enumerate(rows):
        y, x, pieces = number * ROW, 0.0, []
        for kind in PARTS:
            width = max(0, _part(row, kind)) * scale
            if width:
                pieces.append({"kind": kind, "x": round(x, 1), "width": round(width, 1)})
                x += width
        bars.append(
            {
                "y": y,
                "title": _(SESSIONS[row["session"]]),
                "about": about(row),
                "pieces": pieces,
                "end": round(x, 1),
                "total": money(row["gross_minor"], row["currency"]),
            }
        )
    return {
        "width": WIDTH,
        "height": len(rows) * ROW,
        "bars": bars,
        "legend": [{"kind": kind, "title": _(PARTS[kind])} for kind in PARTS if kind in used],
    }


def about(row: dict[str, Any]) -> str:
    """What a session is like, in a few figures: 20 kWh, 120 + 30 min, 18:00."""
    minutes = f"{row['charging_minutes']} + {row['idle_minutes']}" if row["idle_minutes"] else row["charging_minutes"]
    return f"{figure(row['kwh'], language())} kWh, {minutes} min, {row['begins']}"


def _part(row: dict[str, Any], kind: str) -> int:
    return sum(part["gross_minor"] for part in row["parts"] if _KIND.get(part["reason"], "other") == kind)


def _length(row: dict[str, Any]) -> int:
    return sum(max(0, _part(row, kind)) for kind in PARTS)


def svg(rows: list[dict[str, Any]], title: str) -> str:
    """The chart as a file of its own."""
    chart = drawn(rows)
    width, height = chart["width"], chart["height"] + LEGEND
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="Inter, Helvetica, Arial, sans-serif">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    x = 0
    for one in chart["legend"]:
        lines.append(f'<rect x="{x}" y="6" width="10" height="10" rx="2" fill="{COLOURS[one["kind"]]}"/>')
        lines.append(f'<text x="{x + 15}" y="15" font-size="11" fill="#4a4f57">{escape(one["title"])}</text>')
        x += 30 + 7 * len(one["title"])
    for bar in chart["bars"]:
        y = bar["y"] + LEGEND
        lines.append(f'<text x="0" y="{y + 12}" font-size="12" fill="#15181c">{escape(bar["title"])}</text>')
        lines.append(
            f'<text x="{width}" y="{y + 12}" font-size="10.5" text-anchor="end" fill="#6a7079">{escape(bar["about"])}</text>'
        )
        lines += [
            f'<rect x="{one["x"]}" y="{y + 18}" width="{one["width"]}" height="{BAR}" fill="{COLOURS[one["kind"]]}"/>'
            for one in bar["pieces"]
        ]
        lines.append(
            f'<text x="{bar["end"] + 8}" y="{y + 29}" font-size="12" font-weight="600" fill="#15181c">'
            f"{escape(bar['total'])}</text>"
        )
    return "\n".join([*lines, "</svg>", ""])
