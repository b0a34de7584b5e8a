"""Pure: OCPP 2.1 in our words. Sessions are told as in 2.0.1; around them are new messages, and two new kinds of frame."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tallywatt.adapters.ocpp import v201
from tallywatt.adapters.ocpp.following import following

if TYPE_CHECKING:
    from tallywatt.stations.command import StationCommand

PROTOCOL = "ocpp2.1"


def say(command: StationCommand) -> tuple[str, dict[str, Any]]:
    """A command as OCPP 2.1 says it: all that 2.0.1 says is valid here."""
    return v201.say(command)


DIALECT = replace(
    v201.DIALECT,
    protocol=PROTOCOL,
    schemas="v21",
    facts={**v201.DIALECT.facts, **following("ReportDERControl")},
    at_once={
        **v201.DIALECT.at_once,
        "ClosePeriodicEventStream": b"{}",
        "NotifyDERAlarm": b"{}",
        "NotifyDERStartStop": b"{}",
        "NotifyPriorityCharging": b"{}",
        "OpenPeriodicEventStream": b'{"status":"Rejected"}',
        "PullDynamicScheduleUpdate": b'{"status":"Rejected"}',
    },
    sends=frozenset({"NotifyPeriodicEventStream"}),
    say=say,
    answers_bad_results=True,
)
