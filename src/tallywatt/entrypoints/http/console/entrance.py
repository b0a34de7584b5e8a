"""In and out of the console: a link that works once, and signing out."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from tallywatt.customers.access import secret_hash
from tallywatt.entrypoints.http.browsers import browser_label
from tallywatt.entrypoints.http.doors import SignedIn, TheHouse, actor_of, home_of, let_in, let_out
from tallywatt.entrypoints.pages.render import page
from tallywatt.kernel.errors import NotSignedIn
from tallywatt.workflows.sign_in import SESSION_LIFE_SECONDS, EnterConsole, LeaveConsole, enter_console, leave_console

router = APIRouter()


@router.get("/")
async def front(caller: SignedIn) -> Response:
    """Whoever comes to the front door wants the console, or their own page."""
    return RedirectResponse(home_of(caller), 303)


@router.get("/console/enter/{secret}")
async def show_entrance(secret: str, house: TheHouse) -> Response:
    """A button, not a sign-in: a mail program that looks at links must not use one up."""
    link = await house.ask(house.views.console_link_by_hash, secret_hash(secret))
    good = link is not None and link["used"] is None and house.machine.now() < link["expires"]
    return HTMLResponse(page("enter.html", secret=secret, good=good), 200 if good else 401)


@router.post("/console/enter/{secret}")
async def enter(request: Request, secret: str, house: TheHouse) -> Response:
    """Trade a link for a session, once."""
    link = await house.ask(house.views.console_link_by_hash, secret_hash(secret))
    if link is None:
        msg = "this link opens nothing"
        raise NotSignedIn(msg, code="access.link_spent", remedy="make a new one: tallywatt console-link")
    command = EnterConsole(secret, browser_label(request.headers.get("user-agent")))
    made = await house.write(link["operator_id"], enter_console, command, actor="person:link")
    # Where a driver belongs is another page than an operator's; the front door knows.
    answer = RedirectResponse("/", 303)
    let_in(answer, house, made.secret, SESSION_LIFE_SECONDS)
    return answer


@router.post("/console/leave")
async def leave(caller: SignedIn, house: TheHouse) -> Response:
    """Sign out: the cookie opens nothing any more, wherever it was copied to."""
    if caller.session_id is not None:
        await house.write(caller.operator_id, leave_console, LeaveConsole(caller.session_id), actor=actor_of(caller))
    answer = HTMLResponse(page("left.html"))
    let_out(answer)
    return answer
