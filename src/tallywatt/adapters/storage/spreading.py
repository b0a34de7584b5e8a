"""Spreading events to the endpoints of partners, and claiming what is due: the machinery of outgoing webhooks.

One consumer reads the line of events by position and writes deliveries in the transaction of its cursor, so a process that dies
loses none and writes none twice. An endpoint that was disabled, or replays, lags behind with a position of its own until it
has caught up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, exists, func, or_, select, update

from tallywatt.adapters.storage.sequencer import (
    EVENT_COLUMNS,
    WEBHOOKS,
    as_recorded,
    events_after,
    hold_cursor,
    move_cursor,
)
from tallywatt.adapters.storage.statements import Statement, compiled, inserting
from tallywatt.adapters.storage.tables.machinery import CURSORS, EVENTS
from tallywatt.adapters.storage.tables.partners import DELIVERIES, ENDPOINTS, MESSAGES, SECRETS
from tallywatt.partners import catalogue
from tallywatt.partners.delivery import OPEN_STATES, DeliveryState
from tallywatt.partners.endpoint import EndpointState
from tallywatt.partners.schedule import AT_ONCE, LEASE_SECONDS, PROBE_AFTER_FAILURES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.unit import SqlUnitOfWork
    from tallywatt.adapters.storage.vault import Vault
    from tallywatt.kernel.events import RecordedEvent
    from tallywatt.partners.delivery import Delivery
    from tallywatt.partners.endpoint import Endpoint

MOST_EVENTS = 200
"""In one transaction: no command of the writer takes long."""
MOST_POSITIONS = 5000
"""So far one transaction looks for the events of one operator that catches up."""

_endpoints, _deliveries, _secrets, _messages = ENDPOINTS.table, DELIVERIES.table, SECRETS.table, MESSAGES.table
_OPEN = [state.value for state in OPEN_STATES]
_mine = (
    _deliveries.c.operator_id == bindparam("operator"),
    _deliveries.c.endpoint_id == bindparam("endpoint"),
)

_LISTENING = (
    select(_endpoints.c.operator_id, *(_endpoints.c[name] for name in ENDPOINTS.names))
    .where(_endpoints.c.state == EndpointState.ENABLED.value)
    .order_by(_endpoints.c.operator_id, _endpoints.c.endpoint_id)
    .with_for_update()
)
_PLACE = (
    update(_endpoints)
    .where(_endpoints.c.operator_id == bindparam("operator"), _endpoints.c.endpoint_id == bindparam("endpoint"))
    .values(position=bindparam("place"), replay_to=bindparam("until"), version=_endpoints.c.version + 1)
)
_MISSED = (
    select(*EVENT_COLUMNS)
    .where(
        EVENTS.c.operator_id == bindparam("operator"),
        EVENTS.c.position > bindparam("after"),
        EVENTS.c.position <= bindparam("until"),
    )
    .order_by(EVENTS.c.position)
    .limit(MOST_EVENTS)
)
_WAITS = (
    select(_deliveries.c.delivery_id)
    .where(
        *_mine,
        _deliveries.c.aggregate == bindparam("of_aggregate"),
        _deliveries.c.aggregate_id == bindparam("of_id"),
        _deliveries.c.state.in_(_OPEN),
    )
    .limit(1)
)
_AGAIN = (
    update(_deliveries)
    .where(*_mine, _deliveries.c.position == bindparam("place"), _deliveries.c.state.not_in(_OPEN))
    .values(state=bindparam("to_state"), due_at=bindparam("now"), failures=0, ended_at=None)
)


def _run(connection: Connection, clause: Any, **values: Any) -> list[tuple[Any, ...]]:
    statement = compiled(clause, connection.dialect)
    return connection.execute(statement.sql, statement.bind(values))


def _change(connection: Connection, clause: Any, **values: Any) -> int:
    statement = compiled(clause, connection.dialect)
    return connection.change(statement.sql, statement.bind(values))


@dataclass(frozen=True, slots=True)
class Listener:
    """An endpoint, and whose it is."""

    operator_id: str
    endpoint: Endpoint

    def behind(self, told: int) -> bool:
        """Whether it has yet to hear what the others have heard."""
        return self.endpoint.position is not None and self.endpoint.position < told


def spread(work: SqlUnitOfWork, command: None = None) -> int:  # noqa: ARG001  # the shape of a workflow
    """Write the deliveries of the next events, and move on, all or nothing; how far. 0: nobody has anything to hear."""
    connection = work.connection
    told = hold_cursor(connection, WEBHOOKS)
    listeners = [Listener(row[0], ENDPOINTS.decode(tuple(row[1:]))) for row in _run(connection, _LISTENING)]
    if not listeners:
        return 0
    late = [one for one in listeners if one.behind(told)]
    if late:
        return _catch_up(work, min(late, key=lambda one: one.endpoint.position or 0), told)
    begins = [one.endpoint.position for one in listeners]
    if all(begins):
        # Nobody listened until now: what lies before the first of them is of no use to anybody.
        told = max(told, min(place or 0 for place in begins))
    events = events_after(connection, told, MOST_EVENTS)
    if not events:
        return 0
    spreading = _Spreading(work)
    for event in events:
        for one in listeners:
            position = one.endpoint.position
            if one.operator_id == event.operator_id and (position is None or event.position > position):
                spreading.tell(one, event, again=False)
    last = events[-1].position
    move_cursor(connection, WEBHOOKS, last)
    for one in listeners:
        if one.endpoint.position is not None and one.endpoint.position <= last:
            _place(connection, one, None)
    return len(events)


def _catch_up(work: SqlUnitOfWork, late: Listener, told: int) -> int:
    """Tell one endpoint what it has missed, or is to hear again, up to where the others are."""
    position = late.endpoint.position or 0
    until = min(told, position + MOST_POSITIONS)
    rows = _run(work.connection, _MISSED, operator=late.operator_id, after=position, until=until)
    spreading = _Spreading(work)
    for event in map(as_recorded, rows):
        again = late.endpoint.replay_to is not None and event.position <= late.endpoint.replay_to
        spreading.tell(late, event, again=again)
    reached = rows[-1][_POSITION] if len(rows) == MOST_EVENTS else until
    _place(work.connection, late, None if reached >= told else reached)
    return max(reached - position, 1)


_POSITION = [column.name for column in EVENT_COLUMNS].index("position")


def _place(connection: Connection, one: Listener, position: int | None) -> None:
    until = None if position is None else one.endpoint.replay_to
    _change(
        connection, _PLACE, operator=one.operator_id, endpoint=one.endpoint.endpoint_id, place=position, until=until
    )


class _Spreading:
    """Writes messages and deliveries in one transaction."""

    def __init__(self, work: SqlUnitOfWork) -> None:
        self._work = work
        dialect = work.connection.dialect
        self._message = _message(dialect)
        self._delivery = _delivery(dialect)
        self._written: set[str] = set()

    def tell(self, to: Listener, recorded: RecordedEvent, *, again: bool) -> None:
        """Let an endpoint hear of an event, if it wants to; `again` also if it has heard of it already."""
        kind = catalogue.told_as(recorded.event)
        if kind is None or not self._meant_for(to, recorded, kind):
            return
        self._keep(to.operator_id, recorded, kind)
        connection, endpoint_id = self._work.connection, to.endpoint.endpoint_id
        event = recorded.event
        mine = {"operator": to.operator_id, "endpoint": endpoint_id}
        waits = _run(connection, _WAITS, **mine, of_aggregate=event.aggregate, of_id=event.aggregate_id)
        state = (DeliveryState.BLOCKED if waits else DeliveryState.READY).value
        row = {
            "operator_id": to.operator_id,
            "delivery_id": self._work.draw.id(f"delivery/{endpoint_id}/{recorded.position}"),
            "endpoint_id": endpoint_id,
            "message_id": recorded.event_id,
            "position": recorded.position,
            "type": kind.type,
            "aggregate": event.aggregate,
            "aggregate_id": event.aggregate_id,
            "aggregate_version": recorded.version,
            "state": state,
            "due_at": self._work.machine_now,
            "failures": 0,
            "attempts": 0,
            "lease_until": None,
            "leased_by": None,
            "last_status": None,
            "last_error": None,
            "created_at": self._work.machine_now,
            "ended_at": None,
        }
        added = connection.change(self._delivery.sql, self._delivery.bind(row))
        if not added and again:
            _change(connection, _AGAIN, **mine, place=recorded.position, to_state=state, now=self._work.machine_now)

    def _meant_for(self, to: Listener, recorded: RecordedEvent, kind: catalogue.EventType) -> bool:
        if kind.stored == catalogue.TESTED:
            return recorded.event.aggregate_id == to.endpoint.endpoint_id
        return catalogue.wants(to.endpoint.event_types, kind)

    def _keep(self, operator_id: str, recorded: RecordedEvent, kind: catalogue.EventType) -> None:
        if recorded.event_id in self._written:
            return
        self._written.add(recorded.event_id)
        row = {
            "operator_id": operator_id,
            "message_id": recorded.event_id,
            "position": recorded.position,
            "type": kind.type,
            "schema_version": kind.schema_version,
            "body": catalogue.body_of(recorded, kind),
            "created_at": self._work.machine_now,
        }
        self._work.connection.change(self._message.sql, self._message.bind(row))


@cache
def _message(dialect: str) -> Statement:
    return Statement(inserting(_messages, dialect).on_conflict_do_nothing(), dialect)


@cache
def _delivery(dialect: str) -> Statement:
    # Only the same event for the same endpoint may be there already; any other conflict must not pass in silence.
    same = ["operator_id", "endpoint_id", "position"]
    return Statement(inserting(_deliveries, dialect).on_conflict_do_nothing(index_elements=same), dialect)


# --- claiming ---

_is_due = or_(
    and_(_deliveries.c.state == DeliveryState.READY.value, _deliveries.c.due_at <= bindparam("now")),
    and_(_deliveries.c.state == DeliveryState.SENDING.value, _deliveries.c.lease_until <= bindparam("now")),
)
_awake = or_(_endpoints.c.paused_until.is_(None), _endpoints.c.paused_until <= bindparam("now"))
_DUE_AT = select(_endpoints.c.operator_id, _endpoints.c.endpoint_id).where(
    _endpoints.c.state == EndpointState.ENABLED.value,
    _awake,
    or_(
        *(
            exists().where(
                _deliveries.c.operator_id == _endpoints.c.operator_id,
                _deliveries.c.endpoint_id == _endpoints.c.endpoint_id,
                one,
            )
            for one in _is_due.clauses
        )
    ),
)
_ENDPOINT = (
    select(*(_endpoints.c[name] for name in ENDPOINTS.names))
    .where(
        _endpoints.c.operator_id == bindparam("operator"),
        _endpoints.c.endpoint_id == bindparam("endpoint"),
        _endpoints.c.state == EndpointState.ENABLED.value,
        _awake,
    )
    .with_for_update(skip_locked=True)
)
_SENDING = select(func.count()).where(
    *_mine, _deliveries.c.state == DeliveryState.SENDING.value, _deliveries.c.lease_until > bindparam("now")
)
_DUE = (
    select(*(_deliveries.c[name] for name in DELIVERIES.names))
    .where(*_mine, _is_due)
    .order_by(_deliveries.c.due_at, _deliveries.c.position)
    .limit(bindparam("most"))
)
_BODY = select(_messages.c.body).where(
    _messages.c.operator_id == bindparam("operator"), _messages.c.message_id == bindparam("message")
)
_SIGNING = (
    select(_secrets.c.key_id, _secrets.c.sealed_secret)
    .where(
        _secrets.c.operator_id == bindparam("operator"),
        _secrets.c.endpoint_id == bindparam("endpoint"),
        or_(_secrets.c.expires_at.is_(None), _secrets.c.expires_at > bindparam("now")),
    )
    .order_by(_secrets.c.secret_id.desc())
)
_LEASE = (
    update(_deliveries)
    .where(_deliveries.c.operator_id == bindparam("operator"), _deliveries.c.delivery_id == bindparam("id"))
    .values(
        state=DeliveryState.SENDING.value,
        lease_until=bindparam("until"),
        leased_by=bindparam("who"),
        attempts=_deliveries.c.attempts + 1,
    )
)
_SENDERS = select(_deliveries.c.leased_by).where(_deliveries.c.state == DeliveryState.SENDING.value).distinct()
_FREE = (
    update(_deliveries)
    .where(_deliveries.c.state == DeliveryState.SENDING.value, _deliveries.c.leased_by == bindparam("who"))
    .values(state=DeliveryState.READY.value, lease_until=None, leased_by=None)
)


def due_endpoints(connection: Connection, now: int) -> list[tuple[str, str]]:
    """Operator and endpoint wherever something is due: asked before anything is claimed, so that idle costs no write."""
    return [(row[0], row[1]) for row in _run(connection, _DUE_AT, now=now)]


def events_waiting(connection: Connection) -> bool:
    """Whether somebody listens who has not heard everything yet."""
    return bool(_run(connection, _UNTOLD))


_told = select(CURSORS.c.position).where(CURSORS.c.consumer == WEBHOOKS).scalar_subquery()
_enabled = _endpoints.c.state == EndpointState.ENABLED.value
_UNTOLD = (
    select(_endpoints.c.endpoint_id)
    .where(
        _enabled,
        or_(
            select(func.max(EVENTS.c.position)).scalar_subquery() > func.coalesce(_told, 0),
            _endpoints.c.position < func.coalesce(_told, 0),
        ),
    )
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class ClaimDeliveries:
    """Where something is due, how much may be taken in all, and by whom."""

    where: tuple[tuple[str, str], ...]
    most: int
    owner: str
    vault: Vault


@dataclass(frozen=True, slots=True)
class Parcel:
    """One delivery that is ours until its lease ends, with all that is needed to send it."""

    operator_id: str
    delivery: Delivery
    url: str
    body: bytes
    secrets: tuple[bytes, ...]
    """The newest first."""


def claim_deliveries(work: SqlUnitOfWork, command: ClaimDeliveries) -> list[Parcel]:
    """Take due deliveries, a few of each endpoint: one that is slow, or has much to hear, leaves the others their share."""
    found: list[Parcel] = []
    # Where there is not enough for all, not always the same ones come first.
    start = command.most and work.draw.seed[0] % max(len(command.where), 1)
    for operator, endpoint_id in (*command.where[start:], *command.where[:start]):
        if len(found) >= command.most:
            break
        found += _claim_of(work, command, operator, endpoint_id, command.most - len(found))
    return found


def _claim_of(
    work: SqlUnitOfWork, command: ClaimDeliveries, operator: str, endpoint_id: str, most: int
) -> list[Parcel]:
    connection, now = work.connection, work.machine_now
    mine = {"operator": operator, "endpoint": endpoint_id}
    rows = _run(connection, _ENDPOINT, **mine, now=now)
    if not rows:
        return []
    endpoint: Endpoint = ENDPOINTS.decode(rows[0])
    at_once = 1 if endpoint.failures >= PROBE_AFTER_FAILURES else AT_ONCE
    room = at_once - int(_run(connection, _SENDING, **mine, now=now)[0][0])
    if room <= 0:
        return []
    due = [DELIVERIES.decode(row) for row in _run(connection, _DUE, **mine, now=now, most=min(room, most))]
    if not due:
        return []
    secrets = tuple(
        command.vault.open(connection, operator, key_id, bytes(sealed))
        for key_id, sealed in _run(connection, _SIGNING, **mine, now=now)
    )
    parcels = []
    for one in due:
        who = f"{command.owner}/{one.attempts + 1}"
        _change(connection, _LEASE, operator=operator, id=one.delivery_id, until=now + LEASE_SECONDS * 1000, who=who)
        [[body]] = _run(connection, _BODY, operator=operator, message=one.message_id)
        parcels.append(Parcel(operator, _leased(one, who), endpoint.url, str(body).encode(), secrets))
    return parcels


def _leased(one: Delivery, who: str) -> Delivery:
    return replace(one, state=DeliveryState.SENDING, attempts=one.attempts + 1, leased_by=who)


def free_deliveries(work: SqlUnitOfWork, is_gone: Callable[[str], bool]) -> int:
    """Give back what senders held that have ended; how many. The others' leases run out by themselves."""
    gone = [who for (who,) in _run(work.connection, _SENDERS) if is_gone(who or "")]
    return sum(_change(work.connection, _FREE, who=who) for who in gone)
