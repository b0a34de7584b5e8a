"""A key gets a new secret; the old one goes on opening for as long as it takes to bring the new one to where it is used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.customers.access import secret_hash
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.kernel.events import Event
from tallywatt.workflows.create_api_key import KEY_START, SECRET_CHARACTERS, NewApiKey
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork

GRACE_SECONDS = 24 * 3600
LONGEST_GRACE_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class RotateApiKey:
    """Which key, and how long the old secret goes on opening; 0 ends it at once."""

    api_key_id: str
    grace_seconds: int = GRACE_SECONDS


def rotate_api_key(work: UnitOfWork, command: RotateApiKey) -> NewApiKey:
    """Give a key a new secret. Its prefix, name and scopes stay; of old secrets only the last one is kept."""
    if not 0 <= command.grace_seconds <= LONGEST_GRACE_SECONDS:
        msg = f"an old secret goes on opening for at most {LONGEST_GRACE_SECONDS // 86_400} days"
        raise BadInput(msg, code="access.grace_too_long")
    key = work.api_keys.lock(command.api_key_id)
    now = work.machine_now
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
        msg = "this key has ended"
        raise Conflict(msg, code="access.key_ended", remedy="make a new one: tallywatt api-key create NAME")
    secret = work.draw.token("api key secret", SECRET_CHARACTERS).lower()
    text = f"{KEY_START}_{key.prefix}_{secret}"
    until = Instant(now + command.grace_seconds * 1000)
    after = replace(
        key,
        secret_hash=secret_hash(text),
        rotated_at=now,
        old_secret_hash=key.secret_hash if command.grace_seconds else None,
        old_valid_until=until if command.grace_seconds else None,
    )
    if not command.grace_seconds:
        work.events.append(Event("api_key", key.api_key_id, "ApiKeyReplaced"))
    record_action(
        work,
        "api_key.rotate",
        "api_key",
        key.api_key_id,
        before={"name": key.name, "rotated_at": key.rotated_at},
        after={"rotated_at": now, "old_valid_until": after.old_valid_until},
    )
    return NewApiKey(work.api_keys.put(after), text)
