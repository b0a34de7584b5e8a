"""In and out of the console: a link that works once, and signing out."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from tallywatt.customers.access import secret_hash
from tallywatt.entrypoints.http.doors import Reader, TheHouse, actor_of, let_in, let_out
from tallywatt.entrypoints.pages.render import page
from tallywatt.kernel.errors import NotSignedIn
from tallywatt.workflows.sign_in import SESSION_LIFE_SECONDS, EnterConsole, LeaveConsole, enter_console, leave_console

router = APIRouter()


@router.get("/")
async def front(_: Reader) -> Response:
    """Whoever comes to the front door wants the console."""
    return RedirectResponse("/console", 303)


@router.get("/console/enter/{secret}")
async def show_entrance(secret: str, house: TheHouse) -> Response:
    """A button, not a sign-in: a mail program that looks at links must not use one up."""
    link = await house.ask(house.views.console_link_by_hash, secret_hash(secret))
    good = link is not None and link["used"] is None and house.machine.now() < link["expires"]
    return HTMLResponse(page("enter.html", secret=secret, good=good), 200 if good else 401)


@router.post("/console/enter/{secret}")
async def enter(secret: str, house: TheHouse) -> Response:
    """Trade a link for a session, once."""
    link = await house.ask(house.views.console_link_by_hash, secret_hash(secret))
    if link is None:
        msg = "this link opens nothing"
        raise NotSignedIn(msg, code="access.link_spent", remedy="make a new one: tallywatt console-link")
    made = await house.write(link["operator_id"], enter_console, EnterConsole(secret), actor="person:link")
    answer = RedirectResponse("/console", 303)
    let_in(answer, house, made.secret, SESSION_LIFE_SECONDS)
    return answer


@router.post("/console/leave")
async def leave(caller: Reader, house: TheHouse) -> Response:
    """Sign out: the cookie opens nothing any more, wherever it was copied to."""
    if caller.kind == "person":
        await house.write(caller.operator_id, leave_console, LeaveConsole(caller.id), actor=actor_of(caller))
    answer = HTMLResponse(page("left.html"))
    let_out(answer)
    return answer
