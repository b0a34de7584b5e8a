"""Add an endpoint at which a partner's system listens. Its secret is shown once; what is kept is sealed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import BadInput
from tallywatt.kernel.events import Event
from tallywatt.partners.address import read_allow_list, read_url
from tallywatt.partners.catalogue import EVERYTHING, read_event_types
from tallywatt.partners.endpoint import Endpoint, EndpointSecret, EndpointState
from tallywatt.partners.signature import new_secret, shown
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork

WEBHOOK_SECRETS = "webhook_secret"
"""The class of sealed data to which secrets of endpoints belong."""
LONGEST_DESCRIPTION = 200
MOST_ENDPOINTS = 50
"""Of one operator: each hears every event that it asked for."""


@dataclass(frozen=True, slots=True)
class AddWebhookEndpoint:
    """Where to send what. `allow` is the installation's allow-list of private hosts."""

    url: str
    event_types: tuple[str, ...] = (EVERYTHING,)
    description: str = ""
    allow: str = ""


@dataclass(frozen=True, slots=True)
class WithSecret:
    """An endpoint, and a secret in the clear: nobody can show that again."""

    endpoint: Endpoint
    secret: str


def add_webhook_endpoint(work: UnitOfWork, command: AddWebhookEndpoint) -> WithSecret:
    """The endpoint hears everything that happens from now on."""
    url = read_url(command.url, read_allow_list(command.allow)).geturl()
    there = [one for one in work.webhook_endpoints.by() if one.state is not EndpointState.REMOVED]
    if len(there) >= MOST_ENDPOINTS:
        msg = f"an operator has at most {MOST_ENDPOINTS} endpoints"
        raise BadInput(msg, code="webhooks.too_many_endpoints", remedy="remove one that nobody reads any more")
    endpoint = Endpoint(
        endpoint_id=work.draw.id("webhook endpoint"),
        url=url,
        description=described(command.description),
        event_types=read_event_types(command.event_types),
        state=EndpointState.ENABLED,
        disabled_because=None,
        disabled_at=None,
        position=work.queries.last_position(),
        replay_to=None,
        failures=0,
        failing_since=None,
        paused_until=None,
        last_delivered_at=None,
        created_at=work.machine_now,
    )
    work.webhook_endpoints.add(endpoint)
    secret = keep_new_secret(work, endpoint.endpoint_id)
    record_action(
        work,
        "webhook_endpoint.add",
        "webhook_endpoint",
        endpoint.endpoint_id,
        after={"url": url, "event_types": list(endpoint.event_types)},
    )
    work.events.append(Event("webhook_endpoint", endpoint.endpoint_id, "WebhookEndpointAdded"))
    return WithSecret(endpoint, secret)


def described(text: str) -> str:
    """A description that fits."""
    if len(text) > LONGEST_DESCRIPTION:
        msg = f"a description has at most {LONGEST_DESCRIPTION} characters"
        raise BadInput(msg, code="webhooks.long_description")
    return text.strip()


def keep_new_secret(work: UnitOfWork, endpoint_id: str) -> str:
    """Make a secret, keep it sealed, and return its text."""
    secret = new_secret(work.draw.seed, f"webhook secret/{endpoint_id}")
    secret_id = work.draw.id(f"webhook secret/{endpoint_id}")
    key_id, sealed = work.vault.seal(WEBHOOK_SECRETS, secret_id, secret)
    work.webhook_secrets.add(EndpointSecret(secret_id, endpoint_id, key_id, sealed, work.machine_now, None))
    return shown(secret)
