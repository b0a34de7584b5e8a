"""Challenges: handed out, and taken back once, before anybody looks at what came with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.customers.passkey import Challenge, ChallengeKind
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import NotSignedIn

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork

LIFE_SECONDS = 10 * 60
"""As long as somebody may look for a finger, or for a second factor at their organisation."""


@dataclass(frozen=True, slots=True)
class HandOut:
    """What for, and about whom."""

    kind: ChallengeKind
    about: str | None = None


def hand_out(work: UnitOfWork, command: HandOut) -> Challenge:
    """Write down a challenge before it goes out."""
    challenge = Challenge(
        challenge_id=work.draw.id(f"challenge/{command.kind.value}"),
        kind=command.kind,
        about=command.about,
        created_at=work.machine_now,
        expires_at=Instant(work.machine_now + LIFE_SECONDS * 1000),
        used_at=None,
    )
    work.challenges.add(challenge)
    return challenge


@dataclass(frozen=True, slots=True)
class TakeBack:
    """A challenge that came back."""

    challenge_id: str
    kind: ChallengeKind
    about: str | None = None


def take_back(work: UnitOfWork, command: TakeBack) -> Challenge:
    """Use a challenge up. What came with it is looked at afterwards: a wrong answer uses it up, too."""
    found = work.challenges.find(command.challenge_id)
    held = work.challenges.lock(found.challenge_id) if found is not None else None
    if (
        held is None
        or held.kind is not command.kind
        or held.about != command.about
        or held.used_at is not None
        or work.machine_now >= held.expires_at
    ):
        msg = "this was answered before, or took too long"
        raise NotSignedIn(msg, code="access.challenge_spent", remedy="begin again")
    return work.challenges.put(replace(held, used_at=work.machine_now))
