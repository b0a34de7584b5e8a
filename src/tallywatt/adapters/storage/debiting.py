"""Questions about direct debits, each about many rows at once: what is due by mandate, what a debit asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy import and_, bindparam, exists, func, or_, select, text, update

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables import banking, debits, invoicing, machinery, own_books
from tallywatt.kernel.identity import PaymentId
from tallywatt.payments.bank import BankLineState
from tallywatt.payments.debit import (
    EUR,
    MOST_TRIES,
    REASONS,
    CollectionState,
    Consequence,
    DueItem,
    MandateState,
    Scheme,
    Sequence,
    group_of,
)
from tallywatt.workflows.end_debits import END_DEBITS
from tallywatt.workflows.jobs import JobState

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.rows import Rows
    from tallywatt.kernel.identity import OperatorId
    from tallywatt.payments.debit import DebitCollection, Mandate
    from tallywatt.payments.own_books import CustomerHold

_mandates = debits.MANDATES.table
_debits = debits.DEBIT_COLLECTIONS.table
_parts = debits.DEBIT_PARTS.table
_invoices = invoicing.INVOICES.table
_holds = own_books.CUSTOMER_HOLDS.table

_THE_END: Final = sorted(code for code, meaning in REASONS.items() if meaning is Consequence.END)
MANDATES_AFTER = (
    select(*[_mandates.c[name] for name in debits.MANDATES.names])
    .where(
        _mandates.c.operator_id == bindparam("operator"),
        _mandates.c.state == MandateState.ACTIVE.value,
        _mandates.c.mandate_id > bindparam("after"),
    )
    .order_by(_mandates.c.mandate_id)
    .limit(bindparam("most"))
    .with_for_update()
)
# By itself, because the condition names columns as the index does, and a mandate has some of the same name.
_open = (
    select(
        _holds.c.operator_id,
        _holds.c.customer_id,
        _holds.c.payment_id,
        _holds.c.invoice_id,
        _holds.c.due_on,
        (_holds.c.taken_minor - _holds.c.returned_minor - _holds.c.settled_minor).label("open_minor"),
    )
    .where(_holds.c.currency == EUR, text(own_books.IS_LIVE))
    .subquery("open_items")
)
_of_item = and_(_parts.c.operator_id == _open.c.operator_id, _parts.c.payment_id == _open.c.payment_id)


def _refused(*more: Any) -> Any:
    """What a bank has refused or taken back of this item with this mandate: from the item on, which was asked for seldom."""
    never = (CollectionState.REJECTED.value, CollectionState.RETURNED.value)
    theirs = exists().where(
        _debits.c.operator_id == _parts.c.operator_id,
        _debits.c.collection_id == _parts.c.collection_id,
        _debits.c.mandate_id == _mandates.c.mandate_id,
        _debits.c.state.in_(never),
        *more,
    )
    return and_(_of_item, theirs.correlate(_parts, _mandates))


# Of a column that stands in no index: SQLite would walk one that has all the others.
_tries = select(func.count(_parts.c.amount_minor)).where(_refused()).correlate(_open, _mandates).scalar_subquery()
_ended = exists().select_from(_parts).where(_refused(_debits.c.reason.in_(_THE_END))).correlate(_open, _mandates)
DUE_BY_MANDATE = (
    select(_mandates.c.mandate_id, _open.c.payment_id, _open.c.open_minor, _invoices.c.number)
    .select_from(
        _mandates.join(
            _open,
            and_(_open.c.operator_id == _mandates.c.operator_id, _open.c.customer_id == _mandates.c.customer_id),
        ).outerjoin(
            _invoices,
            and_(_invoices.c.operator_id == _open.c.operator_id, _invoices.c.invoice_id == _open.c.invoice_id),
        )
    )
    .where(
        _mandates.c.operator_id == bindparam("operator"),
        _mandates.c.state == MandateState.ACTIVE.value,
        _mandates.c.mandate_id.between(bindparam("first"), bindparam("last")),
        _open.c.open_minor > 0,
        func.coalesce(_open.c.due_on, "") <= bindparam("collect_on"),
        ~exists().where(_of_item, text("debit_parts.is_open = 1")).correlate(_open),
        _tries < MOST_TRIES,
        ~_ended,
    )
    .order_by(_mandates.c.mandate_id, _open.c.due_on, _open.c.payment_id)
    .limit(bindparam("most"))
)
ASKED_WITH = (
    select(*[_holds.c[name] for name in own_books.CUSTOMER_HOLDS.names])
    .select_from(
        _parts.join(
            _holds, and_(_holds.c.operator_id == _parts.c.operator_id, _holds.c.payment_id == _parts.c.payment_id)
        )
    )
    .where(_parts.c.operator_id == bindparam("operator"), _parts.c.collection_id == bindparam("of_debit"))
    .order_by(_parts.c.payment_id)
    .with_for_update(of=_holds)
)
CLOSE_PARTS = (
    update(_parts)
    .where(_parts.c.operator_id == bindparam("operator"), _parts.c.collection_id == bindparam("of_debit"))
    .values(is_open=0)
)


_others = _parts.alias("others")
OPEN_PARTS_AGAIN = (
    update(_parts)
    .where(
        _parts.c.operator_id == bindparam("operator"),
        _parts.c.collection_id == bindparam("of_debit"),
        # What another debit asks for meanwhile is asked for by that one.
        ~exists(
            select(text("1"))
            .select_from(_others)
            .where(
                _others.c.operator_id == _parts.c.operator_id,
                _others.c.payment_id == _parts.c.payment_id,
                text("others.is_open = 1"),
            )
        ),
    )
    .values(is_open=1)
)

_waiting = _parts.alias("waiting")
_first_waiting = (
    select(func.min(_waiting.c.collection_id))
    .join(
        _debits,
        and_(_debits.c.operator_id == _waiting.c.operator_id, _debits.c.collection_id == _waiting.c.collection_id),
    )
    .where(
        _waiting.c.operator_id == _parts.c.operator_id,
        _waiting.c.payment_id == _parts.c.payment_id,
        _waiting.c.collection_id != bindparam("of_debit"),
        _debits.c.state == CollectionState.ASKED.value,
    )
    .correlate(_parts)
    .scalar_subquery()
)
_ended_parts = select(_others.c.payment_id).where(
    _others.c.operator_id == bindparam("operator"), _others.c.collection_id == bindparam("of_debit")
)
HAND_OVER = (
    update(_parts)
    .where(
        _parts.c.operator_id == bindparam("operator"),
        _parts.c.payment_id.in_(_ended_parts),
        _parts.c.collection_id == _first_waiting,
    )
    .values(is_open=1)
)


_collection = [_debits.c[name] for name in debits.DEBIT_COLLECTIONS.names]
_of_batch = (_debits.c.operator_id == bindparam("operator"), _debits.c.batch_id == bindparam("of_batch"))
_is_asked = (*_of_batch, _debits.c.state == CollectionState.ASKED.value)
_in_file = (*_is_asked, _debits.c.pending_id != "")
_of_group = (_debits.c.scheme == bindparam("of_scheme"), _debits.c.sequence == bindparam("of_sequence"))
ASKED_SUMS = (
    select(_debits.c.scheme, _debits.c.sequence, func.sum(_debits.c.amount_minor))
    .where(*_in_file)
    .group_by(_debits.c.scheme, _debits.c.sequence)
)
ASKED_BEHIND = (
    select(*_collection)
    .where(*_in_file, *_of_group, _debits.c.mandate_id > bindparam("after"))
    .order_by(_debits.c.mandate_id)
    .limit(bindparam("most"))
    .with_for_update()
)
ASKED_COUNTS = (
    select(_debits.c.scheme, _debits.c.sequence, func.count(_debits.c.amount_minor))
    .where(*_is_asked)
    .group_by(_debits.c.scheme, _debits.c.sequence)
)
STILL_ASKED = (
    select(*_collection)
    .where(*_is_asked, *_of_group)
    .order_by(_debits.c.mandate_id)
    .limit(bindparam("most"))
    .with_for_update()
)
HAS_COME = (
    select(_debits.c.collection_id)
    .where(*_of_batch, _debits.c.state.in_((CollectionState.COLLECTED.value, CollectionState.RETURNED.value)))
    .limit(1)
)
_jobs = machinery.JOBS.table
IS_ENDING = (
    select(_jobs.c.job_id)
    .where(
        _jobs.c.operator_id == bindparam("operator"),
        _jobs.c.kind == END_DEBITS,
        _jobs.c.state.in_((JobState.READY.value, JobState.LEASED.value)),
    )
    .limit(1)
)
_with_line = (_debits.c.operator_id == bindparam("operator"), _debits.c.line_id == bindparam("of_line"))
COLLECTED_WITH = (
    select(*_collection)
    .where(*_with_line, _debits.c.state == CollectionState.COLLECTED.value)
    .order_by(_debits.c.collection_id)
    .limit(bindparam("most"))
    .with_for_update()
)
GONE_BACK = (
    select(_debits.c.collection_id).where(*_with_line, _debits.c.state != CollectionState.COLLECTED.value).limit(1)
)
_lines = banking.BANK_LINES.table
_of_name = exists().where(
    _debits.c.operator_id == _lines.c.operator_id,
    _debits.c.end_to_end == _lines.c.end_to_end,
    _debits.c.line_id == bindparam("of_line"),
)
_of_mandate = exists().where(
    _mandates.c.operator_id == _lines.c.operator_id,
    _mandates.c.reference == _lines.c.mandate_ref,
    _debits.c.operator_id == _mandates.c.operator_id,
    _debits.c.mandate_id == _mandates.c.mandate_id,
    _debits.c.line_id == bindparam("of_line"),
)
BACK_BEFORE = (
    select(_lines.c.line_id)
    .where(
        _lines.c.operator_id == bindparam("operator"),
        _lines.c.state == BankLineState.OPEN.value,
        _lines.c.amount_minor < 0,
        # What a person has undone waits for a person.
        _lines.c.revision == 0,
        _lines.c.line_id > bindparam("after"),
        or_(_of_name.correlate(_lines), _of_mandate.correlate(_lines)),
    )
    .order_by(_lines.c.line_id)
    .limit(bindparam("most"))
)


class Unit(Protocol):
    """What these questions need of the unit of work."""

    operator: OperatorId
    mandates: Rows[Mandate]
    customer_holds: Rows[CustomerHold]
    debit_collections: Rows[DebitCollection]

    @property
    def connection(self) -> Connection:
        """With all that was to be written on it."""
        ...


class DebitQueries:
    """A part of the unit's questions."""

    _unit: Unit

    def mandates_after(self, after: str, most: int) -> list[Mandate]:
        """Mandates by which may be collected, in order, behind the one that is named; held."""
        return self._unit.mandates.learn(self._told(MANDATES_AFTER, after=after, most=most))

    def due_by_mandate(self, first: str, last: str, collect_on: str, most: int) -> list[DueItem]:
        """What may be asked for with the mandates from one to another, by mandate, first what is due first."""
        rows = self._told(DUE_BY_MANDATE, first=first, last=last, collect_on=collect_on, most=most)
        return [DueItem(mandate_id, PaymentId(payment), minor, number) for mandate_id, payment, minor, number in rows]

    def asked_with(self, collection_id: str) -> list[CustomerHold]:
        """The open items that a debit asks for, held."""
        return self._unit.customer_holds.learn(self._told(ASKED_WITH, of_debit=collection_id))

    def asked_sums(self, batch_id: str) -> dict[str, int]:
        """What a file still asks for, by group, in order of groups."""
        rows = self._told(ASKED_SUMS, of_batch=batch_id)
        sums = {group_of(Scheme(scheme), Sequence(sequence)): int(minor) for scheme, sequence, minor in rows}
        return dict(sorted(sums.items()))

    def asked_behind(self, batch_id: str, group: str, after: str, most: int) -> list[DebitCollection]:
        """Debits of a group that stand in the file and have not come, by mandate, behind the one that is named; held."""
        named = {"of_batch": batch_id, **_named(group)}
        return self._unit.debit_collections.learn(self._told(ASKED_BEHIND, after=after, most=most, **named))

    def asked_counts(self, batch_id: str) -> dict[str, int]:
        """How many debits of a file have neither come nor ended, by group."""
        rows = self._told(ASKED_COUNTS, of_batch=batch_id)
        return {group_of(Scheme(scheme), Sequence(sequence)): int(count) for scheme, sequence, count in rows}

    def still_asked(self, batch_id: str, group: str, most: int) -> list[DebitCollection]:
        """Debits of a group that have neither come nor ended, by mandate; held."""
        named = {"of_batch": batch_id, **_named(group)}
        return self._unit.debit_collections.learn(self._told(STILL_ASKED, most=most, **named))

    def has_come(self, batch_id: str) -> bool:
        """Whether a debit of a file has come, even if it went back."""
        return bool(self._told(HAS_COME, of_batch=batch_id))

    def is_ending_debits(self) -> bool:
        """Whether payers of a file that was refused or let go wait to be asked anew."""
        return bool(self._told(IS_ENDING))

    def collected_with(self, line_id: str, most: int) -> list[DebitCollection]:
        """Debits that have come with a line and are there still, held."""
        return self._unit.debit_collections.learn(self._told(COLLECTED_WITH, of_line=line_id, most=most))

    def has_gone_back(self, line_id: str) -> bool:
        """Whether a debit that came with a line is not there any more."""
        return bool(self._told(GONE_BACK, of_line=line_id))

    def back_before(self, line_id: str, after: str, most: int) -> list[str]:
        """Ids of lines that wait and take back what came with a line, behind the one that is named."""
        return [str(row[0]) for row in self._told(BACK_BEFORE, of_line=line_id, after=after, most=most)]

    def close_parts(self, collection_id: str) -> None:
        """None of the items of a debit is asked for by it any more: what another one waits for is that one's again."""
        self._change(CLOSE_PARTS, collection_id)
        self._change(HAND_OVER, collection_id)

    def open_parts_again(self, collection_id: str) -> None:
        """The items of a debit are asked for by it again, but for those that another one asks for."""
        self._change(OPEN_PARTS_AGAIN, collection_id)

    def _change(self, clause: Any, collection_id: str) -> None:
        connection = self._unit.connection
        statement = compiled(clause, connection.dialect)
        asked = {"operator": self._unit.operator, "of_debit": collection_id}
        connection.change(statement.sql, statement.bind(asked))

    def _told(self, clause: Any, **values: Any) -> list[tuple[Any, ...]]:
        connection = self._unit.connection
        statement = compiled(clause, connection.dialect)
        return connection.execute(statement.sql, statement.bind({**values, "operator": self._unit.operator}))


def _named(group: str) -> dict[str, str]:
    scheme, _, sequence = group.partition("-")
    return {"of_scheme": scheme.lower(), "of_sequence": sequence}
