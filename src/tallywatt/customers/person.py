"""Pure: people, what they are to an operator, and invitations. Everything that tells who somebody is can be erased."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from tallywatt.customers.roles import Role
    from tallywatt.kernel.clock import Instant

LONGEST_EMAIL = 254
"""RFC 5321: a path of 256 with its brackets."""
LONGEST_NAME = 200
_EMAIL = re.compile(r"[^@\s<>\"(),:;\[\]\\]{1,64}@[^@\s.<>\"(),:;\[\]\\]+(\.[^@\s.<>\"(),:;\[\]\\]+)*")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in. `email_folded` is what is compared; both are gone after an erasure."""

    person_id: str
    name: str
    email: str | None
    email_folded: str | None
    created_at: Instant
    version: int = 1


@dataclass(frozen=True, slots=True)
class Membership:
    """What a person is to an operator. Drivers and managers of a fleet are bound to customers."""

    membership_id: str
    person_id: str
    role: Role
    customer_ids: tuple[str, ...]
    created_at: Instant
    ended_at: Instant | None
    version: int = 1

    @property
    def is_open(self) -> bool:
        """Whether it still lets somebody in."""
        return self.ended_at is None


@dataclass(frozen=True, slots=True)
class Invitation:
    """A place that somebody was offered. Whoever holds its link may take it, once, until it expires or is taken back."""

    invitation_id: str
    email: str
    email_folded: str
    role: Role
    customer_ids: tuple[str, ...]
    secret_hash: str
    created_at: Instant
    expires_at: Instant
    accepted_at: Instant | None
    revoked_at: Instant | None
    version: int = 1

    def is_open(self, now: Instant) -> bool:
        """Whether it can be taken at this moment."""
        return self.accepted_at is None and self.revoked_at is None and now < self.expires_at


def fold_email(email: str) -> str:
    """The form in which addresses are compared; BadInput when it is none.

    Whole addresses are folded: by the letter the part before the @ may tell cases apart, and no mail system in use does.
    """
    folded = email.strip().casefold()
    if len(folded) > LONGEST_EMAIL or not _EMAIL.fullmatch(folded):
        msg = "this is not an e-mail address"
        raise BadInput(msg, code="people.bad_email")
    return folded


def checked_name(name: str) -> str:
    """A person's name as it is kept; BadInput when there is nothing in it, or more than a name."""
    kept = " ".join(name.split())
    if not 0 < len(kept) <= LONGEST_NAME:
        msg = f"a person needs a name of at most {LONGEST_NAME} characters"
        raise BadInput(msg, code="people.bad_name")
    return kept
