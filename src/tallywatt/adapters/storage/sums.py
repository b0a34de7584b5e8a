"""Running sums: figures over all rows of an operator, kept beside the rows by the transaction that writes them.

A transaction counts what its rows add and take away, and writes that last, so that the row of a figure is held for no longer
than its commit takes. What is written past the unit of work (by hand, by bulk insert) is not counted: the audit finds that, and
`recount` makes the sums anew from the rows.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, bindparam, case, delete, func, literal, literal_column, select

from tallywatt.adapters.storage.statements import Statement, compiled, inserting
from tallywatt.adapters.storage.tables import invoicing, ledger, metering, own_books, payments
from tallywatt.adapters.storage.tables.machinery import RUNNING_SUMS
from tallywatt.ledger.books import MOVING
from tallywatt.ledger.chart import ONE_A_PAYER, place_of
from tallywatt.payments.payment import TOP_UP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Select, Table

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.mapping import Mapping

Values = tuple[Any, ...]
Place = tuple[str, str, str]
"""A figure, the part of the rows that it is about (a state, a reason, an account), and a currency or nothing."""

STRIPES = 8
"""Rows of one figure on PostgreSQL: processes that commit at the same time seldom wait for each other."""
MOST_PLACES = 20_000


@dataclass(frozen=True, slots=True)
class _Summed:
    """A table whose rows are counted in groups, and the columns that are added up in each."""

    rows: Mapping[Any]
    by: str
    amounts: tuple[str, ...]
    by_currency: bool = True
    apart: tuple[str, str] | None = None
    """A column and its value that make a group of their own, whatever group a row would be in."""

    @property
    def apart_place(self) -> tuple[int, str] | None:
        """Where in a row it is to be seen that it is counted apart."""
        return None if self.apart is None else (self.rows.place[self.apart[0]], self.apart[1])

    def places(self) -> tuple[int, int | None, tuple[tuple[str, int], ...]]:
        """Where in a row the group, the currency and the amounts are."""
        place, name = self.rows.place, self.rows.table.name
        amounts = tuple((f"{name}.{one}", place[one]) for one in self.amounts)
        return place[self.by], place["currency"] if self.by_currency else None, amounts


SUMMED: Final = {
    one.rows.table.name: one
    for one in (
        _Summed(metering.SESSIONS, "state", ("milliwatt_hours",), by_currency=False),
        _Summed(metering.EXPLANATIONS, "reason", ("milliwatt_hours",), by_currency=False),
        _Summed(invoicing.INVOICES, "kind", ("net_minor", "tax_minor", "gross_minor")),
        _Summed(
            payments.PAYMENTS,
            "state",
            ("authorised_minor", "captured_minor", "refunded_minor", "suspense_minor"),
            apart=("purpose", TOP_UP),
        ),
        _Summed(payments.ALLOCATIONS, "target", ("amount_minor",)),
        _Summed(own_books.CUSTOMER_HOLDS, "provider", ("taken_minor", "returned_minor", "settled_minor")),
    )
}
"""Tables whose rows are counted as they stand. Transfers are counted too, by the account on either side."""
TRANSFERS: Final = ledger.TRANSFERS.table.name
ACCOUNTS: Final = ledger.ACCOUNTS.table.name
COUNTED: Final = frozenset({*SUMMED, TRANSFERS})


class Tally:
    """What the present transaction adds to the sums, by operator and figure."""

    __slots__ = ("_apart", "_changed", "_codes", "_places", "_stripe")

    def __init__(self, dialect: str) -> None:
        self._changed: Counter[tuple[str, str, str, str]] = Counter()
        self._places = {name: (f"{name}.count", *one.places()) for name, one in SUMMED.items()}
        self._apart = {name: one.apart_place for name, one in SUMMED.items()}
        self._codes: dict[str, str] = {}
        # SQLite has one writer, so nobody can wait for anybody.
        self._stripe = 0 if dialect == "sqlite" else os.getpid() % STRIPES

    def learn(self, accounts: list[Values]) -> None:
        """The codes of accounts: an id is made of its code, so this is never untrue."""
        if len(self._codes) > MOST_PLACES:
            self._codes.clear()
        own, code = _account_places()
        self._codes.update((row[own], place_of(row[code])) for row in accounts)

    def take(self, name: str, operator: str, before: Values | None, after: Values | None) -> None:
        """A row of a counted table was written: what it was, and what it is now."""
        if name == TRANSFERS:
            self._book(operator, before, -1)
            self._book(operator, after, 1)
            return
        count, group, currency, amounts = self._places[name]
        changed, apart = self._changed, self._apart[name]
        for row, sign in ((before, -1), (after, 1)):
            if row is not None:
                part = apart[1] if apart is not None and row[apart[0]] == apart[1] else row[group]
                place = (part, "" if currency is None else row[currency])
                changed[(operator, count, *place)] += sign
                for figure, at in amounts:
                    changed[(operator, figure, *place)] += sign * row[at]

    def _book(self, operator: str, row: Values | None, sign: int) -> None:
        if row is None:
            return
        phase, debit, credit, amount, currency = (row[place] for place in _transfer_places())
        if phase in _MOVING:
            for figure, account in (("debits", debit), ("credits", credit)):
                self._changed[operator, f"{TRANSFERS}.{figure}", self._codes[account], currency] += sign * amount

    def mark(self) -> Counter[tuple[str, str, str, str]]:
        """What was counted up to here, for `back_to`."""
        return self._changed.copy()

    def back_to(self, mark: Counter[tuple[str, str, str, str]]) -> None:
        """What was written since then was undone."""
        self._changed = mark

    def forget(self) -> None:
        """The transaction is over, one way or the other."""
        self._changed.clear()

    def rows(self) -> Iterator[Values]:
        """What is to be added, always in the same order, so that two processes never wait for each other in a circle."""
        for key, amount in sorted(self._changed.items()):
            if amount:
                yield (*key, self._stripe, amount)


_MOVING = {one.value for one in MOVING}


@cache
def _transfer_places() -> tuple[int, ...]:
    names = ("phase", "debit_account_id", "credit_account_id", "amount_minor", "currency")
    return tuple(ledger.TRANSFERS.place[name] for name in names)


@cache
def _account_places() -> tuple[int, int]:
    return ledger.ACCOUNTS.place["account_id"], ledger.ACCOUNTS.place["code"]


@cache
def add_to_sums(dialect: str) -> str:
    """The statement that adds one of `Tally.rows`."""
    adding = inserting(RUNNING_SUMS, dialect)
    statement = adding.on_conflict_do_update(
        index_elements=[one.name for one in RUNNING_SUMS.primary_key.columns],
        set_={"amount": RUNNING_SUMS.c.amount + adding.excluded.amount},
    )
    return Statement(statement, dialect).sql


# --- asked for ---

_sums = RUNNING_SUMS.c
_STANDING = (
    select(_sums.figure, _sums.part, _sums.currency, func.sum(_sums.amount))
    .where(_sums.operator_id == bindparam("operator"))
    .group_by(_sums.figure, _sums.part, _sums.currency)
)


def standing(connection: Connection, operator_id: str) -> dict[Place, int]:
    """The sums as they are kept; what came to nothing is left out."""
    rows = _run(connection, _STANDING, operator=operator_id)
    return {(row[0], row[1], row[2]): int(row[3]) for row in rows if row[3]}


# --- made anew ---

_CLEAR = delete(RUNNING_SUMS).where(_sums.operator_id == bindparam("operator"))


def recount(connection: Connection, operator_id: str) -> dict[Place, tuple[int, int]]:
    """Make the sums of an operator anew from all its rows; those that were wrong, as they were and as they are.

    Every row is read, and nobody writes meanwhile: on PostgreSQL the others wait with what they have counted.
    """
    if connection.dialect == "postgresql":
        connection.execute("LOCK TABLE running_sums IN SHARE ROW EXCLUSIVE MODE")
    before, after = standing(connection, operator_id), counted(connection, operator_id)
    wrong = {
        one: (before.get(one, 0), after.get(one, 0))
        for one in sorted({*before, *after})
        if before.get(one) != after.get(one)
    }
    if wrong:
        statement = compiled(_CLEAR, connection.dialect)
        connection.change(statement.sql, statement.bind({"operator": operator_id}))
        rows = [(operator_id, *place, 0, amount) for place, amount in sorted(after.items())]
        connection.change_many(add_to_sums(connection.dialect), rows)
    return wrong


def counted(connection: Connection, operator_id: str) -> dict[Place, int]:
    """What the sums have to be: every row read."""
    found: Counter[Place] = Counter()
    for name, one in SUMMED.items():
        figures = [f"{name}.count", *(f"{name}.{amount}" for amount in one.amounts)]
        for part, currency, *amounts in _run(connection, _summing(name), operator=operator_id):
            for figure, amount in zip(figures, amounts, strict=True):
                found[figure, part, currency] += int(amount)
    for side in ("debit", "credit"):
        for part, currency, amount in _run(connection, _booked(side), operator=operator_id):
            found[f"{TRANSFERS}.{side}s", part, currency] += int(amount)
    return {place: amount for place, amount in found.items() if amount}


@cache
def _summing(name: str) -> Select[Any]:
    one = SUMMED[name]
    table = one.rows.table
    currency = table.c.currency if one.by_currency else literal("").label("currency")
    amounts = [func.sum(table.c[amount]) for amount in one.amounts]
    part: Any = table.c[one.by]
    if one.apart is not None:
        column, value = one.apart
        part = case((table.c[column] == literal_column(f"'{value}'"), literal_column(f"'{value}'")), else_=part)
    part = part.label("part")
    groups = ["part", *([currency] if one.by_currency else [])]
    return select(part, currency, func.count(), *amounts).where(_mine(table)).group_by(*groups)


@cache
def _booked(side: str) -> Select[Any]:
    transfers, accounts = ledger.TRANSFERS.table, ledger.ACCOUNTS.table
    of_side = and_(
        accounts.c.operator_id == transfers.c.operator_id, accounts.c.account_id == transfers.c[f"{side}_account_id"]
    )
    own = {f"{kind}/%": kind for kind in ONE_A_PAYER}
    place = case(*((accounts.c.code.like(start), kind) for start, kind in own.items()), else_=accounts.c.code)
    return (
        select(place.label("place"), transfers.c.currency, func.sum(transfers.c.amount_minor))
        .select_from(transfers.join(accounts, of_side))
        .where(_mine(transfers), transfers.c.phase.in_(sorted(_MOVING)))
        # By its name: written out twice, PostgreSQL would not know that it is the same.
        .group_by("place", transfers.c.currency)
    )


def _mine(table: Table) -> Any:
    return table.c.operator_id == bindparam("operator")


def _run(connection: Connection, clause: Any, **values: Any) -> list[Values]:
    statement = compiled(clause, connection.dialect)
    return connection.execute(statement.sql, statement.bind(values))
