"""The price of sessions that are not billed yet: what was worked out is kept, and only what is new is read and priced.

It is kept in memory, and made anew from the rows whenever something came late or another process knows more: the rows are the
truth, and a process that has just started only takes a little longer for its first answer.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import bindparam, func, select

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables import metering, rating, reservations, stations
from tallywatt.adapters.storage.views.asking import Question, Row, mine
from tallywatt.adapters.storage.views.billed import before_of
from tallywatt.kernel.clock import rfc3339
from tallywatt.kernel.energy import wh
from tallywatt.metering.growing import Growing
from tallywatt.metering.measure import Flag, activities, measure, metered
from tallywatt.metering.reserved import with_reserved_time
from tallywatt.metering.session import SessionState
from tallywatt.rating.amounts import fix_amounts
from tallywatt.rating.ends import WaitsFor, waits_for
from tallywatt.rating.explain import amount, quantity, sentence, title, unit_price
from tallywatt.rating.live import LiveRating
from tallywatt.rating.outlook import Limit, Outlook, PriceFrom, outlook, reaches
from tallywatt.rating.policy import read_policy_text
from tallywatt.rating.read import read_tariff_text
from tallywatt.rating.results import rated_rows
from tallywatt.rating.tariff import plain

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.mapping import Mapping
    from tallywatt.kernel.identity import RatedId
    from tallywatt.metering.session import MeterReading, Session
    from tallywatt.rating.records import Offer
    from tallywatt.stations.reservation import Reservation
    from tallywatt.stations.station import ConnectorState

KEPT: Final = 4096
"""So many sessions are remembered; of those that were asked for least recently nothing is kept."""
_ZONE_DATA_OF_A_DRAFT: Final = ""
"""A price that is only shown is stored nowhere, so nobody will ask for the zone data behind it."""

_sessions = metering.SESSIONS.table
_readings = metering.METER_READINGS.table
_states = stations.CONNECTOR_STATES.table
_offers = rating.OFFERS.table
_tariffs = rating.TARIFF_VERSIONS.table
_policies = rating.POLICY_VERSIONS.table
_of = bindparam("of_session", type_=_sessions.c.session_id.type)


def _all(mapping: Mapping[Any]) -> Select[Any]:
    return select(*[mapping.table.c[name] for name in mapping.names]).where(mine(mapping.table))


def _rows(connection: Connection, clause: Select[Any], mapping: Mapping[Any], **values: Any) -> list[Any]:
    statement = compiled(clause, connection.dialect)
    return [mapping.decode(row) for row in connection.execute(statement.sql, statement.bind(values))]


_SESSION = _all(metering.SESSIONS).where(_sessions.c.session_id == _of)
_READINGS = _all(metering.METER_READINGS).where(_readings.c.session_id == _of)
_NEWER = _READINGS.where(_readings.c.occurred_at >= bindparam("since"))
_COUNT = Question(select(func.count().label("readings")).where(mine(_readings), _readings.c.session_id == _of))
_STATES = _all(stations.CONNECTOR_STATES).where(
    _states.c.evse_id == bindparam("of_evse"),
    _states.c.occurred_at >= bindparam("start"),
    _states.c.occurred_at <= bindparam("end"),
).order_by(_states.c.occurred_at, _states.c.received_at)  # fmt: skip
_OFFER = _all(rating.OFFERS).where(_offers.c.offer_id == bindparam("of_offer"))
_KEPT = _all(reservations.RESERVATIONS).where(
    reservations.RESERVATIONS.table.c.reservation_id == bindparam("of_reservation")
)
_TARIFF = Question(
    select(_tariffs.c.canonical).where(mine(_tariffs), _tariffs.c.tariff_version_id == bindparam("of_version"))
)
_POLICY = Question(
    select(_policies.c.canonical).where(mine(_policies), _policies.c.policy_version_id == bindparam("of_policy"))
)


class _Known(NamedTuple):
    """What is remembered of a session."""

    facts: tuple[object, ...]
    """What must still be so: else everything is read anew."""
    live: LiveRating
    growing: Growing
    readings: int
    newest: int
    """When the last reading was taken."""
    at_newest: int
    """How many were taken then."""


class Running:
    """What sessions cost so far."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()
        self._lock = Lock()

    def cost_so_far(
        self,
        connection: Connection,
        operator_id: str,
        session_id: str,
        locale: str = "en",
        limit: Limit | None = None,
    ) -> Row | None:
        """What a session costs by what is known of it, and what is ahead of it. None without a tariff.

        It is worked out as of the last word of the station (`as_of_at`): between two readings nothing is guessed.
        """
        found: list[Session] = _rows(
            connection, _SESSION, metering.SESSIONS, operator=operator_id, of_session=session_id
        )
        if not found or found[0].offer_id is None:
            return None
        # One after the other: what is remembered belongs to all threads, and an answer takes less than a millisecond.
        with self._lock:
            return self._cost(connection, operator_id, found[0], locale, limit)

    def _cost(
        self, connection: Connection, operator_id: str, session: Session, locale: str, limit: Limit | None
    ) -> Row:
        live = self._live(connection, operator_id, session)
        rated = live.so_far()
        draft: RatedId = session.session_id  # type: ignore[assignment]  # nothing is stored under it
        until = live.heard_until
        rows = rated_rows(
            draft,
            replace(live.begun, transaction_ended_at=until),
            rated,
            fix_amounts(rated, live.policy),
            created_at=until,
            zone_data_version=_ZONE_DATA_OF_A_DRAFT,
        )
        goes_on = session.state is SessionState.ACTIVE or (
            session.state is SessionState.ENDED
            and session.occupancy_ended_at is None
            and waits_for(live.tariff) is WaitsFor.OCCUPANCY
        )
        return {
            "currency": rows.result.currency,
            "net_minor": rows.result.net_minor,
            "tax_minor": rows.result.tax_minor,
            "gross_minor": rows.result.gross_minor,
            "energy_wh": wh(live.milliwatt_hours),
            "as_of_at": rfc3339(until),
            "final": False,
            "lines": [
                {
                    "title": title(line.reason_code, locale),
                    "sentence": sentence(line, session.zone, locale),
                    "quantity_text": quantity(line, locale),
                    "unit_price": str(line.unit_price),
                    "dimension": line.dimension.value,
                    "gross_minor": line.gross_minor,
                    "net_minor": line.net_minor,
                }
                for line in rows.lines
            ],
            "ahead": _ahead(live, locale, limit) if goes_on else None,
        }

    def _live(self, connection: Connection, operator_id: str, session: Session) -> LiveRating:
        """The session as it was remembered, with what is new; or made anew."""
        key = operator_id, session.session_id
        states = _states_of(connection, operator_id, session)
        facts = _facts(session)
        known = self._known.pop(key, None)
        same = (
            known is not None and known.facts == facts and _had_the_same(connection, operator_id, session, known.live)
        )
        after = _told(connection, key, known, session, states) if known is not None and same else None
        if after is None:
            after = _anew(connection, key, facts, session, states)
        self._known[key] = after
        if len(self._known) > KEPT:
            self._known.popitem(last=False)
        return after.live


def _had_the_same(connection: Connection, operator_id: str, session: Session, live: LiveRating) -> bool:
    """Whether nothing was billed meanwhile that counts before this session; asked where its tariff asks for it."""
    return not live.tariff.asks_before or before_of(connection, operator_id, session, live.tariff) == live.before


def _facts(session: Session) -> tuple[object, ...]:
    return (
        session.started_at,
        session.transaction_ended_at,
        session.occupancy_ended_at,
        session.energy_ended_at,
        session.meter_start,
        session.meter_stop,
        session.offer_id,
        session.reservation_id,
        Flag.CLOCK_NOT_SET in session.flags,
    )


def _states_of(connection: Connection, operator_id: str, session: Session) -> list[ConnectorState]:
    if session.evse_id is None:
        return []
    end = session.occupancy_ended_at
    span = {"of_evse": session.evse_id, "start": session.started_at, "end": end if end is not None else 2**62}
    return _rows(connection, _STATES, stations.CONNECTOR_STATES, operator=operator_id, **span)


def _told(
    connection: Connection, key: tuple[str, str], known: _Known, session: Session, states: list[ConnectorState]
) -> _Known | None:
    """What is known now, by the new rows alone; None where they do not simply follow those that were known."""
    place = {"operator": key[0], "of_session": key[1]}
    new: list[MeterReading] = _rows(connection, _NEWER, metering.METER_READINGS, **place, since=known.newest)
    count = _COUNT.rows(connection, **place)[0]["readings"]
    later = [one for one in new if one.occurred_at > known.newest]
    if len(new) - len(later) != known.at_newest or count != known.readings + len(later):
        return None
    told = activities(states, session.started_at)
    before = known.live.activities
    grown = known.growing.grow(later) if session.transaction_ended_at is None or not later else None
    if grown is None or told[: len(before)] != before:
        return None
    known.live.hear(grown, told[len(before) :])
    newest = max((one.occurred_at for one in later), default=known.newest)
    at_newest = sum(one.occurred_at == newest for one in later) if later else known.at_newest
    return known._replace(readings=count, newest=newest, at_newest=at_newest)


def _anew(
    connection: Connection,
    key: tuple[str, str],
    facts: tuple[object, ...],
    session: Session,
    states: list[ConnectorState],
) -> _Known:
    operator_id, session_id = key
    readings: list[MeterReading] = _rows(
        connection, _READINGS, metering.METER_READINGS, operator=operator_id, of_session=session_id
    )
    offer: Offer = _rows(connection, _OFFER, rating.OFFERS, operator=operator_id, of_offer=session.offer_id)[0]
    tariff = _TARIFF.first(connection, operator=operator_id, of_version=offer.tariff_version_id)
    policy = _POLICY.first(connection, operator=operator_id, of_policy=offer.policy_version_id)
    assert tariff is not None, "an offer names a version that is there"
    assert policy is not None, "and a policy"
    measured = measure(
        session.started_at, session.meter_start, readings, session.transaction_ended_at, session.meter_stop
    )
    usable = Flag.CLOCK_NOT_SET not in session.flags
    so_far = metered(session, measured, states, session.started_at, clock_is_usable=usable)
    if session.reservation_id is not None:
        place = {"operator": operator_id, "of_reservation": session.reservation_id}
        kept: list[Reservation] = _rows(connection, _KEPT, reservations.RESERVATIONS, **place)
        so_far = with_reserved_time(so_far, kept[0] if kept else None)
    terms = read_tariff_text(tariff["canonical"])
    before = before_of(connection, operator_id, session, terms)
    live = LiveRating(so_far, terms, read_policy_text(policy["canonical"]), before)
    if session.transaction_ended_at is not None:
        live.end_transaction(session.transaction_ended_at, session.energy_ended_at or measured.energy_ended_at)
    if session.occupancy_ended_at is not None:
        live.end_occupancy(session.occupancy_ended_at)
    newest = max((one.occurred_at for one in readings), default=0)
    return _Known(
        facts,
        live,
        Growing(session.started_at, session.meter_start, readings),
        len(readings),
        newest,
        sum(one.occurred_at == newest for one in readings),
    )


def _ahead(live: LiveRating, locale: str, limit: Limit | None) -> Row:
    """What is ahead, in figures and in the words of the tariff."""
    seen: Outlook = outlook(live)
    reached = reaches(live, limit) if limit is not None else None
    return {
        "watts": seen.watts,
        "next_minute": plain(seen.next_minute_rounded),
        "next_minute_text": amount(seen.next_minute_rounded, live.tariff.currency.code, locale),
        "prices": _prices(live, seen.now, locale),
        "change": None
        if seen.change is None
        else {
            "at": rfc3339(seen.change.at),
            "energy_wh": wh(seen.change.milliwatt_hours),
            "prices": _prices(live, seen.change, locale),
        },
        "limit": None if reached is None else {"at": rfc3339(reached.at), "reached": reached.limit},
    }


def _prices(live: LiveRating, seen: PriceFrom, locale: str) -> list[Row]:
    return [
        {
            "dimension": one.dimension.value,
            "price": plain(one.price),
            "text": unit_price(one.price, live.tariff.currency.code, one.dimension, locale),
        }
        for one in seen.prices
    ]
