"""An operator says what stations may do while they have no connection, and is told what money that risks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.errors import BadInput
from tallywatt.kernel.identity import (
    StationId,  # commands travel over the control socket, and their types are read there
)
from tallywatt.rating.read import read_tariff_text
from tallywatt.rating.records import Dimension, Scope, TaxBasis
from tallywatt.stations.offline import MOST_WH, OfflineRule, Starts, words_of
from tallywatt.workflows.check_station import JUDGE_STATION, sets_values
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.rating.records import TariffAssignment
    from tallywatt.rating.tariff import Tariff
    from tallywatt.stations.station import Station
    from tallywatt.workflows.ports import UnitOfWork

HUNDRED: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class SetOffline:
    """What one station, or (None) each of which nothing else is said, may do offline. None: as it was, or as usual."""

    station_id: StationId | None
    starts: Starts | None = None
    refused_wh: int | None = None


@dataclass(frozen=True, slots=True)
class OfflineAnswer:
    """The rule, what it means in words, and whether it is written to stations by us."""

    rule: OfflineRule
    words: tuple[str, ...]
    is_set: bool


def set_offline(work: UnitOfWork, command: SetOffline) -> OfflineAnswer:
    """Keep it. Where values may be written by us, stations are set to it with their next check; else it is listed as off."""
    if command.refused_wh is not None and not 0 <= command.refused_wh <= MOST_WH:
        msg = f"0 to {MOST_WH} Wh may flow for a card that is refused"
        raise BadInput(msg, code="stations.bad_offline", remedy="0 stops it at once")
    station = None if command.station_id is None else work.stations.get(command.station_id)
    scope = "" if station is None else str(station.station_id)
    known = work.offline_rules.find(scope)
    was = known or OfflineRule(scope, Starts.KNOWN, 0, work.machine_now)
    starts = was.starts if command.starts is None else command.starts
    refused_wh = was.refused_wh if command.refused_wh is None else command.refused_wh
    row = replace(was, starts=starts, refused_wh=refused_wh, changed_at=work.machine_now)
    if known is None:
        work.offline_rules.add(row)
    else:
        row = work.offline_rules.put(row)
    before = None if known is None else {"starts": known.starts.value, "refused_wh": known.refused_wh}
    after = {"starts": row.starts.value, "refused_wh": row.refused_wh}
    record_action(work, "station.set_offline", "station", scope or "all", before=before, after=after)
    if station is not None:
        work.jobs.add(Job(JUDGE_STATION, station.station_id))
    is_set = sets_values(work, station.station_id if station is not None else StationId(""))
    return OfflineAnswer(row, _words(work, row, station), is_set)


def _words(work: UnitOfWork, rule: OfflineRule, station: Station | None) -> tuple[str, ...]:
    evses = work.evses.by() if station is None else work.evses.by(station_id=station.station_id)
    places = {"", *(one.evse_id for one in evses)}
    if station is not None:
        places |= {station.station_id, station.location_id or ""}
    now = work.now
    holding = [one for one in work.tariff_assignments.by() if _holds(one, now, places, everywhere=station is None)]
    versions = {one.tariff_version_id for one in holding}
    tariffs = [read_tariff_text(work.tariff_versions.get(one).canonical) for one in sorted(versions)]
    price = max((_dearest(one) for one in tariffs), default=Decimal(0))
    watts = max((one.max_watts for one in evses if one.max_watts is not None), default=None)
    return words_of(rule, price, watts, work.operators.get().currency)


def _holds(one: TariffAssignment, now: int, places: set[str], *, everywhere: bool) -> bool:
    is_now = one.valid_from <= now and (one.valid_until is None or now < one.valid_until)
    return is_now and (everywhere or one.scope is Scope.OPERATOR or one.scope_id in places)


def _dearest(tariff: Tariff) -> Decimal:
    """The most that a kilowatt-hour costs by it, with tax."""
    found = Decimal(0)
    for element in tariff.elements:
        for one in element.components:
            if one.dimension is Dimension.ENERGY:
                is_net = tariff.tax_basis is TaxBasis.NET and one.tax_rate is not None
                rate = one.tax_rate if is_net and one.tax_rate is not None else Decimal(0)
                found = max(found, one.price * (HUNDRED + rate) / HUNDRED)
    return found
