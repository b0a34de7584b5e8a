"""Pure: identity providers of an operator's organisation (OpenID Connect), and who somebody is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tallywatt.customers.roles import Role

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """Where an operator's people sign in: Entra, Okta, Keycloak, Google. Its secret is sealed."""

    provider_id: str
    name: str
    """As the button says it."""
    issuer: str
    client_id: str
    secret_key_id: str
    client_secret: bytes
    """Sealed."""
    allowed_domains: tuple[str, ...]
    """Whose verified addresses are let in without an invitation; empty: nobody's."""
    role_claim: str | None
    """The claim that names what somebody is there: groups, roles."""
    roles: dict[str, Any]
    """Values of that claim, and the role that each gives."""
    default_role: Role | None
    """The role of somebody of an allowed domain whom the claim gives none; None: they are not let in."""
    created_at: Instant
    ended_at: Instant | None
    version: int = 1

    def role_of(self, claims: dict[str, Any]) -> Role | None:
        """The first of the table of roles that somebody's claims give, or the default."""
        held = claims.get(self.role_claim) if self.role_claim else None
        values = [held] if isinstance(held, str) else held if isinstance(held, list) else []
        given = {self.roles[value] for value in values if isinstance(value, str) and value in self.roles}
        return next((role for role in Role if role.value in given), self.default_role)

    def allows(self, folded_email: str) -> bool:
        """Whether an address is of a domain whose people are let in."""
        return folded_email.rpartition("@")[2] in self.allowed_domains


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    """Who a person is at a provider: issuer and subject, which never change; an address may."""

    identity_id: str
    provider_id: str
    person_id: str
    issuer: str
    subject: str
    created_at: Instant
    last_used_at: Instant | None
    version: int = 1
