"""What concerns only oneself: who one is, one's sessions, signing out everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import AfterValidator

from tallywatt.customers.access import Caller
from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.browsers import browser_label
from tallywatt.entrypoints.http.console.shown import shown
from tallywatt.entrypoints.http.doors import SignedIn, TheHouse, actor_of, csrf_token, let_in
from tallywatt.entrypoints.http.shapes import storable
from tallywatt.entrypoints.pages.render import page
from tallywatt.kernel.errors import BadInput, Conflict, NotAllowed
from tallywatt.workflows.claim_console import ClaimConsole, claim_console
from tallywatt.workflows.sign_in import (
    SESSION_LIFE_SECONDS,
    BecomeMember,
    LeaveConsole,
    LeaveEverywhere,
    become_member,
    leave_console,
    leave_everywhere,
)

if TYPE_CHECKING:
    from tallywatt.wiring import House

router = APIRouter()
SomeText = Annotated[str, Form(max_length=300), AfterValidator(storable)]


def _at_a_page(caller: SignedIn) -> Caller:
    if caller.session_id is None:
        msg = "this is for people at a page, not for keys"
        raise NotAllowed(msg)
    return caller


AtAPage = Annotated[Caller, Depends(_at_a_page)]
"""A person with a session, whatever they may."""


@router.get("/account")
async def show_account(request: Request, caller: AtAPage, house: TheHouse) -> Response:
    """My account."""
    return await account_page(request, house, caller)


async def account_page(
    request: Request, house: House, caller: Caller, status: int = 200, **context: Any
) -> HTMLResponse:
    """The page of an account: inside the console for who belongs there, on a page of its own for a driver."""
    person = None
    sessions: list[dict[str, Any]] = []
    passkeys: list[dict[str, Any]] = []
    if caller.role is not None:
        person = await house.ask(house.views.person, caller.operator_id, caller.id)
        rows = await house.ask(house.views.sessions_of_person, caller.operator_id, caller.id)
        passkeys = await house.ask(house.views.passkeys_of, caller.operator_id, caller.id)
        sessions = [row for row in rows if house.machine.now() < row["expires"]]
    told: dict[str, Any] = {"person": person, "sessions": sessions, "me": caller, "refusal": None}
    told |= {"passkeys": passkeys, "has_passkeys": house.has_passkeys, "browser": _browser(request), **context}
    if caller.customers is None:
        return await shown(request, house, caller, "account.html", "account", status, frame="console.html", **told)
    operator = await operator_of(house, caller.operator_id)
    common = {
        "frame": "driver.html",
        "operator": operator,
        "zone": operator["zone"],
        "csrf": csrf_token(house.secret, caller),
    }
    return HTMLResponse(page("account.html", **common, **told), status)


def _browser(request: Request) -> str:
    """What a new passkey is called unless its person says otherwise."""
    return browser_label(request.headers.get("user-agent")) or ""


@router.post("/account/claim")
async def claim(request: Request, caller: AtAPage, house: TheHouse, name: SomeText, email: SomeText) -> Response:
    """Whoever came by a first-run link says who they are, and is an owner from then on."""
    assert caller.session_id is not None, "asked by AtAPage"
    command = ClaimConsole(caller.session_id, name, email)
    try:
        await house.write(caller.operator_id, claim_console, command, actor=actor_of(caller))
    except (BadInput, Conflict) as refusal:
        return await account_page(request, house, caller, 400, refusal=refusal)
    return RedirectResponse("/account?said=saved", 303)


@router.post("/account/as/{membership_id}")
async def become(request: Request, membership_id: str, caller: AtAPage, house: TheHouse) -> Response:
    """Go on in another role that one has."""
    assert caller.session_id is not None, "asked by AtAPage"
    command = BecomeMember(caller.session_id, membership_id, browser_label(request.headers.get("user-agent")))
    made = await house.write(caller.operator_id, become_member, command, actor=actor_of(caller))
    answer = RedirectResponse("/", 303)
    let_in(answer, house, made.secret, SESSION_LIFE_SECONDS)
    return answer


@router.post("/account/sessions/{session_id}/leave")
async def leave_one(session_id: str, caller: AtAPage, house: TheHouse) -> Response:
    """Sign out of another browser."""
    await house.write(caller.operator_id, leave_console, LeaveConsole(session_id, caller.id), actor=actor_of(caller))
    return RedirectResponse("/account?said=left#sessions", 303)


@router.post("/account/leave-everywhere")
async def leave_all(caller: AtAPage, house: TheHouse) -> Response:
    """Sign out of every other browser."""
    command = LeaveEverywhere(caller.id, caller.session_id)
    await house.write(caller.operator_id, leave_everywhere, command, actor=actor_of(caller))
    return RedirectResponse("/account?said=left#sessions", 303)
