"""Questions about settlements that equality of columns cannot ask. Operations are found by the time in their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import and_, bindparam, case, exists, func, select

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables import payments, settlements
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import RANDOM_BYTES, PaymentId, uuid7
from tallywatt.payments.settlement import DAY_MS, UnevenPayout

if TYPE_CHECKING:
    from sqlalchemy import ScalarSelect

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.kernel.identity import OperatorId

WEEKS_MS = 60 * DAY_MS
"""How far back it is looked for what was taken, and for payouts."""

_operations = payments.OPERATIONS.table
_payments = payments.PAYMENTS.table
_lines = settlements.SETTLEMENT_LINES.table

_TAKES = ("charge", "capture")
_moved = (
    _operations.c.operator_id == bindparam("operator"),
    _operations.c.operation_id >= bindparam("first"),
    _operations.c.operation_id < bindparam("behind"),
    _operations.c.account_id == bindparam("account"),
    _operations.c.state == "succeeded",
)
_its_payment = and_(
    _payments.c.operator_id == _operations.c.operator_id, _payments.c.payment_id == _operations.c.payment_id
)


def _listed(kind: str) -> Any:
    return exists().where(
        _lines.c.operator_id == _operations.c.operator_id,
        _lines.c.payment_id == _operations.c.payment_id,
        _lines.c.kind == kind,
        _lines.c.state == "matched",
        # Of a hold that is taken in parts each capture has a line of its own.
        _lines.c.operation_id.is_(None) | (_lines.c.operation_id == _operations.c.operation_id),
    )


HAS_TAKEN = select(_operations.c.operation_id).where(*_moved, _operations.c.kind.in_(_TAKES)).limit(1)
CAPTURED_ABOUT = (
    select(_payments.c.payment_id)
    .select_from(_operations.join(_payments, _its_payment))
    .where(
        *_moved,
        _operations.c.kind.in_(_TAKES),
        _payments.c.currency == bindparam("of_currency"),
        (_payments.c.captured_minor == bindparam("minor"))
        | ((_payments.c.several_captures == 1) & (_operations.c.amount_minor == bindparam("minor"))),
        ~_listed("charge"),
    )
    .distinct()
    .order_by(_payments.c.payment_id)
    .limit(2)
)


def _refunds_in(table: Any, state: str) -> ScalarSelect[int]:
    """How many refunds of the same payment stand there in that state: as asked for here, or as listed by its provider."""
    return (
        select(func.count())
        .select_from(table)
        .where(
            table.c.operator_id == _operations.c.operator_id,
            table.c.payment_id == _operations.c.payment_id,
            table.c.kind == "refund",
            table.c.state == state,
        )
        .correlate(_operations)
        .scalar_subquery()
    )


_are_unlisted = _refunds_in(_lines, "matched") < _refunds_in(_operations.alias("others"), "succeeded")
UNSETTLED = (
    select(_payments.c.payment_id)
    .select_from(_operations.join(_payments, _its_payment))
    .where(
        *_moved,
        (_operations.c.kind.in_(_TAKES) & (_payments.c.captured_minor > 0) & ~_listed("charge"))
        | ((_operations.c.kind == "refund") & (_payments.c.refunded_minor > 0) & _are_unlisted),
    )
    .distinct()
    .order_by(_payments.c.payment_id.desc())
    .limit(bindparam("most"))
)
_of_account = (_lines.c.operator_id == bindparam("operator"), _lines.c.account_id == bindparam("account"))
_lately = _lines.alias("lately")
_paid_out = select(_lately.c.payout_ref).where(
    _lately.c.operator_id == bindparam("operator"),
    _lately.c.account_id == bindparam("account"),
    _lately.c.kind == "payout",
    _lately.c.said_at >= bindparam("since"),
)
_net = _lines.c.amount_minor - _lines.c.fee_minor
_is_payout = _lines.c.kind == "payout"
UNEVEN_PAYOUTS = (
    select(
        _lines.c.payout_ref,
        _lines.c.currency,
        func.sum(case((_is_payout, -_net), else_=0)),
        func.sum(case((_is_payout, 0), else_=_net)),
    )
    .where(*_of_account, _lines.c.payout_ref.in_(_paid_out))
    .group_by(_lines.c.payout_ref, _lines.c.currency)
    # A payout whose lines nobody lists (one that was made by hand) is no difference.
    .having((func.sum(_net) != 0) & (func.sum(case((_is_payout, 0), else_=1)) > 0))
)


class Unit(Protocol):
    """What these questions need of the unit of work."""

    operator: OperatorId
    machine_now: Instant

    @property
    def connection(self) -> Connection:
        """With all that was to be written on it."""
        ...


class SettlementQueries:
    """A part of the unit's questions."""

    _unit: Unit

    def has_taken(self, account_id: str, before: Instant) -> bool:
        """Whether money was taken at a provider account in the weeks before that machine time."""
        return bool(self._asked(HAS_TAKEN, account_id, Instant(before - WEEKS_MS), before))

    def captured_about(
        self, account_id: str, currency: str, minor: int, at: Instant, within_ms: int
    ) -> list[PaymentId]:
        """Payments of exactly that sum that were captured about then and that no settlement line is about."""
        about = {"of_currency": currency, "minor": minor}
        found = self._asked(CAPTURED_ABOUT, account_id, Instant(at - within_ms), Instant(at + within_ms), **about)
        return [PaymentId(row[0]) for row in found]

    def unsettled(self, account_id: str, start: Instant, end: Instant, most: int) -> list[PaymentId]:
        """Payments with money moved in that machine time that no settlement line of that kind is about."""
        return [PaymentId(row[0]) for row in self._asked(UNSETTLED, account_id, start, end, most=most)]

    def uneven_payouts(self, account_id: str) -> list[UnevenPayout]:
        """Payouts of the last weeks that are not what their lines come to."""
        since = self._unit.machine_now - WEEKS_MS
        rows = self._ask(UNEVEN_PAYOUTS, account=account_id, since=since)
        return [UnevenPayout(str(ref), str(code), int(paid), int(lines)) for ref, code, paid, lines in rows]

    def _asked(self, clause: Any, account_id: str, start: Instant, end: Instant, **more: Any) -> list[tuple[Any, ...]]:
        none = bytes(RANDOM_BYTES)
        times = {"first": uuid7(Instant(max(start, 0)), none), "behind": uuid7(Instant(max(end, 0)), none)}
        return self._ask(clause, account=account_id, **times, **more)

    def _ask(self, clause: Any, **values: Any) -> list[tuple[Any, ...]]:
        connection = self._unit.connection
        statement = compiled(clause, connection.dialect)
        return connection.execute(statement.sql, statement.bind({**values, "operator": self._unit.operator}))
