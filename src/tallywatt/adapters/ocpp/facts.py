"""Pure: what a dialect makes of a CALL: a fact for a workflow with the answer that follows from it, or an answer at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from tallywatt.kernel.clock import rfc3339
from tallywatt.metering.facts import Heard, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import StationId
    from tallywatt.metering.facts import BootAnswer
    from tallywatt.stations.command import StationCommand


# These two are made for every message: a Struct costs a seventh of a frozen dataclass.


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """A CALL on its way in."""

    station_id: StationId
    protocol: str
    action: str
    message_id: str
    text: bytes
    """The whole message as received."""
    received_at: Instant
    noticed: tuple[str, ...] = ()
    """What was odd about the frame around the payload."""

    def heard(self, flags: list[str]) -> Heard:
        """The frame as it is kept, with what was noticed while it was read."""
        return Heard(
            self.station_id,
            self.protocol,
            self.action,
            self.message_id,
            self.text,
            self.received_at,
            tuple(dict.fromkeys((*self.noticed, *flags))) if flags or self.noticed else (),
        )


class Fact(msgspec.Struct, frozen=True):
    """A command for one of the workflows in `Intake`, and how its result is said to the station."""

    verb: str
    """The workflow's name in `Intake`."""
    command: object
    conclude: Callable[[Any, Instant], bytes | None]
    """From the workflow's result and machine time to the payload of the answer; None: there is nothing that could be said."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One OCPP version: how its messages are read, and how we speak it."""

    protocol: str
    """The subprotocol: ocpp1.6, ocpp2.0.1, ocpp2.1."""
    schemas: str
    """Where the `ocpp` package keeps this version's schemas."""
    schema_suffix: str
    """What follows the action in the name of a request's schema."""
    facts: Mapping[str, Callable[[Incoming, msgspec.Raw], Fact]]
    """Messages that become facts."""
    weighty: frozenset[str]
    """Those among them that carry money or energy: recorded, flagged and acknowledged, never refused."""
    at_once: Mapping[str, bytes]
    """Messages that are checked against their schema and answered with a constant."""
    unreadable: Callable[[Incoming, str, str | None], Fact]
    """What becomes of a weighty message of which nothing or too little can be read: why, and the transaction if told."""
    say: Callable[[StationCommand], tuple[str, dict[str, Any]]]
    """A command of ours as action and payload; `Unspeakable` when this version has no words for it."""
    malformed: str
    """The error code for a payload that is no object."""
    no_message: str
    """The error code for a text that is not a message."""
    occurrence: str
    """The error code for a field that is missing; the versions spell it differently."""
    answers_unknown_id: bool
    """Whether a message without readable id gets an error under the id -1."""
    sends: frozenset[str] = frozenset()
    """Messages that arrive by SEND, and are never answered."""
    checked: frozenset[str] = frozenset()
    """Facts without money or energy that are refused when they break their schema."""
    answers_bad_results: bool = False
    """Whether a result that cannot be used gets a CALLRESULTERROR."""


def acknowledged(_: object, __: Instant) -> bytes:
    """The answer of a message that says nothing back."""
    return b"{}"


def say_boot(told: BootAnswer, now: Instant) -> bytes:
    """The answer to a BootNotification; both versions say it alike."""
    return b'{"currentTime":"%b","interval":%d,"status":"%b"}' % (
        rfc3339(now).encode(),
        told.interval_seconds,
        told.registration.encode(),
    )


def heartbeat(now: Instant) -> bytes:
    """The answer to a Heartbeat; both versions say it alike."""
    return b'{"currentTime":"%b"}' % rfc3339(now).encode()


def unreadable(
    incoming: Incoming, problem: str, transaction_id: str | None, conclude: Callable[[Any, Instant], bytes | None]
) -> Fact:
    """A weighty message that goes to a person instead of to its workflow."""
    return Fact("unreadable", Unreadable(incoming.heard(["schema"]), transaction_id, problem), conclude)
