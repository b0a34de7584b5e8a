"""What a station keeps for whom, by its own list, and how it answers when it is asked to: not always as it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.clock import parse_instant
from tests.simulation.world import MINUTE, SECOND

if TYPE_CHECKING:
    from tests.simulation.station import Charge, Plug, Station

ANSWERS = ("Accepted", "Accepted", "Accepted", "Accepted", "Occupied", "Faulted", "error", "late", "silent", "nothing")
"""To ReserveNow. `late` and `silent` keep it and say so too late, or never; `nothing` hears nothing of it."""
CANCEL_ANSWERS = ("Accepted", "Accepted", "Accepted", "error", "late", "silent", "nothing")
LATE = (20 * SECOND, 50 * SECOND, 3 * MINUTE)
CREDIBLE = 35 * SECOND
"""How much less than agreed may have been kept of what is billed as kept."""


@dataclass
class Kept:
    """A place that a station keeps, by its own list."""

    number: int
    evse: int | None
    token: str
    from_at: int
    until: int
    """By the world's clock: a station whose clock is wrong ends it too early, or too late."""
    promised_until: int
    end: str = ""
    """What became of it; empty while it is kept."""
    used_at: int | None = None
    charge: Charge | None = None

    @property
    def was_used_in_time(self) -> bool:
        """Whether its driver came while it was agreed, and the house was told so.

        A station with a late clock keeps a place for longer than anybody asked; another one gives up telling of a start.
        """
        in_time = self.used_at is not None and self.used_at < self.promised_until
        return in_time and self.charge is not None and self.charge.start_acknowledged

    @property
    def was_kept_in_full(self) -> bool:
        """Whether it was there for as long as was agreed."""
        return self.end == "expired" and self.until >= self.promised_until

    def was_cut_short(self, told_at: int | None) -> bool:
        """Whether the house heard so early of its end that nobody may be charged for not having come."""
        return self.end == "expired" and told_at is not None and told_at < self.promised_until - CREDIBLE


class Reservations:
    """What one station keeps, and how it answers."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self.world = station.world
        self.kept: list[Kept] = []
        """All that it ever kept."""
        self.manners: dict[int | None, dict[str, Any]] = {}
        """How it will answer about an EVSE, as the last step about it says."""
        self.names_them = True
        self.told: dict[int, int] = {}
        """Numbers of those of whose end the house is known to have heard, and since when."""

    def now(self, evse: int) -> Kept | None:
        """What is kept at an EVSE now."""
        open_ones = [one for one in self.kept if not one.end]
        exact = [one for one in open_ones if one.evse == evse]
        return next(iter(exact or [one for one in open_ones if one.evse is None]), None)

    def lets_begin(self, plug: Plug, token: str) -> tuple[bool, Kept | None]:
        """Whether it lets this card begin at an EVSE, and what that card uses up."""
        held = self.now(plug.number)
        if held is None:
            return True, None
        if held.token.casefold() == token.casefold():
            held.end, held.used_at = "used", self.world.now
            return True, held
        return self.may_begin(plug, token), None

    def may_begin(self, plug: Plug, token: str) -> bool:
        """Whether a start from afar is taken."""
        held = self.now(plug.number)
        is_own = held is not None and held.token.casefold() == token.casefold()
        return held is None or held.evse is None or is_own or not self.manners.get(held.evse, {}).get("strict", True)

    def answer(self, action: str, told: dict[str, Any]) -> tuple[str, int] | None:
        """What it says to a command, and after how long; None: it never says anything. `error` is no answer at all."""
        if action == "ReserveNow":
            evse = told.get("connectorId", told.get("evseId")) or None
            manner = self.manners.get(evse, {})
            says = str(manner.get("answer", "Accepted"))
            if says in {"Accepted", "late", "silent"}:
                if self._is_taken(evse):
                    return "Occupied", 0
                self._keep(evse, told)
        else:
            number = told["reservationId"]
            held = next((one for one in self.kept if one.number == number), None)
            manner = self.manners.get(held.evse if held is not None else None, {})
            says = str(manner.get("cancel", "Accepted"))
            if says in {"Accepted", "late", "silent"}:
                if held is None or held.end:
                    return "Rejected", 0
                held.end = "cancelled"
        if says in {"silent", "nothing"}:
            return None
        return ("Accepted", LATE[manner.get("late", 0)]) if says == "late" else (says, 0)

    def _is_taken(self, evse: int | None) -> bool:
        plugs = self._station.plugs
        open_ones = [one for one in self.kept if not one.end]
        if evse is None:
            return len(open_ones) >= len(plugs)
        return plugs[evse - 1].visit is not None or any(one.evse == evse for one in open_ones)

    def _keep(self, evse: int | None, told: dict[str, Any]) -> None:
        expiry = parse_instant(told.get("expiryDate") or told["expiryDateTime"])
        number = told["reservationId"] if "reservationId" in told else told["id"]
        token = told["idTag"] if "idTag" in told else told["idToken"]["idToken"]
        until = max(self.world.now, expiry - self._station.offset)
        held = Kept(number, evse, token, self.world.now, until, expiry)
        self.kept.append(held)
        self.world.at(until, lambda: self._expire(held))

    def _expire(self, held: Kept) -> None:
        if held.end or self._station.is_off:
            # One that was off finds out when it is on again.
            return
        held.end = "expired"
        self._station.tells_of_reservation(held.number, "Expired")

    def after_power(self, *, forgets: bool) -> None:
        """The power is back: it knows what it kept, or has forgotten it."""
        for held in self.kept:
            if held.end:
                continue
            if forgets:
                held.end = "lost"
            elif held.until <= self.world.now:
                self._expire(held)
