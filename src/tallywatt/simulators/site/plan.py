"""Pure: what the site does with a sample: who speaks which protocol, what each meter shows and when, what goes wrong.

Everything follows from the sample and a seed, so that a second play tells the same facts.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from tallywatt.kernel.clock import Instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tallywatt.simulators.site.sample import Row, Sample

SAMPLE_EVERY = 600_000
MOST_SAMPLES = 6
IDLE_WORTH_TELLING = 600_000
ZONE = "Europe/London"


class Protocol(StrEnum):
    """The WebSocket subprotocol that a station speaks."""

    V16 = "ocpp1.6"
    V201 = "ocpp2.0.1"


class Incident(StrEnum):
    """Something that goes wrong once, on purpose, in a row that is labelled with it."""

    LOST_STOP = "lost_stop"
    RESEND_AFTER_CRASH = "resend_after_crash"
    DECLINED_CARD = "declined_card"
    NEVER_PLUGGED = "never_plugged"
    METER_RESET = "meter_reset"


class Fault(StrEnum):
    """A weakness of networks and stations that may hit any row."""

    RECONNECT = "reconnect"
    RESEND = "resend"
    STOP_BEFORE_START = "stop_before_start"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Faults:
    """Which faults happen, to which share of the rows, drawn by which seed."""

    kinds: frozenset[Fault] = frozenset()
    share: float = 0.1
    seed: str = "0"

    def hitting(self, row: Row, *, known_driver: bool, station_is_safe: bool) -> frozenset[Fault]:
        """The faults that this row suffers. A driver who pays waits at a station that can be reached."""
        drawn = {kind for kind in self.kinds if chance(self.seed, kind, row.id) < self.share}
        if not known_driver:
            drawn -= {Fault.STOP_BEFORE_START, Fault.OFFLINE}
        if not station_is_safe:
            drawn -= {Fault.OFFLINE}
        return frozenset(drawn)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the meter of a connector shows at an instant, and what the vehicle says beside it."""

    at: Instant
    register: int
    watts: int | None = None
    charge_percent: int | None = None


@dataclass(frozen=True, slots=True)
class Play:
    """One row as it will be played: the readings that the station takes, from plug-in to unplug."""

    row: Row
    protocol: Protocol
    transaction: str
    begin: Reading
    samples: tuple[Reading, ...]
    end: Reading
    milliwatt_hours: int
    suspended_at: Instant | None
    incident: Incident | None
    faults: frozenset[Fault]
    stopped_remotely: bool = False


def chance(*parts: object) -> float:
    """A number from 0 up to 1 that depends on the parts alone."""
    return int.from_bytes(_digest(*parts)[:6], "big") / (1 << 48)


def _digest(*parts: object) -> bytes:
    return hashlib.blake2b("\x1f".join(str(part) for part in parts).encode(), digest_size=20).digest()


def protocol_of(station: str) -> Protocol:
    """About half of the stations speak each."""
    return Protocol.V201 if _digest("protocol", station)[0] % 2 else Protocol.V16


def tag_of(driver: str) -> str:
    """A driver's card: seven bytes in hexadecimal, as such cards have."""
    return "04" + _digest("card", driver)[:6].hex().upper()


def evse_code(station: str, connector: int) -> str:
    """The EVSE id that stands on the station; a driver types it or scans it."""
    return f"GB*DCC*E{station}*{connector}"


def station_key(secret: str, station: str) -> str:
    """The password of a station: other stations and other runs have other ones."""
    return "site-" + _digest("key", secret, station).hex()[:30]


def wish_key(secret: str, row: Row, attempt: int) -> str:
    """By what a platform can tell that a driver's wish to pay is the same wish again."""
    return _digest("wish", secret, row.id, attempt).hex()


def transaction_of(row: Row) -> str:
    """The transaction id that a 2.0.1 station gives: the same for the same row, for ever."""
    text = _digest("transaction", row.station, row.connector, row.id).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"


def first_register(station: str, connector: int) -> int:
    """What the meter of a connector showed on the morning of the day, in mWh; 1.6 can tell whole Wh alone."""
    draw = int.from_bytes(_digest("register", station, connector)[:6], "big")
    watt_hours = 200_000 + draw % 40_000_000
    return watt_hours * 1000 + (draw % 1000 if protocol_of(station) is Protocol.V201 else 0)


# What the readings of a row are.


def plan_row(row: Row, register: int, incident: Incident | None, faults: frozenset[Fault]) -> Play:
    """The readings of a row on a meter that shows `register` when the driver plugs in."""
    reset_after = len(sample_times(row)) // 2 - 1 if incident is Incident.METER_RESET else None
    lost = register + _energy_at(row, sample_times(row)[reset_after]) if reset_after is not None else 0
    samples = tuple(
        _reading(row, at, register - (lost if reset_after is not None and index > reset_after else 0))
        for index, at in enumerate(sample_times(row))
    )
    end = Reading(row.ended_at, register - lost + row.milliwatt_hours)
    done_at = Instant(row.started_at + -(-row.milliwatt_hours * 3600 // _watts(row)))
    return Play(
        row=row,
        protocol=protocol_of(row.station),
        transaction=transaction_of(row),
        begin=Reading(row.started_at, register),
        samples=samples,
        end=end,
        milliwatt_hours=row.milliwatt_hours,
        suspended_at=done_at if row.ended_at - done_at >= IDLE_WORTH_TELLING else None,
        incident=incident,
        faults=faults,
    )


def cut(play: Play, at: Instant) -> Play:
    """The same play, stopped from afar at an instant between its start and its end."""
    energy = _energy_at(play.row, at)
    samples = tuple(sample for sample in play.samples if sample.at <= at)
    before = samples[-1] if samples else play.begin
    end = Reading(at, before.register + energy - _energy_at(play.row, before.at))
    suspended_at = play.suspended_at if play.suspended_at is not None and play.suspended_at < at else None
    return replace(
        play, samples=samples, end=end, milliwatt_hours=energy, suspended_at=suspended_at, stopped_remotely=True
    )


def sample_times(row: Row) -> tuple[Instant, ...]:
    """Every ten minutes, and six times at most: longer sessions report less often."""
    lasted = row.ended_at - row.started_at
    count = min(MOST_SAMPLES, (lasted - 1) // SAMPLE_EVERY)
    every = max(SAMPLE_EVERY, lasted // (MOST_SAMPLES + 1) // 1000 * 1000)
    return tuple(Instant(row.started_at + every * (index + 1)) for index in range(count))


def _watts(row: Row) -> int:
    """The power at which the vehicle charges until it is full: most of what the outlet has, never below the mean."""
    mean = -(-row.milliwatt_hours * 3600 // (row.ended_at - row.started_at))
    return max(mean, row.max_kw * 800)


def _energy_at(row: Row, at: Instant) -> int:
    """What has flowed by then. A 1.6 station tells start and stop in whole Wh, so its meter counts nothing finer."""
    energy = min(row.milliwatt_hours, _watts(row) * (at - row.started_at) // 3600)
    return energy // 1000 * 1000 if protocol_of(row.station) is Protocol.V16 else energy


def _reading(row: Row, at: Instant, offset: int) -> Reading:
    energy = _energy_at(row, at)
    watts = None
    if chance("power", row.id) < 0.5:
        watts = _watts(row) if energy < row.milliwatt_hours else 0
    percent = None
    if row.current == "dc" and chance("battery", row.id) < 0.5:
        percent = min(99, 10 + int(chance("empty", row.id) * 30) + energy // 600_000)
    return Reading(at, offset + energy, watts, percent)


# Which rows the incidents happen to.


def choose_incidents(sample: Sample) -> dict[Incident, str]:
    """One row for each incident, the first that is fit for it, each on a connector and with a driver of its own."""
    trips: dict[str, int] = defaultdict(int)
    for row in sample.rows:
        if row.driver is not None:
            trips[row.driver] += 1
    followed = _followed(sample.rows)

    def once(row: Row) -> bool:
        return row.driver is not None and trips[row.driver] == 1 and row.milliwatt_hours >= 3_000_000

    def over_16(row: Row, samples: int) -> bool:
        return protocol_of(row.station) is Protocol.V16 and len(sample_times(row)) >= samples

    fitness: dict[Incident, Callable[[Row], bool]] = {
        Incident.LOST_STOP: lambda row: once(row) and over_16(row, 2) and row.id in followed,
        Incident.METER_RESET: lambda row: once(row) and over_16(row, 3) and row.id in followed,
        Incident.DECLINED_CARD: once,
        Incident.RESEND_AFTER_CRASH: lambda row: once(row) and over_16(row, 1),
        Incident.NEVER_PLUGGED: lambda row: row.driver is None,
    }
    return _assign(_daytime_first(sample.rows), fitness)


def _assign(rows: list[Row], fitness: Mapping[Incident, Callable[[Row], bool]]) -> dict[Incident, str]:
    chosen: dict[Incident, str] = {}
    taken: set[str] = set()
    for incident, fits in fitness.items():
        row = next((row for row in rows if fits(row) and row.station not in taken), None)
        if row is not None:
            chosen[incident] = row.id
            taken.add(row.station)
    return chosen


def _daytime_first(rows: Iterable[Row]) -> list[Row]:
    """From eight in the morning on, while somebody is watching; the night comes last."""
    ordered = list(rows)
    if not ordered:
        return []
    dawn = ordered[0].started_at + 8 * 3_600_000
    return sorted(ordered, key=lambda row: (row.started_at < dawn, row.started_at))


def _followed(rows: Iterable[Row]) -> set[str]:
    """The rows after which another session began on the same connector."""
    last: dict[tuple[str, int], str] = {}
    found = set()
    for row in rows:
        before = last.get((row.station, row.connector))
        if before is not None:
            found.add(before)
        last[row.station, row.connector] = row.id
    return found


# What the platform must know before the play.


@dataclass(frozen=True, slots=True)
class PlannedEvse:
    """A connector that can charge on its own."""

    number: int
    code: str
    current: str
    max_kw: int


@dataclass(frozen=True, slots=True)
class PlannedStation:
    """A station: the id under which it connects, its key, what it speaks."""

    id: str
    key: str
    protocol: str
    model: str
    site: str
    evses: tuple[PlannedEvse, ...]


@dataclass(frozen=True, slots=True)
class PlannedSite:
    """A place with stations."""

    name: str
    city: str
    country: str
    zone: str


@dataclass(frozen=True, slots=True)
class PlannedDriver:
    """A customer with one card. `card_declines`: let the stored payment method be one that is declined."""

    id: str
    token: str
    card_declines: bool


@dataclass(frozen=True, slots=True)
class Provisioning:
    """Everything that has to exist on the platform so that the play can be billed."""

    sites: tuple[PlannedSite, ...]
    stations: tuple[PlannedStation, ...]
    drivers: tuple[PlannedDriver, ...]


def provisioning(sample: Sample, secret: str, incidents: Mapping[Incident, str]) -> Provisioning:
    """What the platform must have: sites, stations with keys and EVSEs, drivers with tokens."""
    rows = {row.id: row for row in sample.rows}
    declined = incidents.get(Incident.DECLINED_CARD)
    declining = rows[declined].driver if declined in rows else None
    return Provisioning(
        sites=tuple(PlannedSite(name, "Dundee", "GB", ZONE) for name in sorted({row.site for row in sample.rows})),
        stations=tuple(_station(sample, station, secret) for station in sorted({row.station for row in sample.rows})),
        drivers=tuple(PlannedDriver(driver, tag_of(driver), driver == declining) for driver in sample.drivers),
    )


def _station(sample: Sample, station: str, secret: str) -> PlannedStation:
    rows = [row for row in sample.rows if row.station == station]
    by_connector = {row.connector: row for row in rows}
    evses = tuple(
        PlannedEvse(number, evse_code(station, number), row.current, row.max_kw)
        for number, row in sorted(by_connector.items())
    )
    return PlannedStation(
        station, station_key(secret, station), protocol_of(station).value, rows[0].model, rows[0].site, evses
    )
