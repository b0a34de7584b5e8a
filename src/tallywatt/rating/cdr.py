"""Pure: a charge detail record of OCPI 2.1.1, 2.2.1 or 2.3.0 as plain data, and the one record that all three become."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tallywatt.kernel.money import Currency
from tallywatt.rating.fields import BadField, Version, currency_of, filled_list, instant, number, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallywatt.kernel.clock import Instant

MS_PER_HOUR: Final = 3_600_000
_KWH: Final = 6
_PRICED: Final = frozenset({"ENERGY", "TIME", "PARKING_TIME", "RESERVATION_TIME"})
_SIGNALS: Final = frozenset({"MIN_CURRENT", "MAX_CURRENT", "MIN_POWER", "MAX_POWER", "CURRENT", "POWER"})
_TOLD: Final = frozenset({"FLAT", "STATE_OF_CHARGE", "ENERGY_EXPORT", "ENERGY_IMPORT"})
"""Dimensions that OCPI knows and that no price of OCPI asks for."""
_READ: Final = frozenset({
    "id", "start_date_time", "end_date_time", "stop_date_time", "currency", "charging_periods", "tariffs", "total_cost",
    "credit", "credit_reference_id",
})  # fmt: skip
_CARRIED: Final = frozenset({
    "country_code", "party_id", "session_id", "cdr_token", "auth_id", "auth_method", "authorization_reference",
    "cdr_location", "location", "meter_id", "signed_data", "total_fixed_cost", "total_energy", "total_energy_cost",
    "total_time", "total_time_cost", "total_parking_time", "total_parking_cost", "total_reservation_cost", "remark",
    "invoice_reference_id", "home_charging_compensation", "last_updated",
})  # fmt: skip
"""Keys that decide no price: whose it is, where, by which token. They are kept as they came and written again."""
_MOST_PLACES: Final = 18


class RecordPeriod(NamedTuple):
    """A charging period of a record: what was used from its start on. None: the record does not tell."""

    start: Instant
    dimensions: tuple[tuple[str, Decimal], ...]
    """As they were given, for writing them again."""
    tariff_reference: str | None
    milliwatt_hours: int
    """What the vehicle took."""
    fed_back: int
    """What the vehicle gave, in milliwatt-hours."""
    charging: int | None
    """Milliseconds."""
    parking: int | None
    reserved: int | None
    least_watts: int | None
    most_watts: int | None
    least_milliamps: int | None
    most_milliamps: int | None


class StatedTotal(NamedTuple):
    """What the record says that it costs."""

    before_taxes: Decimal
    after_taxes: Decimal | None


@dataclass(frozen=True, slots=True)
class ChargeRecord:
    """A charge detail record, whatever version it came in."""

    reference: str
    version: Version
    started_at: Instant
    ended_at: Instant
    currency: Currency
    periods: tuple[RecordPeriod, ...]
    """In order of time."""
    tariffs: tuple[Mapping[str, Any], ...] = ()
    """OCPI's tariff objects, as they were when the session started."""
    is_credit: bool = False
    credit_reference: str | None = None
    stated: StatedTotal | None = None
    zone: str | None = None
    """Of the location, where the record carries it: 2.1.1 may, later versions have no field for it (ocpi #517)."""
    rest: Mapping[str, Any] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    doubts: tuple[tuple[str, str], ...] = ()
    """A code and a path each: what is strange about the record and was read all the same."""


def cdr_version_of(data: Mapping[str, Any]) -> Version:
    """The version of OCPI whose shape a record has."""
    if "stop_date_time" in data or "auth_id" in data or "location" in data or isinstance(data.get("total_cost"), int):
        return Version.OCPI_2_1_1
    tariffs = data.get("tariffs")
    total = data.get("total_cost")
    if isinstance(total, float | str | Decimal):
        return Version.OCPI_2_1_1
    says_tax = isinstance(total, dict) and "before_taxes" in total
    if says_tax or any(
        isinstance(one, dict) and "tax_included" in one for one in (tariffs if isinstance(tariffs, list) else ())
    ):
        return Version.OCPI_2_3_0
    return Version.OCPI_2_2_1


def read_cdr(data: Mapping[str, Any], version: Version | None = None) -> ChargeRecord:
    """The record of JSON-like data, or BadField naming the path. Unknown keys are listed in `unread`."""
    chosen = version or cdr_version_of(data)
    unread = [key for key in data if key not in _READ and key not in _CARRIED]
    doubts: list[tuple[str, str]] = []
    start = instant(data.get("start_date_time"), "start_date_time", kind="cdr")
    end_key = "stop_date_time" if data.get("stop_date_time") is not None else "end_date_time"
    end = instant(data.get(end_key), end_key, kind="cdr")
    if end < start:
        raise BadField(end_key, "cdr.ends_before_it_starts", "must not be before start_date_time")
    tariffs = data.get("tariffs")
    if tariffs is not None and not (isinstance(tariffs, list) and all(isinstance(one, dict) for one in tariffs)):
        raise BadField(path="tariffs", code="cdr.not_an_object", says="must be a list of tariff objects")
    credit = data.get("credit")
    if credit is not None and not isinstance(credit, bool):
        raise BadField(path="credit", code="cdr.not_known", says="must be true or false")
    reference = data.get("credit_reference_id")
    return ChargeRecord(
        reference=text(data, "id", kind="cdr"),
        version=chosen,
        started_at=start,
        ended_at=end,
        currency=currency_of(data, kind="cdr"),
        periods=_periods(data, start, end, unread, doubts),
        tariffs=tuple(tariffs or ()),
        is_credit=credit is True,
        credit_reference=reference if isinstance(reference, str) else None,
        stated=_stated(data.get("total_cost"), unread),
        zone=_zone(data),
        rest={key: data[key] for key in data if key in _CARRIED},
        unread=tuple(sorted(unread)),
        doubts=tuple(doubts),
    )


def _stated(given: Any, unread: list[str]) -> StatedTotal | None:
    path = "total_cost"
    if given is None:
        return None
    if not isinstance(given, dict):
        return StatedTotal(number(given, path, kind="cdr", places=_MOST_PLACES), None)
    unread += [f"{path}.{key}" for key in given if key not in {"excl_vat", "incl_vat", "before_taxes", "taxes"}]
    before = given.get("before_taxes", given.get("excl_vat"))
    if before is None:
        raise BadField(path, "cdr.missing", "must have before_taxes or excl_vat")
    net = number(before, path, kind="cdr", places=_MOST_PLACES)
    if given.get("incl_vat") is not None:
        return StatedTotal(net, number(given["incl_vat"], f"{path}.incl_vat", kind="cdr", places=_MOST_PLACES))
    taxes = given.get("taxes")
    if not isinstance(taxes, list):
        return StatedTotal(net, None)
    amounts = [
        number(
            one.get("amount") if isinstance(one, dict) else None,
            f"{path}.taxes[{place}].amount",
            kind="cdr",
            places=_MOST_PLACES,
        )
        for place, one in enumerate(taxes)
    ]
    return StatedTotal(net, net + sum(amounts, Decimal(0)))


def _zone(data: Mapping[str, Any]) -> str | None:
    for key in ("location", "cdr_location"):
        place = data.get(key)
        if isinstance(place, dict) and isinstance(place.get("time_zone"), str):
            return str(place["time_zone"])
    return None


def _periods(
    data: Mapping[str, Any], start: int, end: int, unread: list[str], doubts: list[tuple[str, str]]
) -> tuple[RecordPeriod, ...]:
    given = filled_list(data, "charging_periods", "charging_periods", kind="cdr")
    starts: list[tuple[Instant, int]] = []
    for place, one in enumerate(given):
        path = f"charging_periods[{place}]"
        if not isinstance(one, dict):
            raise BadField(path, "cdr.not_an_object", "must be an object with start_date_time and dimensions")
        unread += [f"{path}.{key}" for key in one if key not in {"start_date_time", "dimensions", "tariff_id"}]
        starts.append((instant(one.get("start_date_time"), f"{path}.start_date_time", kind="cdr"), place))
        if not start <= starts[-1][0] <= end:
            doubts.append(("cdr.period_outside_the_session", path))
    ordered = sorted(starts)
    if ordered != starts:
        doubts.append(("cdr.periods_not_in_order", "charging_periods"))
    untils = [at for at, _ in ordered[1:]] + [max(end, ordered[-1][0])]
    return tuple(
        _period(given[place], f"charging_periods[{place}]", at, until - at, unread)
        for (at, place), until in zip(ordered, untils, strict=True)
    )


def _period(one: Mapping[str, Any], path: str, start: Instant, length: int, unread: list[str]) -> RecordPeriod:
    volumes: dict[str, Decimal] = {}
    for place, dimension in enumerate(filled_list(one, "dimensions", f"{path}.dimensions", kind="cdr")):
        where = f"{path}.dimensions[{place}]"
        if not isinstance(dimension, dict):
            raise BadField(where, "cdr.not_an_object", "must be an object with type and volume")
        unread += [f"{where}.{key}" for key in dimension if key not in {"type", "volume"}]
        kind = dimension.get("type")
        if not isinstance(kind, str) or kind not in _PRICED | _SIGNALS | _TOLD:
            raise BadField(path=f"{where}.type", code="cdr.not_known", says="is no dimension of OCPI")
        if kind in volumes:
            raise BadField(where, "cdr.twice", f"{kind} is told twice in one period")
        volumes[kind] = number(dimension.get("volume"), f"{where}.volume", kind="cdr", places=_MOST_PLACES)
        if kind != "ENERGY" and volumes[kind] < 0 and kind in _PRICED:
            raise BadField(path=f"{where}.volume", code="cdr.out_of_range", says="must not be below zero")
    reference = one.get("tariff_id")
    energy = _whole(volumes.get("ENERGY", Decimal(0)).scaleb(_KWH))
    times = {kind: volumes[kind] for kind in ("TIME", "PARKING_TIME", "RESERVATION_TIME") if kind in volumes}
    alone = {kind for kind, volume in times.items() if len(times) == 1 or volume}
    charging, parking, reserved = (
        _milliseconds(times[kind], length if alone == {kind} else None) if kind in times else None
        for kind in ("TIME", "PARKING_TIME", "RESERVATION_TIME")
    )
    return RecordPeriod(
        start=start,
        dimensions=tuple(volumes.items()),
        tariff_reference=reference.strip() if isinstance(reference, str) and reference.strip() else None,
        milliwatt_hours=max(energy, 0),
        fed_back=max(-energy, 0),
        charging=charging,
        parking=parking,
        reserved=reserved,
        least_watts=_signal(volumes, "MIN_POWER", "MAX_POWER", "POWER"),
        most_watts=_signal(volumes, "MAX_POWER", "MIN_POWER", "POWER"),
        least_milliamps=_signal(volumes, "MIN_CURRENT", "MAX_CURRENT", "CURRENT"),
        most_milliamps=_signal(volumes, "MAX_CURRENT", "MIN_CURRENT", "CURRENT"),
    )


def _signal(volumes: Mapping[str, Decimal], *kinds: str) -> int | None:
    """Thousandths of the first that is told: a record that tells the most alone is taken to mean all of the period."""
    found = [volumes[kind] for kind in kinds if kind in volumes]
    return _whole(found[0].scaleb(3)) if found else None


def _whole(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_HALF_EVEN))


def _milliseconds(hours: Decimal, length: int | None) -> int:
    """Hours as milliseconds. OCPI's four decimals cannot say twenty minutes: 0.3333 h in a period of 20 min is 20 min.

    So where a volume with three or more decimals differs from the length of its period by less than its last decimal
    can say, it is that length. Without this, a block of a minute would make 0.3334 h (20 min 0.24 s) into 21 min.
    """
    milliseconds = _whole(hours * MS_PER_HOUR)
    exponent = hours.as_tuple().exponent
    places = min(4, -exponent) if isinstance(exponent, int) else 0
    if length is not None and places >= 3 and abs(milliseconds - length) < MS_PER_HOUR // 10**places:
        return length
    return milliseconds
