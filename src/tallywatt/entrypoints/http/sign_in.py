"""Ways in: the sign-in page, a link or a code by e-mail, an invitation. Passkeys and single sign-on have files of their own."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import AfterValidator

from tallywatt.customers.access import secret_hash
from tallywatt.customers.person import fold_email
from tallywatt.entrypoints.http.browsers import browser_label
from tallywatt.entrypoints.http.doors import SECURE_PREFIX, TheHouse, is_secure, let_in, signed, unsigned
from tallywatt.entrypoints.http.shapes import storable
from tallywatt.entrypoints.pages import language
from tallywatt.entrypoints.pages.letters import grouped
from tallywatt.entrypoints.pages.render import page
from tallywatt.kernel.errors import BadInput, NotSignedIn
from tallywatt.wiring import sign_in_code
from tallywatt.workflows.ask_to_sign_in import LETTER_LIFE_SECONDS, AskToSignIn, TypeCode, ask_to_sign_in, type_code
from tallywatt.workflows.invite_person import AcceptInvitation, accept_invitation
from tallywatt.workflows.sign_in import SESSION_LIFE_SECONDS, EnterConsole, enter_console

if TYPE_CHECKING:
    from tallywatt.wiring import House
    from tallywatt.workflows.ports import UnitOfWork
    from tallywatt.workflows.sign_in import NewConsoleSession

router = APIRouter()

ASKED: Final = "tallywatt_asked"
"""The cookie of a browser that asked for a link: only there the link opens anything."""
ONWARD: Final = "tallywatt_onward"
"""The cookie that remembers where somebody wanted to go."""
LONGEST_ONWARD: Final = 500
SomeText = Annotated[str, Form(max_length=300), AfterValidator(storable)]


@router.get("/sign-in")
async def show_sign_in(house: TheHouse, onward: str = "") -> Response:
    """All ways in that this installation has."""
    answer = await sign_in_page(house)
    if _is_ours(onward):
        keep(answer, house, ONWARD, onward)
    return answer


async def sign_in_page(house: House, status: int = 200, **context: Any) -> HTMLResponse:
    """The page with all ways in."""
    told = {
        "has_post": house.has_post,
        "refusal": None,
        "email": "",
        "providers": await providers_shown(house),
        "has_passkeys": house.has_passkeys,
    }
    return HTMLResponse(page("sign_in.html", **{**told, **context}), status)


async def providers_shown(house: House) -> list[dict[str, Any]]:
    """The identity providers that the page offers; with the operator's name where there are several operators."""
    rows: list[dict[str, Any]] = await house.ask(house.views.open_identity_providers)
    several = len({row["operator_id"] for row in rows}) > 1
    return [{"id": row["id"], "name": f"{row['name']} ({row['operator']})" if several else row["name"]} for row in rows]


@router.post("/sign-in/email")
async def ask_by_email(request: Request, house: TheHouse, email: SomeText) -> Response:
    """Send a link. Whether anybody has this address is not told, neither by the answer nor by how long it takes."""
    try:
        folded = fold_email(email)
    except BadInput as refusal:
        return await sign_in_page(house, 400, refusal=refusal, email=email)
    browser = unsigned(house.secret, request.cookies.get(_name(house, ASKED), "")) or secrets.token_urlsafe(32)
    members = await house.ask(house.views.members_by_email, folded) if house.has_post else []
    for member in members:
        link_id = house.new_id("sign-in link")
        hashed = secret_hash(house.letter_secret(link_id))
        command = AskToSignIn(member["id"], link_id, hashed, secret_hash(browser), language.language())
        await house.write(member["operator_id"], ask_to_sign_in, command, actor=f"person:{member['person_id']}")
    if not members:
        await house.write("", _ask_nobody, folded, actor="person:nobody")
    answer = RedirectResponse("/sign-in/sent", 303)
    keep(answer, house, ASKED, signed(house.secret, browser), LETTER_LIFE_SECONDS)
    return answer


def _ask_nobody(work: UnitOfWork, folded: str) -> None:
    """Takes the writer's turn for an address that nobody has, as a known one would."""
    work.people.one_by(email_folded=folded)


@router.get("/sign-in/sent")
async def show_sent() -> Response:
    """What to do now, and a place for the code."""
    return HTMLResponse(page("sign_in_sent.html", minutes=LETTER_LIFE_SECONDS // 60, refusal=None))


@router.post("/sign-in/code")
async def enter_by_code(request: Request, house: TheHouse, code: SomeText) -> Response:
    """Come in by the code of the letter, in the browser that asked for it."""
    browser = browser_of(request, house)
    # A keyboard may write the digits of another script; a code is kept in none, and compared in ours.
    typed = "".join(str(int(one)) for one in code if one.isdecimal())
    links = await house.ask(house.views.links_of_browser, browser) if browser else ()
    now = house.machine.now()
    for link in links:
        if link["used"] is None and now < link["expires"]:
            right = hmac.compare_digest(typed, sign_in_code(house.secret, link["id"]))
            command = TypeCode(link["id"], browser, right, browser_label(request.headers.get("user-agent")))
            made = await house.write(link["operator_id"], type_code, command, actor="person:code")
            if made is not None:
                return welcome(request, house, made)
    refusal = NotSignedIn(
        "this code is wrong, was used, or is too old", code="access.bad_code", remedy="look again, or ask for a new one"
    )
    told = page("sign_in_sent.html", minutes=LETTER_LIFE_SECONDS // 60, refusal=refusal)
    return HTMLResponse(told, 401)


@router.get("/sign-in/link/{secret}")
async def show_link(request: Request, secret: str, house: TheHouse) -> Response:
    """A button, not a sign-in: a mail program that looks at links must not use one up.

    In a browser that did not ask, the page shows the code instead, to be typed where it was asked for.
    """
    link = await house.ask(house.views.console_link_by_hash, secret_hash(secret))
    good = link is not None and link["used"] is None and house.machine.now() < link["expires"]
    if link is None or not good:
        return HTMLResponse(page("link.html", link=None, code=None, action=None), 401)
    here = link["browser_hash"] is None or link["browser_hash"] == browser_of(request, house)
    code = None if here else grouped(sign_in_code(house.secret, link["id"]))
    return HTMLResponse(page("link.html", link=link, code=code, action=f"/sign-in/link/{secret}"))


@router.post("/sign-in/link/{secret}")
async def enter_by_link(request: Request, secret: str, house: TheHouse) -> Response:
    """Come in, once."""
    link = await house.ask(house.views.console_link_by_hash, secret_hash(secret))
    if link is None:
        msg = "this link opens nothing"
        raise NotSignedIn(msg, code="access.link_spent", remedy="ask for a new one on the sign-in page")
    label = browser_label(request.headers.get("user-agent"))
    command = EnterConsole(secret, label, browser_of(request, house) or None)
    made = await house.write(link["operator_id"], enter_console, command, actor="person:link")
    return welcome(request, house, made)


@router.get("/invitation/{secret}")
async def show_invitation(secret: str, house: TheHouse) -> Response:
    """Who invites, as what, and a button."""
    row = await _invitation(house, secret)
    return HTMLResponse(page("invitation.html", row=row, secret=secret, refusal=None), 200 if row else 401)


@router.post("/invitation/{secret}")
async def take_invitation(request: Request, secret: str, house: TheHouse, name: SomeText = "") -> Response:
    """Become a member, and come in."""
    row = await _invitation(house, secret)
    if row is None:
        return HTMLResponse(page("invitation.html", row=None, secret=secret, refusal=None), 401)
    command = AcceptInvitation(secret, name, browser_label(request.headers.get("user-agent")))
    try:
        made = await house.write(row["operator_id"], accept_invitation, command, actor=f"invitation:{row['id']}")
    except BadInput as refusal:
        return HTMLResponse(page("invitation.html", row=row, secret=secret, refusal=refusal), 400)
    return welcome(request, house, made)


async def _invitation(house: House, secret: str) -> dict[str, Any] | None:
    row = await house.ask(house.views.invitation_by_hash, secret_hash(secret))
    if row is None or row["accepted"] is not None or row["revoked"] is not None:
        return None
    return row if house.machine.now() < row["expires"] else None


def welcome(request: Request, house: House, made: NewConsoleSession) -> Response:
    """To where somebody wanted to go, or belongs, with the session's cookie."""
    answer = RedirectResponse(onward_of(request, house), 303)
    let_in(answer, house, made.secret, SESSION_LIFE_SECONDS)
    for name in (ASKED, ONWARD):
        answer.delete_cookie(_name(house, name), path="/", httponly=True, samesite="lax", secure=is_secure(house))
    return answer


def onward_of(request: Request, house: House) -> str:
    """Where somebody wanted to go before we asked who it is; else the front door, which knows where they belong."""
    wanted = request.cookies.get(_name(house, ONWARD), "")
    return wanted if _is_ours(wanted) else "/"


def browser_of(request: Request, house: House) -> str:
    """The hash by which a link knows the browser that asked for it; empty for one that did not."""
    browser = unsigned(house.secret, request.cookies.get(_name(house, ASKED), ""))
    return secret_hash(browser) if browser else ""


def keep(answer: Response, house: House, name: str, value: str, life_seconds: int = 3600) -> None:
    """Set a cookie of our own."""
    answer.set_cookie(
        _name(house, name), value, life_seconds, path="/", httponly=True, samesite="lax", secure=is_secure(house)
    )


def _name(house: House, name: str) -> str:
    return f"{SECURE_PREFIX}{name}" if is_secure(house) else name


def _is_ours(path: str) -> bool:
    """Whether this leads to a page of ours and nowhere else, however a browser reads it."""
    return (
        path.startswith("/")
        and not path.startswith(("//", "/\\", "/sign-in"))
        and len(path) <= LONGEST_ONWARD
        and path.isascii()
        and path.isprintable()
        and "\\" not in path
        and ";" not in path
    )
