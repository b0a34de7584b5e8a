"""Arrow in, Arrow out: the same records, the same prices, and what is not as it must be is refused by name."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.adapters.columns.arrow import RECORD, batch_of_prices, records_of_batch
from tallywatt.kernel.errors import BadInput
from tallywatt.rating.batch import price_records
from tallywatt.rating.columns import Prices, Terms, records_of
from tallywatt.rating.policy import STANDARD
from tallywatt.rating.rate import ENGINE_VERSION
from tests.rating.examples import HOUR, a_tariff, an_element
from tests.rating.test_batch import DAY_AND_NIGHT, DAY_AND_NIGHT_TERMS, START, a_period, a_record, an_evening, periods

if TYPE_CHECKING:
    from tallywatt.rating.cdr import RecordPeriod


def a_row(told: tuple[RecordPeriod, ...], **more: Any) -> dict[str, Any]:
    """A record as a row of Arrow."""
    return {
        "started_at": told[0].start,
        "periods": [
            {
                "start": one.start,
                "milliwatt_hours": one.milliwatt_hours - one.fed_back,
                "charging_ms": one.charging,
                "parking_ms": one.parking,
                "reserved_ms": one.reserved,
                "least_watts": one.least_watts,
                "most_watts": one.most_watts,
            }
            for one in told
        ],
        **more,
    }


def a_batch(*rows: dict[str, Any]) -> pa.RecordBatch:
    """Rows as a batch of records."""
    return pa.RecordBatch.from_pylist(list(rows), schema=RECORD)


@given(told=st.lists(periods(usual=False), min_size=1, max_size=4), cut=st.integers(0, 3))
def test_records_are_the_same_after_arrow(told: list[tuple[RecordPeriod, ...]], cut: int) -> None:
    """Also where a batch is a part of a longer one, as batches of files are."""
    cut = min(cut, len(told) - 1)
    read = records_of_batch(a_batch(*[a_row(one) for one in told]).slice(cut)).records
    wanted = records_of([a_record(*one, tariff=DAY_AND_NIGHT) for one in told[cut:]])
    for place in range(len(wanted)):
        assert read.record(place, DAY_AND_NIGHT.currency) == wanted.record(place, DAY_AND_NIGHT.currency)


def test_columns_that_are_not_there_are_told_by_nobody() -> None:
    """The least that a record can say is when, and how much."""
    schema = pa.schema(
        [
            ("started_at", pa.int64()),
            ("periods", pa.large_list(pa.struct([("start", pa.int64()), ("milliwatt_hours", pa.int32())]))),
        ]
    )
    rows = [{"started_at": START, "periods": [{"start": START, "milliwatt_hours": 5_000_000}]}]
    told = records_of_batch(pa.RecordBatch.from_pylist(rows, schema=schema))

    assert told.records.record(0, DAY_AND_NIGHT.currency).periods == (a_period(START, 5_000_000),)
    assert (told.ids, told.gross_minor, told.tariffs, told.zones) == (None, None, [None], [None])


def test_names_are_read_once_each() -> None:
    """A million records have a few tariffs; a record may name none."""
    rows = [a_row(an_evening(), tariff=one, time_zone="Europe/London", gross_minor=5) for one in ("a", None, "b", "a")]
    told = records_of_batch(a_batch(*rows))

    assert [told.tariffs[place] for place in told.tariff_of] == ["a", None, "b", "a"]
    assert {told.zones[place] for place in told.zone_of} == {"Europe/London"}
    assert told.gross_minor is not None
    assert told.gross_minor.tolist() == [5] * 4
    nothing = pa.RecordBatch.from_pylist(
        [{**a_row(an_evening()), "tariff": None, "gross_minor": None, "started_at": START}]
    )
    silent = records_of_batch(nothing)
    assert (silent.tariffs, silent.gross_minor) == ([None], None)
    plain = a_batch(*rows).cast(
        pa.schema([one if one.name != "tariff" else pa.field("tariff", pa.string()) for one in RECORD])
    )
    again = records_of_batch(plain)
    assert [again.tariffs[place] for place in again.tariff_of] == ["a", None, "b", "a"]


PERIODS = pa.list_(pa.struct([("start", pa.int64()), ("milliwatt_hours", pa.int64()), ("charging_ms", pa.int64())]))
GOOD = {"started_at": START, "periods": [{"start": START, "milliwatt_hours": 1, "charging_ms": 1}]}


@pytest.mark.parametrize(
    ("types", "row", "code", "named"),
    [
        ({"periods": PERIODS}, GOOD, "columns.missing", "started_at"),
        ({"started_at": pa.int64()}, GOOD, "columns.missing", "periods"),
        ({"started_at": pa.timestamp("ms"), "periods": PERIODS}, GOOD, "columns.bad_type", "a zone"),
        ({"started_at": pa.float64(), "periods": PERIODS}, GOOD, "columns.bad_type", "started_at"),
        ({"started_at": pa.uint64(), "periods": PERIODS}, GOOD | {"started_at": 2**63}, "columns.bad_type", "64 bits"),
        ({"started_at": pa.int64(), "periods": PERIODS}, GOOD | {"started_at": None}, "columns.bad_type", "every one"),
        ({"started_at": pa.int64(), "periods": pa.int64()}, GOOD | {"periods": 1}, "columns.bad_type", "list of periods"),
        ({"started_at": pa.int64(), "periods": pa.list_(pa.int64())}, GOOD | {"periods": [1]}, "columns.bad_type", "structs"),
        ({"started_at": pa.int64(), "periods": PERIODS}, GOOD | {"periods": []}, "columns.no_periods", "one at least"),
        ({"started_at": pa.int64(), "periods": PERIODS}, GOOD | {"periods": None}, "columns.no_periods", "one at least"),
        (
            {"started_at": pa.int64(), "periods": pa.list_(pa.struct([("start", pa.int64())]))},
            GOOD | {"periods": [{"start": START}]}, "columns.missing", "milliwatt_hours",
        ),
        (
            {"started_at": pa.int64(), "periods": PERIODS},
            GOOD | {"periods": [{"start": START, "milliwatt_hours": 1, "charging_ms": -5}]}, "columns.bad_type", "below zero",
        ),
        (
            {"started_at": pa.int64(), "periods": PERIODS},
            GOOD | {"started_at": 10**15}, "columns.out_of_range", "after 2200",
        ),
        (
            {"started_at": pa.int64(), "periods": PERIODS},
            GOOD | {"periods": [{"start": START, "milliwatt_hours": 1, "charging_ms": 10**14}]},
            "columns.out_of_range", "two hundred years",
        ),
        (
            {"started_at": pa.int64(), "periods": PERIODS, "tariff": pa.int64()},
            GOOD | {"tariff": 1}, "columns.bad_type", "be text",
        ),
    ],
)  # fmt: skip
def test_what_is_not_as_it_must_be_is_refused_by_name(
    types: dict[str, Any], row: dict[str, Any], code: str, named: str
) -> None:
    """A figure that is guessed is a wrong bill; a column of the wrong kind is mended in the query that wrote it."""
    batch = pa.RecordBatch.from_pylist([{key: row[key] for key in types}], schema=pa.schema(types))
    with pytest.raises(BadInput, match=named) as refused:
        records_of_batch(batch)
    assert refused.value.code == code


def test_prices_are_columns_with_their_terms() -> None:
    """Exact amounts are parts of a denominator; who wants decimals divides."""
    prices = price_records(records_of([a_record(*an_evening(), tariff=DAY_AND_NIGHT)] * 2), [DAY_AND_NIGHT_TERMS])
    batch = batch_of_prices(prices, [DAY_AND_NIGHT_TERMS], np.zeros(2, np.int64), pa.array(["a", "b"]))
    first = batch.to_pylist()[0]

    assert batch.schema.metadata == {b"tallywatt.engine_version": ENGINE_VERSION.encode()}
    assert [first[key] for key in ("id", "tariff", "currency", "gross_minor", "by_columns", "beyond")] == [
        "a", "T1", "EUR", 2325, True, None,
    ]  # fmt: skip
    assert first["tariff_version"] == DAY_AND_NIGHT.version_id
    assert Fraction(first["total_after_taxes"], first["denominator"]) == Fraction("23.25")


def test_a_price_that_no_column_holds_is_told_as_text() -> None:
    """Exact is exact: it is null in the columns, and whole in the text."""
    prices = of_many_taxes()
    row = batch_of_prices(prices, [MANY_TAXES], np.zeros(2, np.int64)).to_pylist()[1]

    assert row["total_before_taxes"] is None
    assert row["gross_minor"] is None
    told = json.loads(row["beyond"])
    assert Fraction(told["total_before_taxes"]) == prices.price(1).total.before_taxes
    assert int(told["gross_minor"]) == prices.price(1).gross_minor


MANY_TAXES = Terms(
    a_tariff(
        *[
            an_element((kind, f"0.12345678{number}", rate, 1))
            for number, (kind, rate) in enumerate(
                [("ENERGY", "19.37"), ("TIME", "8.111"), ("PARKING_TIME", "5.773"), ("FLAT", "21.997")], 1
            )
        ]
    ),
    STANDARD,
)


def of_many_taxes() -> Prices:
    """Two prices, of which one fits in 64 bits."""
    free = a_record(a_period(START, 0, HOUR // HOUR - 1), tariff=MANY_TAXES.tariff)
    return price_records(records_of([free, a_record(*an_evening(), tariff=MANY_TAXES.tariff)]), [MANY_TAXES])
