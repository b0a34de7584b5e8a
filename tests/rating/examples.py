"""Sessions and tariffs for the tests of rating, by hand and by Hypothesis."""

from __future__ import annotations

from datetime import date
from itertools import accumulate
from typing import Any

from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.kernel.identity import SessionId
from tallywatt.metering.metered import Activity, ActivityChange, MeteredSession, Reading
from tallywatt.rating.read import read_tariff
from tallywatt.rating.tariff import Tariff, to_data

LONDON = "Europe/London"
AN_INSTANT = parse_instant("2026-11-24T10:00:00Z")
HOUR = 3_600_000
MINUTE = 60_000


def a_tariff(*elements: dict[str, Any], currency: str = "EUR", tax_included: str = "YES", **more: Any) -> Tariff:
    """A tariff of elements."""
    data = {"id": "T1", "currency": currency, "tax_included": tax_included, "elements": list(elements)}
    return read_tariff(data | more)


def an_element(*components: tuple[Any, ...], **restrictions: Any) -> dict[str, Any]:
    """An element of (type, price, vat?, step?) components."""
    names = ("type", "price", "vat", "step_size")
    data: dict[str, Any] = {"price_components": [dict(zip(names, one, strict=False)) for one in components]}
    return data | ({"restrictions": restrictions} if restrictions else {})


def a_session(
    *readings: tuple[int, int], ended: int = HOUR, left: int | None = None, zone: str = LONDON
) -> MeteredSession:
    """A session from AN_INSTANT with readings of (milliseconds since its start, milliwatt-hours)."""
    return MeteredSession(
        session_id=SessionId("S1"),
        zone=zone,
        started_at=AN_INSTANT,
        transaction_ended_at=Instant(AN_INSTANT + ended),
        occupancy_ended_at=None if left is None else Instant(AN_INSTANT + left),
        readings=tuple(Reading(Instant(AN_INSTANT + at), energy) for at, energy in readings),
    )


# A year around the changes of 2026 to and from summer time.
_STARTS = st.integers(parse_instant("2026-01-01T00:00:00Z"), parse_instant("2026-12-31T00:00:00Z"))
ZONES = st.sampled_from(["Europe/London", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"])
_LENGTHS = st.one_of(st.integers(0, 6 * HOUR), st.integers(0, 80 * HOUR))


@st.composite
def sessions(draw: st.DrawFn) -> MeteredSession:
    """Any session: readings at any times, activities in any order, ends in any relation."""
    start = draw(_STARTS)
    length = draw(_LENGTHS)
    after = draw(st.one_of(st.none(), st.integers(0, 10 * HOUR)))
    times = sorted(draw(st.lists(st.integers(0, length), max_size=8)))
    energies = accumulate(draw(st.lists(st.integers(0, 20_000_000), min_size=len(times), max_size=len(times))))
    watts = draw(st.lists(st.one_of(st.none(), st.integers(0, 200_000)), min_size=len(times), max_size=len(times)))
    changes = draw(
        st.lists(st.tuples(st.integers(0, length + (after or 0)), st.sampled_from(list(Activity))), max_size=6)
    )
    energy_end = draw(st.one_of(st.none(), st.integers(0, length)))
    return MeteredSession(
        session_id=SessionId("S1"),
        zone=draw(ZONES),
        started_at=Instant(start),
        transaction_ended_at=Instant(start + length),
        energy_ended_at=None if energy_end is None else Instant(start + energy_end),
        occupancy_ended_at=None if after is None else Instant(start + length + after),
        readings=tuple(
            Reading(Instant(start + at), energy, power)
            for at, energy, power in zip(times, energies, watts, strict=True)
        ),
        activities=tuple(ActivityChange(Instant(start + at), what) for at, what in sorted(changes)),
        clock_is_usable=draw(st.booleans()),
    )


_PRICES = st.decimals(0, 100, places=4, allow_nan=False).map(str)
_RATES = st.sampled_from([None, "0", "5.5", "7", "19", "20"])
_CLOCK = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
_WEEK = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
_BOUNDS = {
    "start_time": _CLOCK,
    "end_time": _CLOCK,
    "day_of_week": st.lists(st.sampled_from(_WEEK), min_size=1, max_size=6, unique=True),
    "min_kwh": st.integers(0, 40),
    "max_kwh": st.decimals(0, 40, places=3).map(str),
    "min_duration": st.integers(0, 20_000),
    "max_duration": st.integers(0, 20_000),
    "min_power": st.integers(0, 150),
    "max_power": st.integers(0, 150),
    "start_date": st.dates(min_value=date.fromisoformat("2026-01-01"), max_value=date.fromisoformat("2026-12-31")).map(
        str
    ),
}
_RESTRICTIONS = st.fixed_dictionaries({}, optional=_BOUNDS)


def _components(steps: st.SearchStrategy[int]) -> st.SearchStrategy[list[dict[str, Any]]]:
    one = st.fixed_dictionaries(
        {
            "type": st.sampled_from(["ENERGY", "TIME", "PARKING_TIME", "FLAT"]),
            "price": _PRICES,
            "vat": _RATES,
            "step_size": steps,
        }
    )
    return st.lists(one, min_size=1, max_size=4, unique_by=lambda component: component["type"])


STEPS = st.sampled_from([0, 1, 60, 900])


def tariffs(steps: st.SearchStrategy[int] = STEPS) -> st.SearchStrategy[Tariff]:
    """Any tariff."""
    element = st.fixed_dictionaries({"price_components": _components(steps), "restrictions": _RESTRICTIONS})
    return st.fixed_dictionaries(
        {
            "id": st.just("T1"),
            "currency": st.sampled_from(["EUR", "JPY", "KWD"]),
            "tax_included": st.sampled_from(["YES", "NO"]),
            "elements": st.lists(element, min_size=1, max_size=4),
        }
    ).map(read_tariff)


_AMOUNTS = st.decimals(0, 50, places=2, allow_nan=False).map(str)
_LIMIT = st.fixed_dictionaries({}, optional={"before_taxes": _AMOUNTS, "after_taxes": _AMOUNTS}).filter(bool)


@st.composite
def limited_tariffs(draw: st.DrawFn) -> Tariff:
    """Any tariff with price limits, whether they fit its taxes or not."""
    tariff = draw(tariffs())
    least, most = draw(st.one_of(st.none(), _LIMIT)), draw(_LIMIT)
    if least is not None:
        for side in least.keys() & most.keys():
            least[side], most[side] = sorted((least[side], most[side]), key=float)
    return read_tariff(to_data(tariff) | {"min_price": least, "max_price": most})


_SOME = st.lists(st.sampled_from(["ENERGY", "TIME", "PARKING_TIME", "FLAT"]), max_size=2, unique=True)
_CAP = st.fixed_dictionaries(
    {"per": st.sampled_from(["session", "day"]), "after_taxes": _AMOUNTS, "dimensions": _SOME},
    optional={"before_taxes": _AMOUNTS},
)
_OFF = st.one_of(
    st.fixed_dictionaries({"percent": st.decimals("0.1", 100, places=1).map(str), "dimensions": _SOME}),
    st.fixed_dictionaries({"after_taxes": _AMOUNTS, "dimensions": _SOME}),
    st.fixed_dictionaries({"before_taxes": _AMOUNTS, "dimensions": _SOME, "end_date": st.just("2026-07-01")}),
)


@st.composite
def reduced_tariffs(draw: st.DrawFn, steps: st.SearchStrategy[int] = STEPS) -> Tariff:
    """Any tariff with caps and discounts, and perhaps with limits and tiers."""
    data = to_data(draw(st.one_of(tariffs(steps), limited_tariffs())))
    discounts = [one | {"id": f"D{place}"} for place, one in enumerate(draw(st.lists(_OFF, max_size=3)))]
    tiers = draw(st.lists(st.integers(1, 60), max_size=1))
    for element in data["elements"] if tiers else ():
        element.setdefault("restrictions", {})["max_month_kwh"] = tiers[0]
    return read_tariff(data | {"caps": draw(st.lists(_CAP, max_size=3)), "discounts": discounts})


def reserving(tariff: Tariff, *elements: dict[str, Any]) -> Tariff:
    """The tariff with elements in front of its own."""
    data = to_data(tariff)
    return read_tariff(data | {"elements": [*elements, *data["elements"]]})
