"""Single sign-on on the console: which organisations' sign-ins are known, and what their people are here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from tallywatt.customers.roles import ROLES, Role
from tallywatt.entrypoints.http.console.people import references
from tallywatt.entrypoints.http.console.shown import Text, done, shown
from tallywatt.entrypoints.http.doors import Admin, TheHouse, actor_of
from tallywatt.entrypoints.http.single_sign_on import BACK
from tallywatt.entrypoints.pages.words import label
from tallywatt.kernel.errors import BadInput
from tallywatt.workflows.add_identity_provider import (
    AddIdentityProvider,
    EndIdentityProvider,
    add_identity_provider,
    end_identity_provider,
)

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter()
HERE = "/console/settings/single-sign-on"
STAFF = tuple(role for role, duties in ROLES.items() if not duties.is_bound)


@router.get(HERE)
async def list_providers(request: Request, caller: Admin, house: TheHouse) -> Response:
    """Providers, and a form for another."""
    return await _page(request, house, caller)


async def _page(request: Request, house: House, caller: Caller, status: int = 200, **context: Any) -> Response:
    told: dict[str, Any] = {
        "subject": "single-sign-on",
        "rows": await house.ask(house.views.identity_providers, caller.operator_id),
        "back": f"{house.settings.base_url}{BACK}",
        "staff_words": [(role.value, label(role.value, "role")) for role in STAFF],
        "refusal": None,
        "given": {},
    }
    return await shown(request, house, caller, "settings_sign_on.html", "settings", status, **{**told, **context})


@router.post(HERE)
async def add(
    request: Request,
    caller: Admin,
    house: TheHouse,
    name: Text = "",
    issuer: Text = "",
    client_id: Text = "",
    client_secret: Text = "",
    domains: Text = "",
    role_claim: Text = "",
    roles: Text = "",
    default_role: Text = "",
) -> Response:
    """Another provider."""
    given = {
        "name": name, "issuer": issuer, "client_id": client_id, "domains": domains, "role_claim": role_claim,
        "roles": roles, "default_role": default_role,
    }  # fmt: skip
    try:
        command = AddIdentityProvider(
            name, issuer.strip(), client_id.strip(), client_secret.strip(), references(domains),
            role_claim.strip() or None, mapping_of(roles), role_of(default_role) if default_role else None,
        )  # fmt: skip
        await house.write(caller.operator_id, add_identity_provider, command, actor=actor_of(caller))
    except BadInput as refusal:
        return await _page(request, house, caller, 400, refusal=refusal, given=given)
    return done(HERE, "added")


@router.post(f"{HERE}/{{provider_id}}/end")
async def end(provider_id: str, caller: Admin, house: TheHouse) -> Response:
    """Let nobody in by this provider any more."""
    await house.write(
        caller.operator_id, end_identity_provider, EndIdentityProvider(provider_id), actor=actor_of(caller)
    )
    return done(HERE, "removed")


def mapping_of(text: str) -> tuple[tuple[str, Role], ...]:
    """Values of a claim and the roles that they give: `charging-admins = owner`, by commas or on lines."""
    found = []
    for one in references(text):
        value, equals, role = one.rpartition("=")
        if not equals or not value.strip():
            msg = f"{one!r} is no value with a role"
            raise BadInput(msg, code="sso.bad_roles", remedy="write: charging-admins = owner")
        found.append((value.strip(), role_of(role)))
    return tuple(found)


def role_of(text: str) -> Role:
    """The role of a word; BadInput when there is none."""
    word = text.strip().casefold().replace(" ", "_")
    if word not in STAFF:
        msg = f"{text.strip()!r} is no role of staff"
        raise BadInput(msg, code="sso.bad_roles", remedy=f"there are: {', '.join(STAFF)}")
    return Role(word)
