"""Pure: OCPP 2.1 in our words. Sessions are told as in 2.0.1; around them are new messages, and two new kinds of frame."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from tallywatt.adapters.ocpp import v201
from tallywatt.adapters.ocpp.facts import Fact, Incoming, acknowledged, unreadable
from tallywatt.adapters.ocpp.following import following, noticing
from tallywatt.adapters.ocpp.reading import NoObject, Shape, time_of
from tallywatt.metering.facts import TerminalSettled

if TYPE_CHECKING:
    from tallywatt.stations.command import StationCommand

PROTOCOL = "ocpp2.1"
MOST = 10**9
FINEST_PLACE = 9


class NotifySettlement(msgspec.Struct, rename="camel"):
    """A terminal has settled a payment, or has not."""

    psp_ref: Annotated[str, Meta(max_length=255)] | None = None
    status: v201.Name | None = None
    settlement_amount: Decimal | None = None
    settlement_time: v201.Name | None = None
    transaction_id: v201.Token | None = None


_SETTLEMENT = Shape(NotifySettlement, "psp_ref", "status", "settlement_amount", "settlement_time")


def notify_settlement(incoming: Incoming, payload: msgspec.Raw) -> Fact:
    """NotifySettlement."""
    flags: list[str] = []
    try:
        told = _SETTLEMENT.read(payload, flags)
    except NoObject:
        return unreadable(incoming, "the payload is not an object", None, acknowledged)
    amount = told.settlement_amount if told.settlement_amount is not None else Decimal(0)
    lacks = told.settlement_amount is None and told.status == "Settled"
    if not told.psp_ref or told.status is None or lacks or not _is_sum(amount):
        problem = "it does not tell which payment was settled, how, and with what sum"
        return unreadable(incoming, problem, told.transaction_id, acknowledged)
    at = time_of(told.settlement_time or "", incoming.received_at, flags)
    settled = TerminalSettled(
        heard=incoming.heard(flags),
        at=at,
        psp_ref=told.psp_ref,
        status=told.status,
        amount=f"{amount:f}",
        transaction_id=told.transaction_id or None,
    )
    return Fact("settle", settled, acknowledged)


def _is_sum(amount: Decimal) -> bool:
    """Whether it can be a sum of money: what has too many digits is a broken terminal's, and costs time to write out."""
    exponent = amount.as_tuple().exponent
    return amount.is_finite() and isinstance(exponent, int) and exponent >= -FINEST_PLACE and 0 <= amount <= MOST


def say(command: StationCommand) -> tuple[str, dict[str, Any]]:
    """A command as OCPP 2.1 says it: all that 2.0.1 says is valid here."""
    return v201.say(command)


DIALECT = replace(
    v201.DIALECT,
    protocol=PROTOCOL,
    schemas="v21",
    facts={
        **v201.DIALECT.facts,
        **following("ReportDERControl"),
        **noticing(b"{}", "ClosePeriodicEventStream", "NotifyDERAlarm", "NotifyDERStartStop", "NotifyPriorityCharging"),
        "NotifySettlement": notify_settlement,
    },
    weighty=v201.DIALECT.weighty | {"NotifySettlement"},
    at_once={
        **v201.DIALECT.at_once,
        "OpenPeriodicEventStream": b'{"status":"Rejected"}',
        "PullDynamicScheduleUpdate": b'{"status":"Rejected"}',
    },
    sends=frozenset({"NotifyPeriodicEventStream"}),
    say=say,
    answers_bad_results=True,
)
