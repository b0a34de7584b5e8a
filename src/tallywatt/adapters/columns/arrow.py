"""Arrow record batches as columns of charge records, and their prices as Arrow again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tallywatt.kernel.clock import parse_instant
from tallywatt.kernel.errors import BadInput
from tallywatt.rating.columns import (
    EXACT,
    FIXED,
    NOT_TOLD,
    SIGNAL_NOT_TOLD,
    SUM_NOT_TOLD,
    Column,
    Prices,
    Records,
    Terms,
)
from tallywatt.rating.rate import ENGINE_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

INSTANT: Final = pa.timestamp("ms", tz="UTC")
PERIOD: Final = pa.struct(
    [
        pa.field("start", INSTANT, nullable=False),
        pa.field("milliwatt_hours", pa.int64(), nullable=False),
        pa.field("charging_ms", pa.int64()),
        pa.field("parking_ms", pa.int64()),
        pa.field("reserved_ms", pa.int64()),
        pa.field("least_watts", pa.int64()),
        pa.field("most_watts", pa.int64()),
        pa.field("least_milliamps", pa.int64()),
        pa.field("most_milliamps", pa.int64()),
    ]
)
RECORD: Final = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("started_at", INSTANT, nullable=False),
        pa.field("tariff", pa.dictionary(pa.int32(), pa.string())),
        pa.field("time_zone", pa.dictionary(pa.int32(), pa.string())),
        pa.field("gross_minor", pa.int64()),
        pa.field("periods", pa.list_(PERIOD), nullable=False),
    ]
)
"""What a record has. All but `started_at` and `periods` may be left out, and of a period all but its start and its energy."""

_DURATIONS: Final = {"charging_ms": "charging", "parking_ms": "parking", "reserved_ms": "reserved"}
_EARLIEST: Final = int(parse_instant("1900-01-01T00:00:00Z"))
_LATEST: Final = int(parse_instant("2200-01-01T00:00:00Z"))
_SIGNALS: Final = ("least_watts", "most_watts", "least_milliamps", "most_milliamps")


@dataclass(frozen=True, slots=True)
class Told:
    """A batch of records, and what is beside their periods."""

    records: Records
    ids: Any
    """An Arrow array of texts, or None."""
    tariffs: list[str | None]
    """The tariffs that are named, each once."""
    tariff_of: Column
    zones: list[str | None]
    zone_of: Column
    gross_minor: Column | None
    """What each record came to before, or SUM_NOT_TOLD; None where there is no such column."""

    def pairs(self) -> tuple[list[tuple[str | None, str | None]], Column]:
        """Each tariff with each zone in which it is used, and which of these pairs each record has."""
        whole = self.tariff_of * len(self.zones) + self.zone_of
        found, pair_of = np.unique(whole, return_inverse=True)
        names = [(self.tariffs[one // len(self.zones)], self.zones[one % len(self.zones)]) for one in found.tolist()]
        return names, pair_of.astype(np.int64)


def records_of_batch(batch: pa.RecordBatch) -> Told:
    """The records of a batch; BadInput names the column that is not as it must be."""
    periods = _column(batch, "periods")
    if not (pa.types.is_list(periods.type) or pa.types.is_large_list(periods.type)):
        raise _bad(name="periods", says=f"must be a list of periods, not {periods.type}")
    if periods.null_count or (len(periods) and int(pc.min(pc.list_value_length(periods)).as_py()) == 0):
        msg = "periods: every record must have one at least"
        raise BadInput(msg, code="columns.no_periods", remedy="leave records without periods out of the file")
    offsets = periods.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
    fields = _fields(periods, offsets)
    told: dict[str, Column] = {
        ours: _durations(fields[theirs], f"periods.{theirs}")
        for theirs, ours in _DURATIONS.items()
        if theirs in fields and (ours != "reserved" or fields[theirs].null_count < len(fields[theirs]))
    }
    silent = np.full(int(offsets[-1] - offsets[0]), NOT_TOLD, np.int64)
    signals = {
        name: _whole(fields[name], f"periods.{name}", SIGNAL_NOT_TOLD)
        for name in _SIGNALS
        if name in fields and fields[name].null_count < len(fields[name])
    }
    records = Records(
        started_at=_instants(_column(batch, "started_at"), "started_at"),
        offsets=offsets - offsets[0],
        start=_instants(_field(fields, "start"), "periods.start"),
        milliwatt_hours=_whole(_field(fields, "milliwatt_hours"), "periods.milliwatt_hours"),
        charging=told.pop("charging", silent),
        parking=told.pop("parking", silent),
        **told,
        **signals,
    )
    tariffs, tariff_of = _names(batch, "tariff")
    zones, zone_of = _names(batch, "time_zone")
    stated = _has(batch, "gross_minor")
    gross = _whole(batch.column("gross_minor"), "gross_minor", SUM_NOT_TOLD) if stated else None
    ids = batch.column("id") if _has(batch, "id") else None
    return Told(records, ids, tariffs, tariff_of, zones, zone_of, gross)


def _column(batch: pa.RecordBatch, name: str) -> Any:
    if name not in batch.schema.names:
        raise BadInput(
            message=f"there is no column {name}", code="columns.missing", remedy="see docs/reference/rerate.md"
        )
    return batch.column(name)


def _has(batch: pa.RecordBatch, name: str) -> bool:
    """Whether a column is there and says anything: one in which nothing is told may have no type at all."""
    return name in batch.schema.names and not pa.types.is_null(batch.column(name).type)


def _fields(periods: Any, offsets: Column) -> dict[str, Any]:
    values = periods.values.slice(int(offsets[0]), int(offsets[-1] - offsets[0]))
    if not pa.types.is_struct(values.type):
        raise _bad(name="periods", says=f"must be structs with start and milliwatt_hours, not {values.type}")
    named = zip((one.name for one in values.type), values.flatten(), strict=True)
    return {name: one for name, one in named if not pa.types.is_null(one.type)}


def _field(fields: dict[str, Any], name: str) -> Any:
    if name not in fields:
        msg = f"a period has no {name}"
        raise BadInput(msg, code="columns.missing", remedy="see docs/reference/rerate.md")
    return fields[name]


def _bad(name: str, says: str) -> BadInput:
    msg = f"the column {name} {says}"
    return BadInput(msg, code="columns.bad_type", remedy="see docs/reference/rerate.md for the types")


def _instants(column: Any, name: str) -> Column:
    """Milliseconds since 1970; a time without a zone could be anybody's."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        if kind.tz is None:
            raise _bad(name, "must be a time with a zone (UTC), or milliseconds since 1970 as whole numbers")
        column = pc.cast(column, INSTANT, safe=False).cast(pa.int64())
    found = _whole(column, name)
    if len(found) and not _EARLIEST <= int(found.min()) <= int(found.max()) < _LATEST:
        msg = f"the column {name} has times before 1900 or after 2200"
        raise BadInput(msg, code="columns.out_of_range", remedy="give milliseconds since 1970, or timestamps")
    return found


def _whole(column: Any, name: str, not_told: int | None = None) -> Column:
    """Whole numbers as they are; never through a binary fraction."""
    if not pa.types.is_integer(column.type):
        raise _bad(name, f"must be whole numbers, not {column.type}")
    if column.null_count:
        if not_told is None:
            raise _bad(name, "must be told of every one")
        column = pc.fill_null(column, not_told)
    try:
        numbers: Column = column.cast(pa.int64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid as error:
        raise _bad(name, "must fit in 64 bits") from error
    return numbers


def _durations(column: Any, name: str) -> Column:
    if len(column) and (pc.min(column).as_py() or 0) < 0:
        raise _bad(name, "must not be below zero")
    found = _whole(column, name, NOT_TOLD)
    if len(found) and int(found.max()) > _LATEST:
        msg = f"the column {name} has durations of more than two hundred years"
        raise BadInput(msg, code="columns.out_of_range", remedy="give milliseconds")
    return found


def _names(batch: pa.RecordBatch, name: str) -> tuple[list[str | None], Column]:
    """The names in a column, each once, and which of them each record has; a column that is not there names nothing."""
    if not _has(batch, name):
        return [None], np.zeros(len(batch), np.int64)
    column = batch.column(name)
    if not pa.types.is_dictionary(column.type):
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            raise _bad(name, f"must be text, not {column.type}")
        column = column.dictionary_encode()
    names: list[str | None] = [*column.dictionary.to_pylist(), None]
    indices = pc.fill_null(column.indices.cast(pa.int64()), len(names) - 1)
    return names, indices.to_numpy(zero_copy_only=False)


def batch_of_prices(prices: Prices, terms: Sequence[Terms], terms_of: Column, ids: Any = None) -> pa.RecordBatch:
    """Prices as Arrow: minor units, and exact amounts in parts of a denominator; one that 64 bits cannot hold as text."""
    beyond = prices.denominator == 0
    held = pa.array(~beyond) if beyond.any() else None

    def column(values: Column) -> Any:
        found = pa.array(values)
        return found if held is None else pc.if_else(held, found, pa.scalar(None, pa.int64()))

    def named(names: list[str]) -> Any:
        return pa.DictionaryArray.from_arrays(pa.array(terms_of.astype(np.int32)), pa.array(names, pa.string()))

    columns: dict[str, Any] = {} if ids is None else {"id": ids}
    columns["tariff"] = named([one.tariff.reference for one in terms])
    columns["tariff_version"] = named([str(one) for one in prices.versions])
    columns["currency"] = named([one.tariff.currency.code for one in terms])
    columns |= {name: column(prices.fixed[name]) for name in FIXED}
    columns["denominator"] = column(prices.denominator)
    columns |= {name: column(prices.exact[name]) for name in EXACT}
    columns["by_columns"] = pa.array(prices.compiled)
    columns["beyond"] = pa.nulls(len(prices), pa.string())
    if held is not None:
        texts = [_text(prices, place) if place in prices.beyond else None for place in range(len(prices))]
        columns["beyond"] = pa.array(texts, pa.string())
    found = pa.RecordBatch.from_pydict(columns)
    return found.replace_schema_metadata({"tallywatt.engine_version": ENGINE_VERSION})


def _text(prices: Prices, place: int) -> str:
    """A price that 64 bits do not hold, as JSON with every amount as a fraction."""
    price = prices.price(place)
    amounts = {"total": price.total, **price.parts}
    exact = {f"{name}_{side}": str(getattr(one, side)) for name, one in amounts.items() for side in one._fields}
    return json.dumps(exact | {name: str(getattr(price, name)) for name in FIXED})
