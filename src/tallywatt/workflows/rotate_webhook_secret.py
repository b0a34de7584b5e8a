"""Give an endpoint a new secret. The old one signs beside it for a while, so that the receiver can change over in peace."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput
from tallywatt.partners.schedule import LONGEST_OLD_SECRET_SECONDS, OLD_SECRET_SECONDS
from tallywatt.workflows.add_webhook_endpoint import WithSecret, keep_new_secret
from tallywatt.workflows.change_webhook_endpoint import lock_endpoint
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class RotateWebhookSecret:
    """Which endpoint, and how long the old secret still holds; 0: it is known to the wrong people, and ends now."""

    endpoint_id: str
    old_holds_seconds: int = OLD_SECRET_SECONDS


def rotate_webhook_secret(work: UnitOfWork, command: RotateWebhookSecret) -> WithSecret:
    """A new secret at once; every older one ends then, or earlier if that was said before."""
    if not 0 <= command.old_holds_seconds <= LONGEST_OLD_SECRET_SECONDS:
        msg = f"an old secret holds for at most {LONGEST_OLD_SECRET_SECONDS} seconds"
        raise BadInput(msg, code="webhooks.old_secret_too_long")
    endpoint = lock_endpoint(work, command.endpoint_id)
    end = Instant(work.machine_now + command.old_holds_seconds * 1000)
    for old in work.webhook_secrets.by(endpoint_id=endpoint.endpoint_id):
        if old.expires_at is None or old.expires_at > end:
            work.webhook_secrets.put(replace(old, expires_at=end))
    secret = keep_new_secret(work, endpoint.endpoint_id)
    record_action(
        work,
        "webhook_endpoint.rotate",
        "webhook_endpoint",
        endpoint.endpoint_id,
        after={"old_holds_seconds": command.old_holds_seconds},
    )
    return WithSecret(endpoint, secret)
