"""Pricing records by columns, Arrow in and Arrow out, from ten thousand to a million, beside one by one and a plain loop.

There is no package to compare with: the one on the public index that says it computes OCPI tariffs (ocpi-tariffs 0.1.0, seen in
November 2026) was released without any code. So the peers are our own pricer, and the loop that one would write first.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from statistics import median
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from benchmarks.figure import Figure, cpu_microseconds
from benchmarks.rating import TARIFF, price_at
from tallywatt.adapters.columns.arrow import PERIOD, batch_of_prices, records_of_batch
from tallywatt.kernel.clock import Instant, parse_instant, rfc3339
from tallywatt.rating.amounts import fix_amounts
from tallywatt.rating.batch import price_of, price_records
from tallywatt.rating.cdr import read_cdr
from tallywatt.rating.columns import Terms
from tallywatt.rating.policy import STANDARD
from tallywatt.rating.rate_cdr import rate_record
from tallywatt.rating.read import read_tariff

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tallywatt.rating.cdr import ChargeRecord

SIZES = (10_000, 100_000, 1_000_000)
BUDGET = 1.0
ROUNDS = 3
SAMPLE = 500
"""So many records are priced by the peers, whose cost of a record does not depend on how many there are."""
AT_ONCE = 1 << 16
ZONE = "Europe/London"
MINUTE = 60_000
YEAR = 365 * 24 * 60 * MINUTE
FIRST = parse_instant("2026-01-01T00:00:00Z")


def records(number: int) -> pa.RecordBatch:
    """Records of a year: three periods of charging at any times, and one of idling; drawn by a fixed seed."""
    drawn = np.random.default_rng(2026)
    starts = np.sort(drawn.integers(FIRST, FIRST + YEAR, number)) // 1000 * 1000
    lengths = drawn.integers(5, 120, (number, 4)) * MINUTE
    period_starts = starts[:, None] + np.cumsum(lengths, axis=1) - lengths
    energy = drawn.integers(1_000, 15_000, (number, 4)) * 1_000
    energy[:, 3] = 0
    is_idle = np.tile([False, False, False, True], number)
    flat = lengths.reshape(-1)
    periods = pa.StructArray.from_arrays(
        [
            pa.array(period_starts.reshape(-1)).cast(PERIOD.field("start").type),
            pa.array(energy.reshape(-1)),
            pa.array(flat, mask=is_idle),
            pa.array(flat, mask=~is_idle),
        ],
        names=["start", "milliwatt_hours", "charging_ms", "parking_ms"],
    )
    offsets = pa.array(np.arange(number + 1, dtype=np.int32) * 4)
    return pa.RecordBatch.from_pydict(
        {
            "started_at": pa.array(starts).cast(PERIOD.field("start").type),
            "periods": pa.ListArray.from_arrays(offsets, periods),
        }
    )


def price_all(batch: pa.RecordBatch, terms: Terms) -> Iterator[pa.RecordBatch]:
    """Arrow in, Arrow out."""
    for first in range(0, len(batch), AT_ONCE):
        told = records_of_batch(batch.slice(first, AT_ONCE))
        prices = price_records(told.records, [terms])
        yield batch_of_prices(prices, [terms], np.zeros(len(prices), np.int64))


def as_cdr(row: dict[str, Any]) -> dict[str, Any]:
    """The same record as OCPI 2.3.0 writes it."""

    def volumes(one: dict[str, Any]) -> list[dict[str, Any]]:
        hours = {"TIME": one["charging_ms"], "PARKING_TIME": one["parking_ms"]}
        times = [
            {"type": kind, "volume": (Decimal(length) / 3_600_000).quantize(Decimal("0.0001"))}
            for kind, length in hours.items()
            if length is not None
        ]
        return [{"type": "ENERGY", "volume": Decimal(one["milliwatt_hours"]).scaleb(-6)}, *times]

    periods = row["periods"]
    ended = periods[-1]["start"].timestamp() * 1000 + periods[-1]["parking_ms"]
    return {
        "id": "C1",
        "currency": "GBP",
        "start_date_time": _text(row["started_at"]),
        "end_date_time": rfc3339(Instant(round(ended))),
        "charging_periods": [{"start_date_time": _text(one["start"]), "dimensions": volumes(one)} for one in periods],
    }


def _text(moment: datetime) -> str:
    return rfc3339(Instant(round(moment.timestamp() * 1000)))


def plain_calculation(row: dict[str, Any]) -> Decimal:
    """The price of a record as one would write it first: dictionaries, aware datetimes and Decimals, and not a reason kept."""
    there = ZoneInfo(ZONE)
    total = price_at("FLAT", datetime.fromtimestamp(row["started_at"].timestamp(), UTC).astimezone(there))
    parked, last = Decimal(0), Decimal(0)
    for one in row["periods"]:
        local = one["start"].astimezone(there)
        total += Decimal(one["milliwatt_hours"]) / 1_000_000 * price_at("ENERGY", local)
        if one["charging_ms"] is not None:
            total += Decimal(one["charging_ms"]) / 3_600_000 * price_at("TIME", local)
        if one["parking_ms"] is not None:
            price = price_at("PARKING_TIME", local)
            total += Decimal(one["parking_ms"]) / 3_600_000 * price
            parked, last = (parked + Decimal(one["parking_ms"]), price) if price else (parked, last)
    # The rest of a negative Decimal is negative: blocks are filled up by hand.
    total += (300 - parked / 1000 % 300) % 300 / 3600 * last
    return total.quantize(Decimal("0.01"), ROUND_HALF_UP)


def measure(sizes: Sequence[int] = SIZES, sample: int = SAMPLE, rounds: int = ROUNDS) -> list[Figure]:
    """The figures, CPU time of one core, for one record."""
    terms = Terms(read_tariff(TARIFF), STANDARD, ZONE)
    rows = records(sample).to_pylist()
    cdrs = [as_cdr(one) for one in rows]
    read = [read_cdr(one) for one in cdrs]
    check(rows, read, terms)

    def alone() -> None:
        for one in read:
            fix_amounts(rate_record(one, [terms.tariff], STANDARD, zone=ZONE).rated)

    one_by_one = cpu_microseconds(alone, times=1, rounds=rounds) / sample
    plain = cpu_microseconds(lambda: [plain_calculation(one) for one in rows], times=1, rounds=rounds) / sample
    figures = [
        Figure(
            "read a record of OCPI 2.3.0",
            cpu_microseconds(lambda: [read_cdr(one) for one in cdrs], times=1, rounds=rounds) / sample,
            "µs",
        ),
        Figure("price a record alone, with reasons and amounts", one_by_one, "µs", None, "plain loop, Decimal", plain),
    ]
    for number in sizes:
        took = by_columns(number, terms, rounds)
        figures.append(
            Figure(
                f"price a record by columns, of {number:,}", took, "µs", BUDGET, "one by one, by the pricer", one_by_one
            )
        )
    figures.append(Figure(f"the same, of {number:,}", took, "µs", BUDGET, "plain loop, Decimal, no reasons", plain))
    return figures


def by_columns(number: int, terms: Terms, rounds: int) -> float:
    """CPU microseconds of a record: Arrow in, Arrow out."""
    batch = records(number)
    measured = []
    for _ in range(rounds):
        started = time.process_time()
        for priced in price_all(batch, terms):
            assert priced.column("by_columns").true_count == len(priced), "no record went to the pricer"
        measured.append((time.process_time() - started) / number * 1e6)
    return median(measured)


def check(rows: list[dict[str, Any]], read: list[ChargeRecord], terms: Terms) -> None:
    """All three ways do the same job."""
    [batch] = price_all(records(len(rows)), terms)
    minor = batch.column("gross_minor").to_pylist()
    differing: Counter[str] = Counter()
    for row, record, ours in zip(rows, read, minor, strict=True):
        alone = price_of(rate_record(record, [terms.tariff], STANDARD, zone=ZONE), STANDARD)
        differing["alone"] += alone.gross_minor != ours
        differing["plain"] += int(plain_calculation(row) * 100) != ours
    assert not any(differing.values()), differing
