"""Pure: what a station tells about a play, step by step, in no protocol's words yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from tallywatt.simulators.site.plan import Fault, Incident, Play, Protocol

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.simulators.site.plan import Reading


class Kind(StrEnum):
    """What a step tells."""

    AUTHORIZE = "authorize"
    PREPARING = "preparing"
    START = "start"
    CHARGING = "charging"
    SAMPLE = "sample"
    SUSPENDED = "suspended"
    STOP = "stop"
    STOP_UNKNOWN = "stop_unknown"
    FINISHING = "finishing"
    AVAILABLE = "available"
    POWER_LOST = "power_lost"


FACTS = frozenset({Kind.START, Kind.SAMPLE, Kind.STOP})
"""Steps that carry money or energy: a station keeps them until they are acknowledged."""

OF_TRANSACTION_201 = frozenset({Kind.START, Kind.SAMPLE, Kind.SUSPENDED, Kind.STOP})
"""Steps that are transaction events in OCPP 2.0.1, counted by seqNo."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens at an instant, and is told then or later.

    `number` counts the transaction's events, for OCPP 2.0.1.
    """

    at: Instant
    kind: Kind
    reading: Reading | None = None
    number: int = 0
    offline: bool = False
    told_later_at: Instant | None = None

    @property
    def told_at(self) -> Instant:
        """When the station tries to tell it for the first time."""
        return self.at if self.told_later_at is None else self.told_later_at


def timeline(play: Play, *, paid_ad_hoc: bool) -> tuple[Step, ...]:
    """Every step of a play, in the order in which the station tells them."""
    steps = _numbered(_honest(play, paid_ad_hoc=paid_ad_hoc))
    if play.incident is Incident.LOST_STOP:
        return _without_an_end(steps, play)
    if Fault.STOP_BEFORE_START in play.faults:
        return _stop_first(steps, play)
    if Fault.OFFLINE in play.faults:
        return _offline_from_the_middle(steps)
    return steps


def _honest(play: Play, *, paid_ad_hoc: bool) -> list[Step]:
    begin, end = play.begin.at, play.end.at
    middle = [Step(sample.at, Kind.SAMPLE, sample) for sample in play.samples]
    if play.suspended_at is not None:
        middle.append(Step(play.suspended_at, Kind.SUSPENDED))
    middle.sort(key=lambda step: step.at)
    return [
        *([] if paid_ad_hoc else [Step(begin, Kind.AUTHORIZE)]),
        Step(begin, Kind.PREPARING),
        Step(begin, Kind.START, play.begin),
        Step(begin, Kind.CHARGING),
        *middle,
        Step(end, Kind.STOP, play.end),
        Step(end, Kind.FINISHING),
        Step(end, Kind.AVAILABLE),
    ]


def _numbered(steps: list[Step]) -> tuple[Step, ...]:
    numbered, number = [], 0
    for step in steps:
        numbered.append(replace(step, number=number))
        number += step.kind in OF_TRANSACTION_201
    return tuple(numbered)


def _without_an_end(steps: tuple[Step, ...], play: Play) -> tuple[Step, ...]:
    """The station loses power after the first half of its samples, and never speaks of this transaction again."""
    told = play.samples[: max(1, len(play.samples) // 2)]
    last = told[-1].at if told else play.begin.at
    heard = [step for step in steps if step.at <= last and step.kind is not Kind.STOP]
    return (*heard, Step(play.end.at, Kind.POWER_LOST))


def _stop_first(steps: tuple[Step, ...], play: Play) -> tuple[Step, ...]:
    """The station's queue is out of order: the stop leaves before the start.

    A 1.6 station cannot name a transaction without an answer: it says -1, and tells the stop again once it knows.
    """
    facts = [replace(step, told_later_at=play.end.at) for step in steps if step.kind in OF_TRANSACTION_201]
    stop = next(step for step in facts if step.kind is Kind.STOP)
    if play.protocol is Protocol.V16:
        facts.insert(0, replace(stop, kind=Kind.STOP_UNKNOWN))
    else:
        facts.remove(stop)
        facts.insert(0, stop)
    before = [step for step in steps if step.kind not in OF_TRANSACTION_201 and step.at < play.end.at]
    after = [step for step in steps if step.kind not in OF_TRANSACTION_201 and step.at >= play.end.at]
    return (*before, *facts, *after)


def _offline_from_the_middle(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The facts after the start are kept by a station that is cut off, and say so where the protocol can."""
    start = next(index for index, step in enumerate(steps) if step.kind is Kind.START)
    return (
        *steps[: start + 1],
        *(replace(step, offline=True) if step.kind in OF_TRANSACTION_201 else step for step in steps[start + 1 :]),
    )
