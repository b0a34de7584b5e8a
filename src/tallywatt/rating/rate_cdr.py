"""Pure: what a charge detail record costs under the tariffs that it names: the partner's check of a bill.

The periods of a record are taken as they are: nothing is interpolated, a period has the price that holds at its start,
and what does not fit together is told beside the price.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from tallywatt.kernel.clock import Instant, rfc3339
from tallywatt.kernel.identity import SessionId
from tallywatt.rating.fields import BadField, Version
from tallywatt.rating.period import Assumed, ChargingPeriod, Use
from tallywatt.rating.plan import Plan, joined_plan, pick, plan_of
from tallywatt.rating.policy import STANDARD, Policy, StepSize, UnknownSignal
from tallywatt.rating.rate import Doubt, RatedSession, Used, plain_energy_runs, price_used
from tallywatt.rating.segment import local_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tallywatt.rating.cdr import ChargeRecord
    from tallywatt.rating.plan import Priced
    from tallywatt.rating.tariff import Tariff

NO_TARIFF: Final = -1
_STEP_BY_VERSION: Final = {
    Version.OCPI_2_1_1: StepSize.BY_DIMENSION,
    Version.OCPI_2_2_1: StepSize.ON,
    Version.OCPI_2_3_0: StepSize.ON,
}


class Note(NamedTuple):
    """What is doubtful about a record or its tariffs, and where; the price stands."""

    code: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class RatedRecord:
    """A record with its exact price; the lines' components say of which of the tariffs they are."""

    record: ChargeRecord
    tariffs: tuple[Tariff, ...]
    rated: RatedSession
    notes: tuple[Note, ...]

    def tariff_of(self, priced: Priced) -> Tariff:
        """The tariff of a component."""
        return self.tariffs[priced.tariff]


def step_size_of(version: Version) -> StepSize:
    """How that version of OCPI bills blocks."""
    return _STEP_BY_VERSION[version]


def rate_record(
    record: ChargeRecord,
    tariffs: Sequence[Tariff],
    policy: Policy = STANDARD,
    *,
    zone: str | None = None,
    reservation_expired: bool = False,
) -> RatedRecord:
    """Price a record: in each of its periods the tariff that it names, by the facts at its start."""
    notes: list[Note] = [Note(code, path) for code, path in record.doubts]
    named, places = _tariffs_of(record, tariffs, notes)
    plan = plan_of(named[0]) if set(places) == {0} else joined_plan(named)
    asks_the_clock = plan.cuts.wall_clock or plan.reservation_cuts.wall_clock
    if asks_the_clock and zone is None:
        raise BadField(
            path="time_zone",
            code="cdr.time_zone_missing",
            says="must be given: a tariff asks for the local time, which a record alone does not tell",
        )
    there = zone if asks_the_clock and zone is not None else "UTC"
    reserved, periods = _charging_periods(record, places, there)
    _check(plan, periods, there, policy, notes)
    if (plan.time or plan.parking) and periods and all(one.use is Use.NOTHING for one in periods):
        notes.append(Note("cdr.no_time_told", "charging_periods"))
    if reserved and not periods and not reservation_expired:
        notes.append(Note("cdr.reservation_end_not_told"))
    used = Used(
        periods, reserved, expired=reservation_expired, has_fed_back=any(one.fed_back for one in record.periods)
    )
    warnings: list[Doubt] = []
    energy = plain_energy_runs(plan, periods, policy)
    denominator, lines = price_used(used, plan, policy, energy, warnings, named[0])
    rated = RatedSession(
        SessionId(record.reference),
        named[0].version_id,
        policy.version_id,
        named[0].currency,
        named[0].tax_basis,
        denominator,
        lines,
        (*reserved, *periods),
        sum(one.milliwatt_hours for one in record.periods),
        sum(run.measured for run in energy),
        tuple(warnings),
    )
    return RatedRecord(record, named, rated, tuple(notes))


# Which tariff


def _tariffs_of(
    record: ChargeRecord, tariffs: Sequence[Tariff], notes: list[Note]
) -> tuple[tuple[Tariff, ...], list[int]]:
    """The tariffs that are used, and of each period which of them; below zero: none is relevant."""
    if not tariffs:
        raise BadField(path="tariffs", code="cdr.no_tariff", says="must be given, in the record or beside it")
    named = [one.tariff_reference for one in record.periods]
    if not any(named):
        found: list[Tariff | None] = [_one_of(tariffs, record, notes)] * len(named)
    else:
        found = [_by_reference(name, place, tariffs, record, notes) for place, name in enumerate(named)]
    used: list[Tariff] = []
    for one in found:
        if one is not None and one not in used:
            used.append(one)
    first = used[0]
    for one in used:
        if one.currency != record.currency:
            raise BadField(path="currency", code="cdr.currency_differs", says=f"is not the tariff's {one.currency}")
        if one.tax_basis is not first.tax_basis:
            says = "must all have prices with tax, or all without"
            raise BadField(path="tariffs", code="cdr.tax_bases_differ", says=says)
    return tuple(used), [NO_TARIFF if one is None else used.index(one) for one in found]


def _by_reference(
    name: str | None, place: int, tariffs: Sequence[Tariff], record: ChargeRecord, notes: list[Note]
) -> Tariff | None:
    path = f"charging_periods[{place}].tariff_id"
    if name is None:
        # Where a record names tariffs at all, a period without one has none (OCPI, ChargingPeriod class).
        notes.append(Note("cdr.period_without_tariff", path))
        return None
    same = [one for one in tariffs if one.reference.casefold() == name.casefold()]
    if same:
        return _one_of(same, record, notes)
    if len(tariffs) > 1:
        raise BadField(path=path, code="cdr.tariff_not_found", says=f"names {name!r}, which is not among the tariffs")
    notes.append(Note("cdr.tariff_not_found", path))
    return tariffs[0]


def _one_of(tariffs: Sequence[Tariff], record: ChargeRecord, notes: list[Note]) -> Tariff:
    """The first that is valid when the session starts: a session keeps the tariff of its start (ocpi #326, #165)."""
    valid = [one for one in tariffs if one.is_valid_at(record.started_at)]
    if not valid and Note("tariff.not_valid_at_start") not in notes:
        notes.append(Note("tariff.not_valid_at_start"))
    candidates = valid or list(tariffs)
    regular = [one for one in candidates if one.about.get("type") in (None, "REGULAR")]
    return (regular or candidates)[0]


# Periods


def _charging_periods(
    record: ChargeRecord, places: list[int], zone: str
) -> tuple[list[ChargingPeriod], list[ChargingPeriod]]:
    """The reservation's periods and those of the session; a period of a record may be charging and then parking.

    A record begins with its reservation; durations of the session count from the first period after that.
    """
    first = record.periods[0].start
    plugged = next((one.start for one in record.periods if one.reserved is None), first)
    began = record.started_at if record.periods[0].reserved is None else plugged
    reserved: list[ChargingPeriod] = []
    periods: list[ChargingPeriod] = []
    energy = 0
    for one, place in zip(record.periods, places, strict=True):
        start = one.start
        day, time_of_day = local_time(zone, start)
        before, energy = energy, energy + one.milliwatt_hours
        whole = ChargingPeriod(
            start=start,
            end=start,
            energy_from=before,
            energy_to=energy,
            use=Use.NOTHING,
            assumed=Assumed.NOTHING,
            time_of_day=time_of_day,
            day=day,
            elapsed=max(0, start - began),
            watts=one.least_watts,
            milliamps=one.least_milliamps,
            most_watts=one.most_watts,
            most_milliamps=one.most_milliamps,
            fed_back=one.fed_back,
            tariff=place,
            month_from=before,
        )
        if one.reserved is not None:
            kept = whole._replace(end=start + one.reserved, use=Use.RESERVED, energy_to=before, fed_back=0)
            reserved.append(kept._replace(elapsed=start - first))
        if one.charging or (one.parking is None and one.reserved is None):
            use = Use.NOTHING if one.charging is None else Use.CHARGING
            periods.append(whole._replace(end=start + (one.charging or 0), use=use))
            whole = whole._replace(start=start + (one.charging or 0), energy_from=energy, fed_back=0)
        if one.parking is not None or whole.energy_to > whole.energy_from or whole.fed_back:
            use = Use.NOTHING if one.parking is None else Use.PARKING
            periods.append(whole._replace(end=whole.start + (one.parking or 0), use=use))
    return reserved, periods


def _check(plan: Plan, periods: list[ChargingPeriod], zone: str, policy: Policy, notes: list[Note]) -> None:
    """Find periods in which the price changes: a new period should have begun there (OCPI, CDR object)."""
    cuts = plan.cuts
    if not (cuts.wall_clock or cuts.energy or cuts.elapsed or cuts.month):
        return
    unknown_matches = policy.unknown_signal is UnknownSignal.MATCHES
    for period in periods:
        last = max(period.start, period.end - 1)
        day, time_of_day = local_time(zone, last)
        ending = period._replace(
            day=day,
            time_of_day=time_of_day,
            elapsed=period.elapsed + last - period.start,
            energy_from=max(period.energy_from, period.energy_to - 1),
            month_from=max(period.energy_from, period.energy_to - 1),
        )
        asked = [plan.energy] if period.energy_to > period.energy_from else []
        if period.end > period.start:
            asked.append(plan.parking if period.use is Use.PARKING else plan.time)
        if any(pick(one, period, unknown_matches) is not pick(one, ending, unknown_matches) for one in asked):
            notes.append(Note("cdr.period_outlasts_its_price", rfc3339(Instant(period.start))))


def costs(rated: RatedRecord) -> dict[str, list[int]]:
    """The places of the lines that make each of OCPI's part totals.

    A flat price counts to what it is for: a reservation's, and that of an element which prices parking alone, to
    reservation and parking; all others are fixed costs. What a price limit adds or takes off is in the whole alone.
    """
    parts: dict[str, list[int]] = {name: [] for name in ("fixed", "energy", "time", "parking", "reservation")}
    for place, line in enumerate(rated.rated.lines):
        part = _PARTS.get(line.reason, "fixed")
        if part == "fixed" and line.priced.of_parking:
            part = "parking"
        if part in parts:
            parts[part].append(place)
    return parts


_PARTS: Final = {
    "energy": "energy",
    "energy_fed_back": "energy",
    "charging_time": "time",
    "idle_time": "parking",
    "reservation_time": "reservation",
    "reservation_fee": "reservation",
    "expired_reservation_time": "reservation",
    "expired_reservation_fee": "reservation",
    "minimum_price": "limit",
    "cap": "limit",
    "discount": "limit",
    "coupon": "limit",
    "maximum_price": "limit",
}
