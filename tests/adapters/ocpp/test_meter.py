"""From sampled values to samples."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.adapters.ocpp import v16, v201
from tallywatt.adapters.ocpp.meter import first_register, last_register, samples_at
from tallywatt.kernel.clock import Instant
from tallywatt.metering.facts import Sample

AT = Instant(1_000)


def old(value: str | None, **more: Any) -> v16.SampledValue:
    return v16.SampledValue(value, **more)


def new(value: str, unit: str | None = None, multiplier: int | None = None, **more: Any) -> v201.SampledValue:
    measure = v201.UnitOfMeasure(unit, multiplier)
    return v201.SampledValue(Decimal(value), unit_of_measure=measure, **more)


def read(*values: Any) -> tuple[list[Sample], list[str]]:
    flags: list[str] = []
    return samples_at(AT, values, flags), flags


def test_a_figure_without_unit_is_watt_hours() -> None:
    """The specification's default; some stations rely on it."""
    assert read(old("1234.5")) == ([Sample(AT, 1_234_500, None, "Sample.Periodic")], [])


@pytest.mark.parametrize(
    ("value", "register"),
    [
        (old("1.25", unit="kWh"), 1_250_000),
        (old("1.25", unit="KWH"), 1_250_000),
        (new("1.25", "kWh"), 1_250_000),
        (new("1.25", None, 3), 1_250_000),
        (new("12500000", "Wh", -4), 1_250_000),
        (old("-5"), -5_000),
        (old("007"), 7_000),
        (old("999999999"), 999_999_999_000),
        (old("99999999999"), 99_999_999_999_000),
        (old("0"), 0),
    ],
)
def test_units_and_multipliers_end_in_milliwatt_hours(value: Any, register: int) -> None:
    """One session may use several: what is stored has one unit."""
    assert read(value)[0][0].register == register


def test_absent_is_not_zero() -> None:
    """A batch without energy must not empty the register (citrineos-core PR 868)."""
    samples, flags = read(old("230.1", measurand="Voltage"), old("11", unit="kW", measurand="Power.Active.Import"))
    assert samples == [Sample(AT, None, 11_000, "Sample.Periodic")]
    assert flags == []


def test_a_phase_is_never_taken_for_the_total_nor_added_to_it() -> None:
    """Stations report both (EVerest 1835): added up, the driver pays twice."""
    phases = [old("100", phase=phase) for phase in ("L1", "L2", "L3")]
    assert read(*phases, old("300"))[0] == [Sample(AT, 300_000, None, "Sample.Periodic")]
    assert read(*phases) == ([], ["register_by_phase_only"])


def test_the_context_tells_the_first_register_from_the_present_one() -> None:
    """Both came in one list of the same moment (lbbrhzn/ocpp 1838): the position says nothing."""
    samples, _ = read(old("100", context="Transaction.Begin"), old("900", context="Sample.Periodic"))
    assert {one.context: one.register for one in samples} == {"Transaction.Begin": 100_000, "Sample.Periodic": 900_000}
    assert first_register(tuple(reversed(samples))) == 100_000
    assert last_register(tuple(reversed(samples))) == 900_000


def test_what_says_it_is_the_end_is_the_end() -> None:
    """A clock-aligned value may come after it in the list."""
    samples, _ = read(old("500", context="Sample.Clock"), old("490", context="Transaction.End"))
    assert last_register(tuple(samples)) == 490_000
    assert first_register((Sample(AT, 7, None, "Transaction.End"),)) is None


def test_an_interval_is_no_register() -> None:
    """Its figures start from nothing each time."""
    assert (
        read(old("50", measurand="Energy.Active.Import.Interval"), old("1", measurand="Energy.Active.Export.Register"))[
            0
        ]
        == []
    )


def test_signed_data_is_kept_in_the_frame_and_not_read_as_a_figure() -> None:
    """It is a document in a text; the plain figure beside it counts."""
    assert read(old('{"OCMF": 1}', format="SignedData"), old("7"))[0][0].register == 7_000


def test_a_meter_before_the_charger_speaks_only_where_no_other_does() -> None:
    """It counts the charger's losses too."""
    assert read(old("110", location="Inlet"), old("100", location="Outlet"))[0][0].register == 100_000
    assert read(old("110", location="Inlet")) == (
        [Sample(AT, 110_000, None, "Sample.Periodic")],
        ["register_not_at_outlet"],
    )
    assert read(old("110", location="EV"))[0] == []


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        (old("100", unit="BTU"), "unknown_unit"),
        (old("100", unit="W"), "unknown_unit"),
        (old("abc"), "unreadable_value"),
        (old(""), "unreadable_value"),
        (old("NaN"), "unreadable_value"),
        (old("1e30"), "unreadable_value"),
        (old("1e999999999"), "unreadable_value"),
        (new("1e11", "kWh", 12), "unreadable_value"),
        (old("abc", measurand="Power.Active.Import"), "unreadable_value"),
        (old("Infinity", measurand="Power.Active.Import"), "unreadable_value"),
        (old("1e300", measurand="Power.Active.Import"), "unreadable_value"),
        (old("5", measurand="Power.Active.Import", unit="Wh"), "unknown_unit"),
        (old(None), "schema"),
    ],
)
def test_a_figure_that_cannot_be_meant_is_absent_and_flagged(value: Any, flag: str) -> None:
    """The rest of the message still counts."""
    assert read(value) == ([], [flag])


@given(st.decimals(min_value=0, max_value=10**8, places=3, allow_nan=False))
def test_no_digit_is_lost_on_the_way(kilowatt_hours: Decimal) -> None:
    """A float would lose the last one of a large register."""
    by_kwh = read(old(str(kilowatt_hours), unit="kWh"))[0][0].register
    by_multiplier = read(new(str(kilowatt_hours), "Wh", 3))[0][0].register
    assert by_kwh == by_multiplier == int(kilowatt_hours * 1_000_000)
