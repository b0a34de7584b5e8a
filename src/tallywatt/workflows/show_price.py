"""What a session costs is told to the display of its station: while it runs, and in the end.

Nothing waits for it. It is a command like any other, so that it can be seen what became of it; a station that refuses it is
told no more of that session, and one that is silent twice is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput
from tallywatt.kernel.identity import (
    SessionId,
    StationId,  # commands travel over the control socket, and their types are read there
)
from tallywatt.kernel.money import Money, currency
from tallywatt.metering.session import PayerKind, SessionState
from tallywatt.rating.amounts import fix_amounts
from tallywatt.rating.explain import amount, energy, headline
from tallywatt.rating.offer import price_shown
from tallywatt.rating.outlook import outlook
from tallywatt.rating.records import Dimension, TaxBasis
from tallywatt.stations.command import Action, CommandState
from tallywatt.stations.display import (
    COST,
    COST_KEY,
    LEAST_SECONDS,
    MOST_SECONDS,
    USUAL_SECONDS,
    CostNow,
    DisplayRule,
    Rates,
    Shows,
    ToldPrice,
    final,
    is_told,
    running,
    shows,
    user_price,
)
from tallywatt.stations.messages import NEWEST, OLD
from tallywatt.stations.station import StationState
from tallywatt.workflows.command_station import CommandStation, command_station
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.live_price import live_price
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.who_pays import find_token

if TYPE_CHECKING:
    from decimal import Decimal

    from tallywatt.metering.session import MeterReading, Session
    from tallywatt.rating.live import LiveRating
    from tallywatt.rating.outlook import PriceFrom
    from tallywatt.stations.command import StationCommand
    from tallywatt.stations.station import Station
    from tallywatt.workflows.ports import UnitOfWork

SHOW_PRICE: Final = "show_price"
"""Job: tell the station of that session what it costs, again and again while it runs."""
SHOW_FINAL_PRICE: Final = "show_final_price"
"""Job: tell the station of that session what it has cost."""
FIRST_MS: Final = 2_000
"""The answer to the start goes first."""
ANSWER_SECONDS: Final = 10
"""A station that thinks longer about its display keeps other commands waiting."""
MOST_SILENCES: Final = 2
MOST_TOLERANCE: Final = 10_000
KEEP_TARIFFS: Final = "keep_tariffs"
"""Job: tell that station the tariffs that hold at its EVSEs."""
SPREAD_TARIFFS: Final = "spread_tariffs"
"""Job: another tariff holds from now on; all stations that count for themselves are looked at."""


def begin_showing(work: UnitOfWork, session: Session, station: Station, protocol: str) -> None:
    """A session has begun: if its station shows prices, it will be told this one. In the transaction of the start."""
    if session.offer_id is None or station.state is not StationState.ADOPTED:
        return
    if is_shown(work, station.station_id, protocol) and work.told_prices.add(
        ToldPrice(session.session_id, None, None, None)
    ):
        work.jobs.add(Job(SHOW_PRICE, session.session_id, not_before=Instant(work.machine_now + FIRST_MS)))


def end_showing(work: UnitOfWork, session: Session) -> None:
    """A session has its price: if its station was told what it costs, it is told the end of it too."""
    if work.told_prices.find(session.session_id) is not None:
        work.jobs.add(Job(SHOW_FINAL_PRICE, session.session_id))


def rule_for(work: UnitOfWork, station_id: str) -> DisplayRule | None:
    """What is said of a station, else of all."""
    return work.display_rules.find(station_id) or work.display_rules.find("")


def is_shown(work: UnitOfWork, station_id: str, protocol: str, what: str = COST) -> bool:
    """Whether a station is told costs, or tariffs."""
    place = {"name": COST_KEY} if protocol == OLD else {"component": "TariffCostCtrlr"}
    told = work.station_variables.by(station_id=station_id, **place)
    return is_told(rule_for(work, station_id), protocol, shows(protocol, told, what))


def total_of(work: UnitOfWork, session: Session) -> tuple[str | None, str | None]:
    """What a session has cost, as a figure and in words; None while that is not known."""
    if session.rated_id is None:
        return None, None
    result = work.rated_results.get(session.rated_id)
    cost = str(Money(result.gross_minor, currency(result.currency)).decimal)
    locale = language_of(work, session)
    return cost, total_text(result.gross_minor, result.currency, session.milliwatt_hours, locale)


def tariff_words(work: UnitOfWork, session: Session) -> str | None:
    """The prices with which a session has begun, as a display shows them."""
    if session.offer_id is None:
        return None
    offer = work.offers.get(session.offer_id)
    return headline(offer.shown, offer.currency, language_of(work, session)) or None


@dataclass(frozen=True, slots=True)
class ShowPrice:
    """Which session."""

    session_id: SessionId


def show_price(work: UnitOfWork, command: ShowPrice) -> int | None:
    """Tell what it costs so far, if that is news; in how many seconds to look again, None: it is over."""
    told = work.told_prices.lock(command.session_id)
    session = work.sessions.get(command.session_id)
    going_on = {SessionState.ACTIVE, SessionState.ENDED}
    if told.is_refused or told.is_final or session.state not in going_on or session.station_id is None:
        return None
    station = work.stations.get(session.station_id)
    rule = rule_for(work, station.station_id)
    if station.state is not StationState.ADOPTED or (rule is not None and rule.shows is Shows.NEVER):
        return None
    every = USUAL_SECONDS if rule is None else rule.every_seconds
    told, is_free = _followed(work, told)
    if told.is_refused or told.silences >= MOST_SILENCES:
        work.told_prices.put(told)
        return None
    readings = work.meter_readings.by(session_id=session.session_id)
    live = live_price(work, session, readings) if is_free else None
    if live is None:
        return every
    # A vehicle that only stands there is not told of by anybody: its time runs up to now.
    until = None if session.is_open else work.machine_now
    gross = fix_amounts(live.so_far(until), live.policy).gross_minor
    protocol = station.protocol or OLD
    words = tariff_words(work, session) if protocol == OLD and told.told_at is None else None
    token = find_token(work, session.token_uid) if words is not None else None
    if words is not None and token is not None:
        _send(work, session, station, user_price(token.uid, words), part=1)
    if gross != told.gross_minor:
        row = _send(work, session, station, running(protocol, _cost_now(session, live, readings, gross)))
        told = replace(told, gross_minor=gross, told_at=work.machine_now, command_id=row.command_id)
    work.told_prices.put(told)
    return every


def _followed(work: UnitOfWork, told: ToldPrice) -> tuple[ToldPrice, bool]:
    """What became of the last telling, and whether the next one may go out."""
    if told.command_id is None:
        return told, True
    last = work.station_commands.get(told.command_id)
    if last.is_open:
        return told, False
    if last.state is CommandState.REJECTED and last.answered_at is not None:
        return replace(told, is_refused=True), False
    if last.state is CommandState.COMPLETED:
        return replace(told, silences=0), True
    return replace(told, silences=told.silences + 1, gross_minor=None), True


def _send(
    work: UnitOfWork, session: Session, station: Station, said: tuple[str, dict[str, Any]], part: int = 0
) -> StationCommand:
    name, content = said
    return command_station(
        work,
        CommandStation(
            station.station_id,
            Action.MESSAGE,
            {"name": name, "content": content},
            session_id=session.session_id,
            deadline_seconds=ANSWER_SECONDS,
            part=part,
        ),
    )


def _cost_now(session: Session, live: LiveRating, readings: list[MeterReading], gross: int) -> CostNow:
    ahead = outlook(live)
    exact = Money(gross, live.tariff.currency).decimal
    last = max(readings, key=lambda one: (one.occurred_at, one.register), default=None)
    change = ahead.change
    rates = _rates(live, ahead.now)
    if rates.idle_per_hour is None:
        # What standing there would cost is worth knowing before it begins.
        rates = replace(rates, idle_per_hour=_idle_price(live, ahead.at))
    return CostNow(
        transaction_id=session.transaction_id or "",
        cost=exact,
        at=live.heard_until,
        register=session.meter_start if last is None else last.register,
        is_idle=session.transaction_ended_at is not None or (bool(live.readings) and live.watts == 0),
        rates=rates,
        next_at=None if change is None else change.at,
        next_rates=Rates() if change is None else _rates(live, change),
    )


def _rates(live: LiveRating, seen: PriceFrom) -> Rates:
    """The prices after taxes: a display shows what is paid."""
    found = {one.dimension: _with_tax(live, one.price, one.tax_rate) for one in seen.prices}
    return Rates(
        found.get(Dimension.ENERGY),
        found.get(Dimension.TIME),
        found.get(Dimension.FLAT),
        found.get(Dimension.PARKING_TIME),
    )


def _idle_price(live: LiveRating, at: Instant) -> Decimal | None:
    shown = price_shown(live.tariff, at, live.begun.zone)
    lines = [one for one in shown.now if one.dimension is Dimension.PARKING_TIME]
    return _with_tax(live, lines[0].unit_price, lines[0].tax_rate) if lines else None


def _with_tax(live: LiveRating, price: Decimal, tax_rate: Decimal | None) -> Decimal:
    if live.tariff.tax_basis is TaxBasis.NET and tax_rate is not None:
        return price * (100 + tax_rate) / 100
    return price


@dataclass(frozen=True, slots=True)
class ShowFinalPrice:
    """Which session."""

    session_id: SessionId


def show_final_price(work: UnitOfWork, command: ShowFinalPrice) -> int | None:
    """Tell what it has cost: to the last minor unit what its bill says. In how many seconds to look again."""
    told = work.told_prices.lock(command.session_id)
    session = work.sessions.get(command.session_id)
    if told.is_final or session.rated_id is None or session.station_id is None or session.transaction_id is None:
        return None
    followed, is_free = _followed(work, told)
    if followed.is_refused or followed.silences >= MOST_SILENCES:
        work.told_prices.put(followed)
        return None
    if not is_free:
        return ANSWER_SECONDS
    station = work.stations.get(session.station_id)
    if station.state is not StationState.ADOPTED:
        return None
    result = work.rated_results.get(session.rated_id)
    cost = Money(result.gross_minor, currency(result.currency)).decimal
    text = total_text(result.gross_minor, result.currency, session.milliwatt_hours, language_of(work, session))
    row = _send(work, session, station, final(station.protocol or OLD, session.transaction_id, cost, text))
    after = replace(
        followed, gross_minor=result.gross_minor, told_at=work.machine_now, command_id=row.command_id, is_final=True
    )
    work.told_prices.put(after)
    return None


def total_text(gross_minor: int, code: str, milliwatt_hours: int, locale: str) -> str:
    """What a session has cost, as a display shows it: 12.40 EUR · 24.8 kWh."""
    cost = amount(Money(gross_minor, currency(code)).decimal, code, locale)
    return f"{cost} · {energy(milliwatt_hours, locale, places=2)}"


def language_of(work: UnitOfWork, session: Session) -> str:
    """What a driver is spoken to: a customer's own language, else the one of the operator's country."""
    if session.payer is PayerKind.CUSTOMER and session.payer_id is not None:
        customer = work.customers.find(session.payer_id)
        if customer is not None:
            return customer.language
    return work.operators.get().language


@dataclass(frozen=True, slots=True)
class SetDisplay:
    """Whether prices are told to one station's display, or (None) wherever nothing else is said, and how often.

    None: as it was, or as usual.
    """

    station_id: StationId | None
    shows: Shows | None = None
    every_seconds: int | None = None
    tolerance_minor: int | None = None
    """By how much a cost that a station counts itself may differ from ours."""


def set_display(work: UnitOfWork, command: SetDisplay) -> DisplayRule:
    """Keep it; sessions that begin from now on go by it, and those that run end by a `never`."""
    if command.every_seconds is not None and not LEAST_SECONDS <= command.every_seconds <= MOST_SECONDS:
        msg = f"a display is told a price every {LEAST_SECONDS} to {MOST_SECONDS} seconds"
        raise BadInput(msg, code="stations.bad_interval", remedy=f"leave it out: {USUAL_SECONDS} seconds are usual")
    scope = "" if command.station_id is None else work.stations.get(command.station_id).station_id
    known = work.display_rules.find(scope)
    tolerance = command.tolerance_minor
    if tolerance is not None and not 0 <= tolerance <= MOST_TOLERANCE:
        msg = f"a cost may differ by 0 to {MOST_TOLERANCE} minor units"
        raise BadInput(msg, code="stations.bad_tolerance", remedy="leave it out: one minor unit is usual")
    was = known or DisplayRule(scope, Shows.AUTO, USUAL_SECONDS, work.machine_now)
    row = replace(
        was,
        shows=was.shows if command.shows is None else command.shows,
        every_seconds=was.every_seconds if command.every_seconds is None else command.every_seconds,
        tolerance_minor=was.tolerance_minor if tolerance is None else tolerance,
        changed_at=work.machine_now,
    )
    if known is None:
        work.display_rules.add(row)
    else:
        row = work.display_rules.put(row)
    before = None if known is None else _said_of(known)
    record_action(work, "station.set_display", "station", scope or "all", before=before, after=_said_of(row))
    look_at_tariffs(work, scope)
    return row


def look_at_tariffs(work: UnitOfWork, station_id: str, not_before: Instant | None = None) -> None:
    """What stations of OCPP 2.1 are told to count by may be another now: at one station, or (empty) at all of them."""
    if station_id:
        if work.stations.get(station_id).protocol == NEWEST:
            work.jobs.add(Job(KEEP_TARIFFS, station_id, {}, not_before))
    elif work.stations.by(state=StationState.ADOPTED.value, protocol=NEWEST):
        work.jobs.add(Job(SPREAD_TARIFFS, work.operator, {}, not_before))


def _said_of(rule: DisplayRule) -> dict[str, Any]:
    said: dict[str, Any] = {"shows": rule.shows.value, "every_seconds": rule.every_seconds}
    return said if rule.tolerance_minor is None else {**said, "tolerance_minor": rule.tolerance_minor}
