"""A station has counted for itself: kept beside the session and compared with the price that is charged, which is ours."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.money import Money, currency
from tallywatt.metering.counted import USUAL_TOLERANCE_MINOR, ToldCost, difference
from tallywatt.rating.station_tariff import is_our_name
from tallywatt.workflows.listen import settle_inbox, to_inbox
from tallywatt.workflows.show_price import rule_for

if TYPE_CHECKING:
    from tallywatt.kernel.identity import FrameId
    from tallywatt.metering.facts import Sampled, Started, Stopped
    from tallywatt.metering.session import Session
    from tallywatt.rating.records import RatedResult
    from tallywatt.workflows.ports import UnitOfWork

COST_DIFFERS: Final = "cost_differs"


def hear_cost(
    work: UnitOfWork, session: Session, fact: Started | Sampled | Stopped, frame_id: FrameId, *, is_final: bool = False
) -> None:
    """Keep the newest of what its station has counted; that of the end is compared with the price, when there is one."""
    if fact.cost is None:
        return
    known = work.told_costs.find(session.session_id)
    number = fact.sequence_number
    if known is not None:
        is_old = number is not None and known.sequence_number is not None and number < known.sequence_number
        if is_old or (known.is_final and not is_final):
            return
    cost = fact.cost
    row = ToldCost(
        session.session_id,
        cost.currency,
        cost.before_taxes,
        cost.after_taxes,
        cost.kind,
        cost.failure,
        cost.tariff_id if is_our_name(cost.tariff_id) else None,
        cost.parts,
        number,
        is_final,
        fact.heard.received_at,
        frame_id,
    )
    if known is None:
        work.told_costs.add(row)
    else:
        work.told_costs.put(replace(row, version=known.version))
    compare_cost(work, session)


def compare_cost(work: UnitOfWork, session: Session) -> None:
    """Lay the station's sum beside ours. Ours is charged; a person is told of a difference that is more than rounding."""
    told = work.told_costs.find(session.session_id)
    if told is None or not told.is_final or session.rated_id is None or told.rated_id == session.rated_id:
        return
    ours = work.rated_results.get(session.rated_id)
    exponent = currency(ours.currency).exponent
    found = difference(told, ours.currency, exponent, ours.net_minor, ours.gross_minor)
    work.told_costs.put(replace(told, rated_id=session.rated_id, difference_minor=found))
    rule = rule_for(work, session.station_id or "")
    tolerance = USUAL_TOLERANCE_MINOR if rule is None or rule.tolerance_minor is None else rule.tolerance_minor
    has_sum = told.failure is None and (told.after_taxes is not None or told.before_taxes is not None)
    is_foreign = has_sum and told.currency not in {None, ours.currency}
    if is_foreign or (found is not None and abs(found) > tolerance):
        _tell(work, session, told, ours, found)
    else:
        settle_inbox(work, COST_DIFFERS, session.session_id, "by the price of now they are the same")


def _tell(work: UnitOfWork, session: Session, told: ToldCost, ours: RatedResult, found: int | None) -> None:
    with_tax = told.after_taxes is not None
    theirs = told.after_taxes if with_tax else told.before_taxes
    minor = ours.gross_minor if with_tax else ours.net_minor
    own = Money(minor, currency(ours.currency)).decimal
    basis = "with tax" if with_tax else "before tax"
    assert theirs is not None, "without a sum there is nothing to tell"
    to_inbox(
        work,
        COST_DIFFERS,
        f"the station has counted {theirs:f} {told.currency or ours.currency} {basis}, and {own} {ours.currency} is charged",
        session.session_id,
        session.rated_id,
        station_id=session.station_id,
        session_id=session.session_id,
        frame_id=told.frame_id,
        detail={
            "counted": f"{theirs:f}",
            "charged": f"{own}",
            "currency": told.currency or ours.currency,
            "difference_minor": found,
            "tariff_id": told.tariff_id,
            "parts": told.parts,
        },
    )
