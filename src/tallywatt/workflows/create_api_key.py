"""Keys for programs: made, shown once, kept as a hash, revoked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.customers.access import ALL_SCOPES, ApiKey, Scope, secret_hash
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.kernel.events import Event
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork

KEY_START = "twk"
"""Every key starts with it, so that a scanner finds one that was published by mistake."""
PREFIX_CHARACTERS = 12
SECRET_CHARACTERS = 52


@dataclass(frozen=True, slots=True)
class CreateApiKey:
    """What the key is for, what it may do, and until when."""

    name: str
    scopes: tuple[str, ...] = (Scope.READ.value,)
    expires_at: Instant | None = None
    """Machine time."""


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """The key's row, and its text: nobody can show that again."""

    key: ApiKey
    text: str


def create_api_key(work: UnitOfWork, command: CreateApiKey) -> NewApiKey:
    """Make a key: `twk_<prefix>_<secret>`."""
    known = set(ALL_SCOPES)
    unknown = sorted(set(command.scopes) - known)
    if unknown or not command.scopes:
        msg = f"a key needs scopes out of {', '.join(sorted(known))}" + (f"; {unknown[0]!r} is none" if unknown else "")
        raise BadInput(msg, code="access.unknown_scope")
    if not command.name.strip():
        msg = "a key needs a name that says what it is for"
        raise BadInput(msg, code="access.no_name")
    if command.expires_at is not None and command.expires_at <= work.machine_now:
        msg = "the key would expire before it is made"
        raise BadInput(msg, code="access.already_expired")
    prefix = work.draw.token("api key prefix", PREFIX_CHARACTERS).lower()
    secret = work.draw.token("api key secret", SECRET_CHARACTERS).lower()
    text = f"{KEY_START}_{prefix}_{secret}"
    key = ApiKey(
        api_key_id=work.draw.id("api key"),
        name=command.name.strip(),
        prefix=prefix,
        secret_hash=secret_hash(text),
        scopes=tuple(sorted(set(command.scopes))),
        created_at=work.machine_now,
        expires_at=command.expires_at,
        last_used_at=None,
        revoked_at=None,
    )
    if not work.api_keys.add(key):
        msg = "this key could not be made; ask again"
        raise Conflict(msg, code="access.prefix_taken")
    record_action(
        work, "api_key.create", "api_key", key.api_key_id, after={"name": key.name, "scopes": list(key.scopes)}
    )
    return NewApiKey(key, text)


@dataclass(frozen=True, slots=True)
class RevokeApiKey:
    """Which key."""

    api_key_id: str


def revoke_api_key(work: UnitOfWork, command: RevokeApiKey) -> ApiKey:
    """End a key at once. Ending it again changes nothing."""
    key = work.api_keys.lock(command.api_key_id)
    if key.revoked_at is not None:
        return key
    work.events.append(Event("api_key", key.api_key_id, "ApiKeyRevoked"))
    record_action(work, "api_key.revoke", "api_key", key.api_key_id, before={"name": key.name})
    return work.api_keys.put(replace(key, revoked_at=work.machine_now))
