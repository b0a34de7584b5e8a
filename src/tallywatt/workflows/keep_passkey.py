"""Passkeys of a person: kept, renamed, removed, and used to come in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.customers.passkey import Passkey
from tallywatt.customers.roles import Role
from tallywatt.kernel.errors import BadInput, Conflict, NotFound, NotSignedIn
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.sign_in import open_session

if TYPE_CHECKING:
    from tallywatt.customers.person import Membership
    from tallywatt.workflows.ports import UnitOfWork
    from tallywatt.workflows.sign_in import NewConsoleSession

LONGEST_NAME = 60
MOST_PASSKEYS = 20


@dataclass(frozen=True, slots=True)
class KeepPasskey:
    """A passkey that an authenticator has just made for a person, and was checked."""

    person_id: str
    credential_id: str
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    backed_up: bool
    name: str


def keep_passkey(work: UnitOfWork, command: KeepPasskey) -> Passkey:
    """Keep a passkey. No credential belongs to two people."""
    person = work.people.lock(command.person_id)
    if sum(one.removed_at is None for one in work.passkeys.by(person_id=person.person_id)) >= MOST_PASSKEYS:
        msg = f"{MOST_PASSKEYS} passkeys are enough"
        raise Conflict(msg, code="passkeys.too_many", remedy="remove one that is not used any more")
    made = Passkey(
        passkey_id=work.draw.id("passkey"),
        person_id=person.person_id,
        credential_id=command.credential_id,
        public_key=command.public_key,
        sign_count=command.sign_count,
        transports=command.transports,
        name=_named(command.name),
        backed_up=command.backed_up,
        created_at=work.machine_now,
        last_used_at=None,
        removed_at=None,
    )
    if not work.passkeys.add(made):
        msg = "this passkey is kept already"
        raise Conflict(msg, code="passkeys.kept")
    record_action(work, "passkey.add", "passkey", made.passkey_id, after={"person": person.person_id})
    return made


@dataclass(frozen=True, slots=True)
class RenamePasskey:
    """Another name for one's own passkey."""

    person_id: str
    passkey_id: str
    name: str


def rename_passkey(work: UnitOfWork, command: RenamePasskey) -> Passkey:
    """Call a passkey something else."""
    found = _own(work, command.passkey_id, command.person_id)
    record_action(work, "passkey.rename", "passkey", found.passkey_id)
    return work.passkeys.put(replace(found, name=_named(command.name)))


@dataclass(frozen=True, slots=True)
class RemovePasskey:
    """One's own passkey, lost or no longer wanted."""

    person_id: str
    passkey_id: str


def remove_passkey(work: UnitOfWork, command: RemovePasskey) -> Passkey:
    """Let a passkey open nothing any more."""
    found = _own(work, command.passkey_id, command.person_id)
    record_action(work, "passkey.remove", "passkey", found.passkey_id)
    return work.passkeys.put(replace(found, removed_at=work.machine_now))


@dataclass(frozen=True, slots=True)
class EnterByPasskey:
    """A passkey was used, and its signature holds."""

    passkey_id: str
    sign_count: int
    backed_up: bool
    label: str | None = None


def enter_by_passkey(work: UnitOfWork, command: EnterByPasskey) -> NewConsoleSession:
    """Let the passkey's person in. The counter is looked at again while the key is held: two uses at once may be a copy."""
    passkey = work.passkeys.lock(command.passkey_id)
    stuck = (passkey.sign_count or command.sign_count) and command.sign_count <= passkey.sign_count
    if passkey.removed_at is not None or stuck:
        msg = "this passkey is not good any more"
        raise NotSignedIn(msg, code="passkeys.not_good", remedy="come in another way, and make a new one")
    used = replace(passkey, sign_count=command.sign_count, backed_up=command.backed_up, last_used_at=work.machine_now)
    work.passkeys.put(used)
    return open_session(work, widest_membership(work, passkey.person_id), "passkey", command.label)


def widest_membership(work: UnitOfWork, person_id: str) -> Membership:
    """As what somebody comes in who did not say: the role that may most; the others are chosen on their own page."""
    rank = list(Role)
    held = sorted(
        (one for one in work.memberships.by(person_id=person_id) if one.is_open), key=lambda one: rank.index(one.role)
    )
    if not held:
        msg = "this person is no longer with the operator"
        raise NotSignedIn(msg, code="access.membership_ended")
    return held[0]


def _own(work: UnitOfWork, passkey_id: str, person_id: str) -> Passkey:
    found = work.passkeys.lock_by(passkey_id=passkey_id)
    if found is None or found.person_id != person_id or found.removed_at is not None:
        msg = "there is no such passkey"
        raise NotFound(msg, code="passkeys.not_found")
    return found


def _named(name: str) -> str:
    kept = " ".join(name.split())[:LONGEST_NAME]
    if not kept:
        msg = "a passkey needs a name by which you know it again"
        raise BadInput(msg, code="passkeys.no_name")
    return kept
