"""Drivers who reserve: they come, do not, give it up, or find somebody else there; and what stations make of it.

A station keeps its own list of what it keeps for whom. In the end what the house thinks and bills is compared with that list
and with what the drivers were told, not with the house's own words.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.identity import EvseId, StationId
from tallywatt.workflows.reserve import CancelReservation, Reserve, cancel_reservation, reserve
from tests.simulation.furnish import FEES, OPERATOR
from tests.simulation.people import Visit
from tests.simulation.world import MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.stations.reservation import Reservation
    from tests.simulation.house import LivingHouse
    from tests.simulation.keeping import Kept
    from tests.simulation.plan import Step
    from tests.simulation.run import Simulation
    from tests.simulation.station import Charge, Station

DRIVERS = ("comes", "comes", "comes", "nobody", "nobody", "another", "cancels", "cancels_twice", "cancels_at_once")
"""What becomes of a reservation: its driver comes, nobody does, somebody else does, or it is given up."""


class Reserver:
    """A driver who reserves an EVSE, and what comes of it."""

    def __init__(self, run: Simulation, step: Step) -> None:
        self._run = run
        self._told = step.told
        self._station, self._plug = run.place(step)
        self._token: str = step.told["payer"]
        self._row: Reservation | None = None
        run.reservers.append(self)
        self.given_up_at: int | None = None
        """When the house said that it had taken the wish to give it up."""

    @property
    def reservation_id(self) -> str | None:
        """The row that it made, if the house has said so."""
        return self._row.reservation_id if self._row is not None else None

    def begin(self) -> None:
        """Ask for it."""
        told, numbers = self._told, self._station.reservations
        evse = None if told["any"] else self._plug.number
        numbers.manners[evse] = told
        numbers.names_them = told["names_it"]
        identity = self._station.identity
        evse_id = None if evse is None else EvseId(self._run.evse_ids[identity, evse])

        def ask(house: LivingHouse) -> None:
            station_id = StationId(self._run.station_ids[identity])
            wanted = Reserve(station_id, told["minutes"], evse_id, token_uid=self._token)
            self._row = house.write_now(OPERATOR, reserve, wanted, actor="driver")

        self._run.ask_house(ask)
        after = self._run.world.after
        driver = told["driver"]
        if driver in {"comes", "another"}:
            token = self._token if driver == "comes" else told["other"]
            after(told["minutes"] * MINUTE * told["percent"] // 100, lambda: self._come(token))
        if driver == "cancels_at_once":
            after(told["haste"], self._give_up)
        for _ in range({"cancels": 1, "cancels_twice": 2}.get(driver, 0)):
            after(told["minutes"] * MINUTE * told["percent"] // 100 + self._run.luck.randrange(SECOND), self._give_up)

    def _come(self, token: str) -> None:
        if self._plug.visit is None and not self._station.is_off:
            visit = Visit(self._told["watts"], self._told["charges"], 0, 20)
            self._station.plug_in(self._plug, visit)
            self._run.world.after(3 * SECOND, lambda: self._show(visit, token))

    def _show(self, visit: Visit, token: str) -> None:
        station, plug = self._station, self._plug
        if plug.visit is visit and plug.charge is None and not station.is_off:
            station.begin(plug, token)
            if plug.charge is None:
                station.never_started(plug, visit)

    def _give_up(self) -> None:
        def ask(house: LivingHouse) -> None:
            if self._row is None:
                return
            wanted = CancelReservation(self._row.reservation_id)
            house.write_now(OPERATOR, cancel_reservation, wanted, actor="driver")
            self.given_up_at = self.given_up_at or self._run.world.now

        self._run.ask_house(ask)


# --- what must be true of them in the end ---

ROWS = (
    "SELECT r.reservation_id, t.identity, r.number, r.state, r.is_watched, r.reserved_at, r.expires_at, r.ended_at,"
    " r.kept_from, r.session_id, r.evse_id FROM reservations r JOIN stations t ON t.station_id = r.station_id"
)
FEES_BILLED = (
    "SELECT s.session_id, t.identity, s.reservation_id, s.source, s.token_uid, s.state,"
    " (SELECT coalesce(sum(l.gross_minor), 0) FROM rated_results x JOIN rated_lines l ON l.rated_id = x.rated_id"
    "  WHERE x.session_id = s.session_id AND x.credits IS NULL AND l.dimension = 'FLAT'"
    "  AND NOT EXISTS (SELECT 1 FROM rated_results y WHERE y.supersedes = x.rated_id AND y.credits IS NULL))"
    " FROM sessions s JOIN stations t ON t.station_id = s.station_id"
)
FIELDS = (
    "id", "identity", "number", "state", "is_watched", "reserved_at", "expires_at", "ended_at", "kept_from", "session_id",
    "evse_id",
)  # fmt: skip


def reservations_are_told_truly(run: Simulation) -> Iterator[str]:
    """Each has ended, was used by one session at most, and what was used is what the station says was used."""
    rows = [dict(zip(FIELDS, row, strict=True)) for row in run.rows(ROWS)]
    for row in rows:
        name = f"reservation {row['identity']}/{row['number']}"
        if row["state"] in {"requested", "active"} or row["is_watched"] or row["ended_at"] is None:
            yield f"{name} is {row['state']} in the end, watched: {row['is_watched']}"
    kept = {(station.identity, one.number): one for station in run.stations for one in station.reservations.kept}
    known = {(row["identity"], row["number"]): row for row in rows}
    for place in kept:
        if place not in known:
            yield f"{place} is kept by a station, and the house knows nothing of it"
    sessions = {
        (identity, transaction): session_id
        for identity, transaction, session_id in run.rows(
            "SELECT t.identity, s.transaction_id, s.session_id FROM sessions s JOIN stations t"
            " ON t.station_id = s.station_id WHERE s.transaction_id IS NOT NULL"
        )
    }
    for station in run.stations:
        for charge in station.charges:
            yield from _named_is_used(station, charge, sessions, known)


def _named_is_used(station: Station, charge: Charge, sessions: dict[Any, str], known: dict[Any, Any]) -> Iterator[str]:
    """A start that names a reservation and was taken in has used it, unless it was billed as one to which nobody came."""
    if charge.names is None or not charge.start_acknowledged:
        return
    row = known.get((station.identity, charge.names))
    session_id = sessions.get((station.identity, charge.transaction_id or ""))
    if row is None or (row["session_id"] != session_id and row["state"] != "expired"):
        yield f"{charge.name} has used reservation {charge.names}, and that is {row and row['state']}"


def reservations_are_billed_once(run: Simulation) -> Iterator[str]:
    """A fee where the tariff says so, for what a station really kept, and never twice; who gave it up in time pays nothing."""
    rows = {row[0]: dict(zip(FIELDS, row, strict=True)) for row in run.rows(ROWS)}
    kept = {(station.identity, one.number): one for station in run.stations for one in station.reservations.kept}
    given_up = {one.reservation_id: one.given_up_at for one in run.reservers if one.given_up_at is not None}
    told = {station.identity: station.reservations.told for station in run.stations}
    billed: Counter[str] = Counter()
    for session_id, identity, reservation_id, source, _, state, fee in run.rows(FEES_BILLED):
        used, nobody = FEES.get(identity, (0, 0))
        row = rows.get(reservation_id or "")
        name = f"session {session_id} of {identity}"
        if row is None:
            if fee:
                yield f"{name} used no reservation, and pays {fee} for one"
            continue
        billed[reservation_id] += 1
        place = kept.get((identity, row["number"]))
        if source == "api":
            yield from _nobody_came(name, row, place, told[identity].get(row["number"]), given_up.get(reservation_id))
            if fee != nobody:
                yield f"{name}: nobody came, {nobody} is the price, and {fee} is billed"
        elif fee != (used if row["kept_from"] is not None and state != "explained" else 0):  # written off as a whole
            yield f"{name} pays {fee} for a reservation, and {used} is its price ({row})"
    for reservation_id, row in rows.items():
        place = kept.get((row["identity"], row["number"]))
        if billed[reservation_id] > 1 or (row["session_id"] is not None) != (billed[reservation_id] == 1):
            yield f"{row['identity']}/{row['number']} has {billed[reservation_id]} sessions, it names {row['session_id']}"
        is_due = row["state"] == "expired" and row["identity"] in FEES and _was_known_to_begin(row)
        if is_due and place is not None and place.was_kept_in_full and not billed[reservation_id]:
            yield f"nobody came to {row['identity']}/{row['number']}, it was kept in full, and nothing is billed"


def _was_known_to_begin(row: dict[str, Any]) -> bool:
    """Whether the house heard the yes before the end: otherwise it does not know for how long the place was kept."""
    return row["reserved_at"] is not None and row["reserved_at"] < min(row["expires_at"], row["ended_at"])


def _nobody_came(
    name: str, row: dict[str, Any], place: Kept | None, told_at: int | None, given_up_at: int | None
) -> Iterator[str]:
    if place is None:
        yield f"{name} is the bill of a reservation that no station has kept"
    elif place.was_used_in_time:
        yield f"{name} is the bill of nobody, and its driver came"
    elif place.was_cut_short(told_at):
        yield f"{name} is the bill of a place that was kept {place.promised_until - place.until} ms less than agreed"
    if given_up_at is not None and given_up_at < row["expires_at"]:
        yield f"{name} is the bill of a reservation that was given up in time"
    if row["identity"] not in FEES:
        yield f"{name} is a bill for a reservation, and no tariff has a price for it"
