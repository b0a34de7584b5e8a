"""Pure: what the page of the design shows its components with. No real session, no real person."""

from __future__ import annotations

from typing import Any, Final

COLOURS: Final = (
    "paper", "raised", "sunken", "ink", "soft", "line", "strong-line", "edge", "accent", "accent-wash", "good", "good-wash",
    "warn", "warn-wash", "bad", "bad-wash", "busy", "busy-wash", "share-billed", "share-explained", "share-running",
)  # fmt: skip
STATES: Final = (
    ("active", "session"), ("ended", "session"), ("billed", "session"), ("held", "session"), ("declined", "payment"),
    ("voided", "payment"),
)  # fmt: skip
_ROWS: Final = tuple(
    {"at": f"2018-08-24T{at}:00Z", "place": place, "evse": evse, "wh": wh, "minor": minor, "state": state}
    for at, place, evse, wh, minor, state in (
        ("10:22", "Queen Street", "GB*TWA*ECP1*1", "12057.5", 640, "billed"),
        ("09:58", "Greenmarket", "GB*TWA*ECP3*2", "8420", 1111, "active"),
        ("09:01", "Queen Street", "GB*TWA*ECP2*1", "310", 52, "held"),
    )
)
_STEPS: Final = (
    {"label": "Plugged in", "at": "2018-08-24T09:01:00Z", "done": True},
    {"label": "Energy ended", "at": "2018-08-24T10:12:00Z", "done": True},
    {"label": "Vehicle left", "at": None, "done": False},
)
_PRICE: Final = {
    "currency": "GBP",
    "lines": [
        {"price": "0.35", "dimension": "ENERGY", "conditions": {}, "applies_now": True},
        {"price": "4.80", "dimension": "PARKING_TIME", "conditions": {}, "applies_now": True},
    ],
    "reservation": [
        {"price": "2", "dimension": "TIME", "conditions": {"reservation": "RESERVATION"}, "applies_now": True},
        {"price": "4", "dimension": "FLAT", "conditions": {"reservation": "RESERVATION_EXPIRES"}, "applies_now": True},
    ],
    "max_price": {"after_taxes": "48"},
}
_BAR: Final = (
    {"tone": "billed", "x": 0, "width": 640},
    {"tone": "explained", "x": 640, "width": 80},
    {"tone": "running", "x": 720, "width": 280},
)


def all_of_them() -> dict[str, Any]:
    """Rows, steps, prices and colours to show the components with."""
    return {
        "colours": COLOURS,
        "states": STATES,
        "rows": _ROWS,
        "steps": _STEPS,
        "price": _PRICE,
        "bar": _BAR,
        "curve": {
            "area": "M0 120 L150 90 300 70 450 30 600 8 L600 120 Z",
            "line": "M0 120 L150 90 300 70 450 30 600 8",
        },
        "problem": {"message": "the assignment would end before it begins", "remedy": "choose a later end, or none"},
    }
