"""Pure: how much of a session somebody wants, and what its station knows of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallywatt.kernel.clock import Instant

MOST_MINOR: Final = 10**9
MOST_MILLIWATT_HOURS: Final = 10**9
MOST_SECONDS: Final = 7 * 24 * 3600
_MOST: Final = {
    "gross_minor": MOST_MINOR, "milliwatt_hours": MOST_MILLIWATT_HOURS, "seconds": MOST_SECONDS, "percent": 100,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """The most of a session: what is reached first ends it. None: no such limit."""

    gross_minor: int | None = None
    """In the currency of its price, after taxes."""
    milliwatt_hours: int | None = None
    seconds: int | None = None
    """Since its start."""
    percent: int | None = None
    """Charge of the vehicle's battery; only stations know it, and only those of OCPP 2.1 take it."""

    @property
    def is_none(self) -> bool:
        """Whether nothing is limited."""
        return self == Limits()

    def data(self) -> dict[str, int]:
        """Those that there are."""
        return {name: value for name in _MOST if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True)
class WantedLimit:
    """A limit that somebody has chosen, of a payment (before its session begins) or of a session."""

    subject_id: str
    limits: dict[str, Any]
    chosen_at: Instant
    """Machine time."""
    confirmed: dict[str, Any] | None = None
    """What the station has said that it keeps: OCPP 2.1."""
    told: dict[str, Any] | None = None
    """What was lifted, and the station may still keep; empty once it has forgotten it. None: nothing was lifted."""
    version: int = 1


def read_limits(told: Mapping[str, Any]) -> Limits:
    """Limits as they are stored or typed; BadInput for what cannot be one."""
    for name, value in told.items():
        most = _MOST.get(name)
        if most is None or (value is not None and (type(value) is not int or not 0 < value <= most)):
            msg = f"{name}: {value!r} is not a limit of a session"
            remedy = f"say one or more of {', '.join(_MOST)}, each a whole number above zero"
            raise BadInput(msg, code="sessions.bad_limit", remedy=remedy)
    return Limits(**{name: value for name, value in told.items() if value is not None})
