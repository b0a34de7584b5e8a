"""`tallywatt rerate FILE`: charge records in a file of columns priced again, a million in a second."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.reading import read_object
from tallywatt.entrypoints.cli.show import Column, Data, say, say_json, say_table, sum_of
from tallywatt.entrypoints.cli.tariff_lint import is_file, stored_tariff
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from tallywatt.rating.columns import Terms
    from tallywatt.rating.compared import Compared, Comparison
    from tallywatt.rating.policy import Policy
    from tallywatt.rating.tariff import Tariff


class Asked(NamedTuple):
    """What a file is to be priced by, and what is to be said of it."""

    tariff: str | None
    policy: Path | None
    zone: str | None
    operator: str | None
    out: Path | None
    most: int
    jsonl: bool


def price_file(file: Path, asked: Asked) -> Comparison:
    """Price the records of a file; write what they cost into another one, or as JSON lines."""
    from tallywatt.wiring import columns

    parts = columns()  # before anything else: who lacks the extra is told what to install
    from tallywatt.rating.batch import price_records
    from tallywatt.rating.compared import Comparison

    if not parts.is_columns(file) or not (asked.out is None or parts.is_columns(asked.out)):
        msg = "a file of columns ends in .parquet or .arrow"
        raise BadInput(
            msg, code="rerate.not_columns", remedy="records as JSON lines are priced by: tallywatt rate FILE --jsonl"
        )
    terms = _AllTerms(asked)
    found = Comparison(asked.most)
    with parts.written(asked.out) as write:
        for batch in parts.batches(file):
            told = parts.records_of_batch(batch)
            pairs, terms_of = told.pairs()
            ours = [terms.of(*one) for one in pairs]
            prices = price_records(told.records, ours, terms_of)
            found.add(prices, ours, terms_of, told.gross_minor)
            if asked.out is not None or asked.jsonl:
                priced = parts.batch_of_prices(prices, ours, terms_of, told.ids)
                write(priced)
                if asked.jsonl:
                    _say_lines(priced)
    return found


class _AllTerms:
    """The terms of each tariff and zone that a file names."""

    def __init__(self, asked: Asked) -> None:
        from tallywatt.rating.policy import STANDARD, read_policy

        self._asked = asked
        self._policy: Policy = STANDARD if asked.policy is None else read_policy(read_object(asked.policy))
        self._tariffs: dict[str, Tariff] = {}

    def of(self, tariff: str | None, zone: str | None) -> Terms:
        """Its terms; what is asked for on the command line goes before what a record names."""
        from tallywatt.kernel import clock
        from tallywatt.rating.columns import Terms

        name = self._asked.tariff or tariff
        if name is None:
            msg = "a record names no tariff"
            raise BadInput(msg, code="rerate.no_tariff", remedy="name one for all: --tariff FILE|TARIFF")
        place = self._asked.zone or zone
        if place is not None:
            clock.zone(place)
        if name not in self._tariffs:
            self._tariffs[name] = self._read(name)
        return Terms(self._tariffs[name], self._policy, place)

    def _read(self, name: str) -> Tariff:
        from tallywatt.rating.read import read_tariff

        if name == self._asked.tariff and is_file(name):
            return read_tariff(read_object(Path(name)))
        with at_desk(self._asked.operator) as desk:
            return read_tariff(stored_tariff(desk, name))


def _say_lines(priced: Any) -> None:
    names = ("id", "tariff", "currency", "net_minor", "tax_minor", "gross_minor")
    for row in priced.select([one for one in names if one in priced.schema.names]).to_pylist():
        say_json(row)


def compared_as_json(found: Comparison) -> Data:
    """What was found, as plain data."""
    return {
        "records": found.records,
        "priced_one_by_one": found.priced_one_by_one,
        "sums": [_sum(one) for one in found.by_currency.values()],
        "differing": [one._asdict() for one in found.differing],
    }


def _sum(one: Compared) -> Data:
    return {name: getattr(one, name) for name in one.__slots__}


def say_compared(found: Comparison, out: Path | None) -> None:
    """What was found, for people."""
    if found.differing:
        rows = [
            {
                "number": f"{one.number + 1:,}",
                "was": sum_of(one.was_minor, one.currency),
                "now": sum_of(one.now_minor, one.currency),
                "difference": _signed(one.now_minor - one.was_minor, one.currency),
            }
            for one in found.differing
        ]
        columns = (
            Column("record", "number", right=True), Column("was", "was", right=True), Column("now", "now", right=True),
            Column("difference", "difference", right=True),
        )  # fmt: skip
        say_table(columns, rows, empty="")
        say("The largest differences; for more: --limit N.\n")
    for one in found.by_currency.values():
        _say_sum(one)
    by_columns = found.records - found.priced_one_by_one
    say(
        f"\n{by_columns:,} of {found.records:,} records were priced by columns, {found.priced_one_by_one:,} one by one."
    )
    if out is not None:
        say(f"Written: {out}")


def _say_sum(one: Compared) -> None:
    code = one.currency
    rows = [
        ("before tax", sum_of(one.net_minor, code)),
        ("tax", sum_of(one.tax_minor, code)),
        ("with tax", sum_of(one.gross_minor, code)),
    ]
    if one.told:
        rows += [
            (f"{one.told:,} told a price", sum_of(one.was_minor, code)),
            ("which is now", sum_of(one.now_minor, code)),
            ("difference", _signed(one.now_minor - one.was_minor, code)),
        ]
    columns = (Column(f"{one.records:,} records", "name"), Column("", "amount", right=True))
    say_table(columns, [{"name": name, "amount": amount} for name, amount in rows], empty="")
    if one.told:
        same = one.told - one.dearer - one.cheaper
        say(f"Of them {one.dearer:,} dearer, {one.cheaper:,} cheaper, {same:,} the same.")


def _signed(minor: int, code: str) -> str:
    text = sum_of(minor, code)
    return f"+{text}" if minor > 0 else text
