"""A station asks whether a token may charge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.customers.customer import fold
from tallywatt.metering.facts import TokenAnswer
from tallywatt.metering.session import PayerKind
from tallywatt.rating.choose import choose_tariff
from tallywatt.rating.explain import headline
from tallywatt.rating.freeze import follows_market
from tallywatt.rating.offer import price_shown, shown_data
from tallywatt.rating.read import read_tariff_text
from tallywatt.stations.display import TARIFF
from tallywatt.stations.messages import NEWEST, OLD
from tallywatt.stations.station import StationState
from tallywatt.workflows.cover_start import may_start
from tallywatt.workflows.keep_reservation import is_reserved_for_others
from tallywatt.workflows.keep_tariff import own_tariff
from tallywatt.workflows.name_token import safe_uid
from tallywatt.workflows.offer_price import assignments_for, place_of, who_is
from tallywatt.workflows.show_price import is_shown
from tallywatt.workflows.who_pays import NO_CREDIT, authorization_of, find_token, who_owes

if TYPE_CHECKING:
    from tallywatt.customers.customer import Token
    from tallywatt.metering.facts import TokenShown
    from tallywatt.workflows.ports import UnitOfWork

NOT_NOW = "NotAtThisTime"
"""OCPP 2.x: everything at the station is kept for others. In 1.6 it is `Blocked`."""
MOST_PLACES = 8
"""At a station with more EVSEs than this nobody is told a price before the EVSE is known."""


def show_token(work: UnitOfWork, fact: TokenShown) -> TokenAnswer:
    """The OCPP AuthorizationStatus of a token, whatever case the reader reports it in, and its group."""
    token = find_token(work, fold(safe_uid(work, fact.token_uid)))
    status, group = authorization_of(token, now=work.now), token.group_uid if token else None
    if token is not None and token.customer_id is not None and status == "Accepted":
        status = status if may_start(work, token.customer_id) else NO_CREDIT
    if status == "Accepted" and _is_kept_for_others(work, fact, token):
        status = "Blocked" if fact.heard.protocol == OLD else NOT_NOW
    if status != "Accepted" or fact.heard.protocol == OLD:
        return TokenAnswer(status, group)
    price = _price_of(work, fact, token)
    return TokenAnswer(status, group) if price is None else TokenAnswer(status, group, *price)


def _is_kept_for_others(work: UnitOfWork, fact: TokenShown, token: Token | None) -> bool:
    """Whether nothing at that station is free for it. Which EVSE it will be is not told, so one that is free is enough."""
    station_id = fact.heard.station_id
    if not work.reservations.by(station_id=station_id, is_watched=1):
        return False
    evses = [one.evse_id for one in work.evses.by(station_id=station_id)]
    return is_reserved_for_others(work, station_id, token, evses)


def _price_of(
    work: UnitOfWork, fact: TokenShown, token: Token | None
) -> tuple[str | None, dict[str, Any] | None] | None:
    """The prices that hold for it, for the display and for counting; None where they depend on which EVSE it will be."""
    station = work.stations.find(fact.heard.station_id)
    if station is None or station.state is not StationState.ADOPTED:
        return None
    if not is_shown(work, station.station_id, fact.heard.protocol, TARIFF):
        return None
    evses = work.evses.by(station_id=station.station_id)
    if not 0 < len(evses) <= MOST_PLACES:
        return None
    payer = who_owes(work, token)
    who = who_is(work, payer, work.now)
    versions = set()
    for evse in evses:
        place = place_of(station, evse)
        chosen = choose_tariff(assignments_for(work, place), place, work.now, who)
        versions.add(None if chosen is None else chosen.assignment.tariff_version_id)
    only = versions.pop()
    if versions or only is None:
        return None
    tariff = read_tariff_text(work.tariff_versions.get(only).canonical)
    if follows_market(tariff):
        return None  # its price is the one of the moment in which the session begins
    operator = work.operators.get()
    location = work.locations.find(station.location_id) if station.location_id else None
    shown = price_shown(tariff, work.now, location.zone if location else operator.zone)
    customer = work.customers.find(payer[1]) if payer[0] is PayerKind.CUSTOMER and payer[1] else None
    locale = customer.language if customer is not None else operator.language
    words = headline(shown_data(shown), tariff.currency.code, locale) or None
    return words, own_tariff(work, station, only, locale) if fact.heard.protocol == NEWEST else None
