"""Records: three versions become one, nothing is dropped silently, and what cannot be meant is refused with its path."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tallywatt.rating.cdr import StatedTotal, cdr_version_of, read_cdr
from tallywatt.rating.fields import BadField, Version

PERIOD = {"start_date_time": "2026-11-24T10:00:00Z", "dimensions": [{"type": "ENERGY", "volume": 1}]}
RECORD: dict[str, Any] = {
    "id": "C1",
    "currency": "EUR",
    "start_date_time": "2026-11-24T10:00:00Z",
    "end_date_time": "2026-11-24T11:00:00Z",
    "charging_periods": [PERIOD],
}


def a_period(*dimensions: Any, **more: Any) -> dict[str, Any]:
    """The record with one period of these dimensions."""
    return RECORD | {"charging_periods": [PERIOD | {"dimensions": list(dimensions)} | more]}


@pytest.mark.parametrize(
    ("more", "version"),
    [
        ({"stop_date_time": "2026-11-24T11:00:00Z"}, Version.OCPI_2_1_1),
        ({"total_cost": 4}, Version.OCPI_2_1_1),
        ({"total_cost": 4.5}, Version.OCPI_2_1_1),
        ({"total_cost": Decimal("4.5")}, Version.OCPI_2_1_1),
        ({"total_cost": {"excl_vat": 4}}, Version.OCPI_2_2_1),
        ({"tariffs": [{"id": "T"}]}, Version.OCPI_2_2_1),
        ({}, Version.OCPI_2_2_1),
        ({"total_cost": {"before_taxes": 4}}, Version.OCPI_2_3_0),
        ({"tariffs": [{"tax_included": "NO"}]}, Version.OCPI_2_3_0),
    ],
)
def test_a_version_is_known_by_its_shape(more: dict[str, Any], version: Version) -> None:
    """A pipeline of records of many partners must not need to be told."""
    assert cdr_version_of(RECORD | more) is version
    assert read_cdr(RECORD, Version.OCPI_2_3_0).version is Version.OCPI_2_3_0


@pytest.mark.parametrize(
    ("total", "stated"),
    [
        (None, None),
        ("4.00", StatedTotal(Decimal(4), None)),
        ({"excl_vat": 4}, StatedTotal(Decimal(4), None)),
        ({"excl_vat": 4, "incl_vat": 5}, StatedTotal(Decimal(4), Decimal(5))),
        ({"before_taxes": 4}, StatedTotal(Decimal(4), None)),
        (
            {"before_taxes": 4, "taxes": [{"name": "a", "amount": 1}, {"name": "b", "amount": "0.5"}]},
            StatedTotal(Decimal(4), Decimal("5.5")),
        ),
    ],
)
def test_a_total_is_read_in_the_words_of_each_version(total: Any, stated: StatedTotal | None) -> None:
    """A number, a price with VAT, a price with taxes."""
    assert read_cdr(RECORD | {"total_cost": total}).stated == stated


def test_what_is_not_read_is_told_and_what_is_carried_is_kept() -> None:
    """A partner's own fields do not vanish without a word."""
    data = RECORD | {
        "meter_id": "M1",
        "mood": "good",
        "total_cost": {"excl_vat": 1, "curency": "EUR"},
        "charging_periods": [PERIOD | {"note": 1, "dimensions": [{"type": "ENERGY", "volume": 1, "unit": "kWh"}]}],
    }
    record = read_cdr(data)
    assert record.unread == (
        "charging_periods[0].dimensions[0].unit",
        "charging_periods[0].note",
        "mood",
        "total_cost.curency",
    )
    assert record.rest == {"meter_id": "M1"}


def test_power_and_current_fill_in_for_each_other() -> None:
    """Who tells the most alone means all of the period; an average is taken where neither end is told."""
    most = read_cdr(a_period({"type": "MAX_POWER", "volume": 11}, {"type": "MIN_CURRENT", "volume": 6})).periods[0]
    assert (most.least_watts, most.most_watts) == (11_000, 11_000)
    assert (most.least_milliamps, most.most_milliamps) == (6_000, 6_000)
    mean = read_cdr(a_period({"type": "POWER", "volume": "7.4"})).periods[0]
    assert (mean.least_watts, mean.most_watts, mean.least_milliamps) == (7_400, 7_400, None)


def test_periods_are_put_in_order_and_that_is_told() -> None:
    """A period ends where the next one starts, so their order decides."""
    late = PERIOD | {"start_date_time": "2026-11-24T10:30:00Z", "dimensions": [{"type": "TIME", "volume": 0.5}]}
    record = read_cdr(RECORD | {"charging_periods": [late, PERIOD]})
    assert [one.milliwatt_hours for one in record.periods] == [1_000_000, 0]
    assert record.doubts == (("cdr.periods_not_in_order", "charging_periods"),)


@pytest.mark.parametrize(
    ("volume", "milliseconds"),
    [
        ("1", 3_600_000),
        ("0.9999", 3_599_640),
        ("0.9997", 3_598_920),
        ("0.999", 3_596_400),
        ("0.9995", 3_598_200),
        ("1.00000001", 3_600_000),
        ("0.5", 1_800_000),
    ],
)
def test_a_volume_that_decimals_cannot_say_is_its_period(volume: str, milliseconds: int) -> None:
    """Only as far as the decimals explain it: half an hour in an hour stays half an hour."""
    assert read_cdr(a_period({"type": "TIME", "volume": volume})).periods[0].charging == milliseconds


@pytest.mark.parametrize(
    ("data", "code", "path"),
    [
        ({"id": None}, "cdr.missing", "id"),
        ({"currency": "XXX"}, "money.unknown_currency", "currency"),
        ({"start_date_time": None}, "cdr.not_a_time", "start_date_time"),
        ({"start_date_time": "yesterday"}, "cdr.not_a_time", "start_date_time"),
        ({"end_date_time": "2026-11-24T09:00:00Z"}, "cdr.ends_before_it_starts", "end_date_time"),
        ({"charging_periods": []}, "cdr.missing", "charging_periods"),
        ({"charging_periods": [1]}, "cdr.not_an_object", "charging_periods[0]"),
        ({"tariffs": {}}, "cdr.not_an_object", "tariffs"),
        ({"tariffs": [1]}, "cdr.not_an_object", "tariffs"),
        ({"credit": "yes"}, "cdr.not_known", "credit"),
        ({"total_cost": {"taxes": []}}, "cdr.missing", "total_cost"),
        ({"total_cost": True}, "cdr.not_a_number", "total_cost"),
        ({"total_cost": {"before_taxes": 1, "taxes": [1]}}, "cdr.not_a_number", "total_cost.taxes[0].amount"),
    ],
)
def test_a_record_that_cannot_be_meant_is_refused_with_its_path(data: dict[str, Any], code: str, path: str) -> None:
    """Whoever sent it must find the place."""
    with pytest.raises(BadField) as refused:
        read_cdr(RECORD | data)
    assert (refused.value.code, refused.value.path) == (code, path)


D = "charging_periods[0].dimensions[0]"


@pytest.mark.parametrize(
    ("dimensions", "code", "path"),
    [
        ([], "cdr.missing", "charging_periods[0].dimensions"),
        ([1], "cdr.not_an_object", D),
        ([{"type": "SUNSHINE", "volume": 1}], "cdr.not_known", f"{D}.type"),
        ([{"type": ["ENERGY"], "volume": 1}], "cdr.not_known", f"{D}.type"),
        ([{"type": "TIME", "volume": -1}], "cdr.out_of_range", f"{D}.volume"),
        ([{"type": "TIME", "volume": "NaN"}], "cdr.out_of_range", f"{D}.volume"),
        ([{"type": "TIME", "volume": "x"}], "cdr.not_a_number", f"{D}.volume"),
        (
            [{"type": "TIME", "volume": 1}, {"type": "TIME", "volume": 1}],
            "cdr.twice",
            "charging_periods[0].dimensions[1]",
        ),
    ],
)
def test_a_dimension_that_cannot_be_meant_is_refused(dimensions: list[Any], code: str, path: str) -> None:
    """A volume that is misread is money."""
    with pytest.raises(BadField) as refused:
        read_cdr(a_period(*dimensions))
    assert (refused.value.code, refused.value.path) == (code, path)


def test_a_place_without_a_zone_tells_none() -> None:
    """Only the location of 2.1.1 may have one."""
    assert read_cdr(RECORD | {"cdr_location": {"id": "L"}, "location": "x"}).zone is None
    assert read_cdr(RECORD | {"cdr_location": {"time_zone": "Europe/Berlin"}}).zone == "Europe/Berlin"
