"""Identity providers of an operator: added, ended."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tallywatt.customers.identity import IdentityProvider
from tallywatt.customers.roles import ROLES, Role
from tallywatt.kernel.errors import BadInput
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork

SEALED_CLASS: Final = "identity providers"
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
LONGEST: Final = 500


@dataclass(frozen=True, slots=True)
class AddIdentityProvider:
    """A provider as its own pages tell it, and what its people are here."""

    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    allowed_domains: tuple[str, ...] = ()
    role_claim: str | None = None
    roles: tuple[tuple[str, Role], ...] = ()
    default_role: Role | None = None


def add_identity_provider(work: UnitOfWork, command: AddIdentityProvider) -> IdentityProvider:
    """Keep a provider, its secret sealed."""
    _check(command)
    provider_id = work.draw.id("identity provider")
    key_id, sealed = work.vault.seal(SEALED_CLASS, provider_id, command.client_secret.encode())
    made = IdentityProvider(
        provider_id=provider_id,
        name=command.name.strip(),
        issuer=command.issuer,
        client_id=command.client_id,
        secret_key_id=key_id,
        client_secret=sealed,
        allowed_domains=tuple(one.strip().casefold().lstrip("@") for one in command.allowed_domains if one.strip()),
        role_claim=command.role_claim or None,
        roles={value: role.value for value, role in command.roles},
        default_role=command.default_role,
        created_at=work.machine_now,
        ended_at=None,
    )
    work.identity_providers.add(made)
    after = {
        "issuer": made.issuer,
        "client": made.client_id,
        "domains": list(made.allowed_domains),
        "claim": made.role_claim,
        "roles": dict(made.roles),
        "default": made.default_role.value if made.default_role else None,
    }
    record_action(work, "identity_provider.add", "identity_provider", provider_id, after=after)
    return made


def _check(command: AddIdentityProvider) -> None:
    parts = urlsplit(command.issuer)
    at_home = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not (parts.scheme == "https" or at_home) or not parts.hostname or parts.query or parts.fragment:
        msg = "an issuer is an https address without a query"
        raise BadInput(msg, code="sso.bad_issuer", remedy="copy it from the provider's discovery document")
    for name, value in (("name", command.name), ("client id", command.client_id), ("secret", command.client_secret)):
        if not 0 < len(value.strip()) <= LONGEST:
            msg = f"a provider needs a {name} of at most {LONGEST} characters"
            raise BadInput(msg, code="sso.missing")
    given = [role for _, role in command.roles] + ([command.default_role] if command.default_role else [])
    bound = next((role for role in given if ROLES[role].is_bound), None)
    if bound is not None:
        msg = f"a provider does not say whose things a {bound.value} sees"
        raise BadInput(msg, code="sso.bound_role", remedy="invite drivers and managers of fleets")
    if command.roles and not command.role_claim:
        msg = "roles are given by a claim, and none is named"
        raise BadInput(msg, code="sso.no_claim", remedy="name the claim, such as groups")


@dataclass(frozen=True, slots=True)
class EndIdentityProvider:
    """Which provider lets nobody in any more."""

    provider_id: str


def end_identity_provider(work: UnitOfWork, command: EndIdentityProvider) -> IdentityProvider:
    """End a provider. Who came by it stays a member, and comes in another way; ending it again changes nothing."""
    found = work.identity_providers.lock(command.provider_id)
    if found.ended_at is not None:
        return found
    record_action(work, "identity_provider.end", "identity_provider", found.provider_id)
    return work.identity_providers.put(replace(found, ended_at=work.machine_now))
