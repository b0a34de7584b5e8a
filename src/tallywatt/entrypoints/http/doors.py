"""Who stands at the door, and whether they may come in. Every route asks here, but for those in the list of open ones."""

from __future__ import annotations

import base64
import hmac
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import Depends, Request

from tallywatt.customers.access import ALL_SCOPES, Caller, Scope, authorise, secret_hash
from tallywatt.customers.approval import Holder
from tallywatt.customers.roles import ROLES, Role
from tallywatt.entrypoints.http.bearers import bearer
from tallywatt.entrypoints.http.guard import HARMLESS, STANDING
from tallywatt.entrypoints.http.limits import too_many
from tallywatt.kernel.errors import Busy, NotAllowed, NotSignedIn
from tallywatt.stations.command import Action
from tallywatt.wiring import House
from tallywatt.workflows.sign_in import SEEN_SECONDS, NoteSeen, note_seen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from starlette.responses import Response

    from tallywatt.customers.allowance import Standing
    from tallywatt.entrypoints.http.limits import Limits

COOKIE: Final = "tallywatt_console"
CSRF_FIELD: Final = "csrf"
CSRF_HEADER: Final = "x-csrf-token"
FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
SECURE_PREFIX: Final = "__Host-"
"""Over https a browser takes a cookie of this name from our host alone, never from a neighbour's name below the same domain."""
OPEN: Final = (
    "GET /health",
    "GET /ready",
    "GET /.well-known/oauth-authorization-server",
    "POST /oauth/token",
    "POST /webhooks/{provider}/{account_id}",
    "GET /console/enter/{secret}",
    "POST /console/enter/{secret}",
    "GET /sign-in",
    "POST /sign-in/email",
    "GET /sign-in/sent",
    "POST /sign-in/code",
    "GET /sign-in/link/{secret}",
    "POST /sign-in/link/{secret}",
    "GET /sign-in/sso/{provider_id}",
    "GET /sign-in/sso/back",
    "POST /sign-in/passkey/ask",
    "POST /sign-in/passkey",
    "GET /invitation/{secret}",
    "POST /invitation/{secret}",
    "GET /go",
    "GET /evse/{code}",
    "POST /evse/{code}/pay",
    "GET /pay/{secret}",
    "POST /pay/{secret}/give-up",
    "GET /pay/{secret}.json",
    "GET /s/{secret}",
    "GET /s/{secret}.json",
    "GET /s/{secret}.pdf",
    "GET /s/{secret}.xml",
    "GET /s/{secret}/feed",
    "POST /s/{secret}/stop",
    "POST /s/{secret}/rest",
    "GET /problems",
    "GET /evses/{code}/price",
    "GET /static/{path:path}",
)
"""The routes that need no credential: each is signed, unguessable, or tells nothing about anybody."""


def the_house(request: Request) -> House:
    """The house that this app is a door of."""
    house: House = request.app.state.house
    return house


TheHouse = Annotated[House, Depends(the_house)]


async def find_caller(request: Request) -> Caller:
    """The caller by API key or by the console's cookie; NotSignedIn without either, TooMany when it asks too often."""
    limits: Limits = request.app.state.limits
    try:
        caller = await _known(request)
    except NotSignedIn as error:
        if error.code != NotSignedIn.code:
            # A credential was shown and is not good: whoever guesses is slowed down, and good ones of that address are not.
            take(request, limits.ask("refused", limits.address_of(request.scope)))
        raise
    take(request, limits.ask("keys" if caller.kind == "key" else "people", caller.id))
    return caller


def take(request: Request, standing: Standing) -> None:
    """Tell with the answer where a limit stands; TooMany when it is reached."""
    setattr(request.state, STANDING, standing)
    if not standing.allowed:
        raise too_many(standing)


async def _known(request: Request) -> Caller:
    house = the_house(request)
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return await bearer(house, request.app.state.uses, shown.strip())
    cookie = request.cookies.get(cookie_name(house))
    if cookie is None:
        msg = "this needs an API key, or a session of the console"
        raise NotSignedIn(
            msg, remedy="send 'Authorization: Bearer twk_…', or open a link made by: tallywatt console-link"
        )
    caller = await _by_cookie(house, cookie)
    if request.method not in HARMLESS:
        await _check_csrf(request, house, caller)
    return caller


async def _by_cookie(house: House, cookie: str) -> Caller:
    secret = unsigned(house.secret, cookie)
    found = await house.ask(house.views.console_session_by_hash, secret_hash(secret)) if secret else None
    ended = found is None or found["revoked"] is not None or found["left"] is not None
    if found is None or ended or house.machine.now() >= found["expires"]:
        msg = "this session of the console has ended"
        raise NotSignedIn(msg, code="access.session_ended", remedy="open a new link, made by: tallywatt console-link")
    await _note_seen(house, found)
    return _person(found)


def _person(found: dict[str, Any]) -> Caller:
    """The person behind a session, with what the role allows; without a person, whoever owns the machine."""
    operator, session = found["operator_id"], found["id"]
    if found["membership_id"] is None:
        return Caller(operator, "person", session, ALL_SCOPES, session_id=session)
    role = Role(found["role"])
    duties = ROLES[role]
    return Caller(
        operator,
        "person",
        found["person_id"],
        duties.scopes,
        session_id=session,
        role=role.value,
        customers=tuple(found["customer_ids"]) if duties.is_bound else None,
    )


async def _note_seen(house: House, found: dict[str, Any]) -> None:
    seen = found["seen"]
    if seen is None or house.machine.now() - seen >= SEEN_SECONDS * 1000:
        # When somebody was here is not worth an error to them.
        with suppress(Busy):
            await house.write(found["operator_id"], note_seen, NoteSeen(found["id"]), actor=f"session:{found['id']}")


async def _check_csrf(request: Request, house: House, caller: Caller) -> None:
    """A form of another site sends the cookie too; it cannot send the token."""
    shown = request.headers.get(CSRF_HEADER)
    if shown is None and request.headers.get("content-type", "").startswith(FORMS):
        field = (await request.form()).get(CSRF_FIELD)
        shown = field if isinstance(field, str) else None
    if shown is None or not hmac.compare_digest(shown.encode(), csrf_token(house.secret, caller).encode()):
        msg = "the form has no valid token of this session"
        raise NotAllowed(msg, code="access.csrf", remedy="open the page again and send the form from there")


ASKED: Final[dict[Callable[..., Any], Scope]] = {}
"""What each dependency made by `may` asks for: the API's documentation tells it, and the test of all routes reads it."""


def scope_of(route: Any) -> Scope | None:
    """The scope that a route asks for; None when it asks for none in particular."""
    dependant = getattr(route, "dependant", None)  # a folder of files has none
    asked = [ASKED[one.call] for one in dependant.dependencies if one.call in ASKED] if dependant is not None else []
    return asked[0] if asked else None


def may(scope: Scope) -> Callable[[Request], Awaitable[Caller]]:
    """A dependency that lets through callers with that scope."""

    async def allowed(request: Request) -> Caller:
        caller = await find_caller(request)
        authorise(caller, scope, caller.operator_id)
        # What comes after this is news to the page that is being made.
        request.state.position = request.app.state.feed.position
        return caller

    ASKED[allowed] = scope
    return allowed


async def _signed_in(request: Request) -> Caller:
    caller = await find_caller(request)
    request.state.position = request.app.state.feed.position
    return caller


SignedIn = Annotated[Caller, Depends(_signed_in)]
"""Whoever has a credential, whatever it opens: for what concerns only themselves."""
Reader = Annotated[Caller, Depends(may(Scope.READ))]
Operations = Annotated[Caller, Depends(may(Scope.OPERATE))]
Assistant = Annotated[Caller, Depends(may(Scope.ASSIST))]
"""Who helps drivers. A command that is no help to a driver needs `operate`: `authorise_command`."""
Clerk = Annotated[Caller, Depends(may(Scope.INBOX))]
Refunder = Annotated[Caller, Depends(may(Scope.REFUND))]
"""Who gives money back: alone up to the limit of the role, beyond it with somebody else's approval."""
Approver = Annotated[Caller, Depends(may(Scope.APPROVE))]
Seller = Annotated[Caller, Depends(may(Scope.SELL))]
Collector = Annotated[Caller, Depends(may(Scope.COLLECT))]
Bringer = Annotated[Caller, Depends(may(Scope.SESSIONS))]
Auditor = Annotated[Caller, Depends(may(Scope.AUDIT))]
Admin = Annotated[Caller, Depends(may(Scope.ADMIN))]
Driver = Annotated[Caller, Depends(may(Scope.OWN))]
"""A driver, or the manager of a fleet. Only what belongs to `caller.customers` (ids; one for a driver) may be shown: ask
`authorise(caller, Scope.OWN, caller.operator_id, customer_id)` of each thing that an address names, or filter by them."""


async def signed_in_driver(request: Request) -> Caller | None:
    """The driver or fleet manager who looks at an open page, if anybody is signed in there; None is no error."""
    if cookie_name(the_house(request)) not in request.cookies:
        return None
    try:
        caller = await find_caller(request)
    except (NotSignedIn, NotAllowed):
        return None
    return caller if caller.customers is not None else None


HELPS_A_DRIVER: Final = frozenset((Action.START, Action.STOP, Action.UNLOCK))


def authorise_command(caller: Caller, action: Action) -> None:
    """Whether the caller may command this: support helps a driver, and takes no station out of service."""
    authorise(caller, Scope.ASSIST if action in HELPS_A_DRIVER else Scope.OPERATE, caller.operator_id)


def authorise_scopes(caller: Caller, scopes: Iterable[str]) -> None:
    """Whether the caller may hand out these scopes: nobody gives a key more than they have themselves."""
    for scope in scopes:
        authorise(caller, Scope(scope), caller.operator_id)


def home_of(caller: Caller) -> str:
    """Where somebody belongs who has just come in."""
    return "/console" if caller.customers is None else "/me"


def limit_holder(caller: Caller) -> Holder:
    """Whose limit a caller is held against. A session without a person is of whoever owns the machine."""
    if caller.kind == "key":
        return Holder.PROGRAM
    return Holder(caller.role) if caller.role in set(Holder) else Holder.OWNER


def actor_of(caller: Caller) -> str:
    """How the caller is written down with what it does."""
    return f"{caller.kind}:{caller.id}"


def csrf_token(secret: bytes, caller: Caller) -> str:
    """What forms of a session carry."""
    return _mac(secret, "csrf", caller.session_id or caller.id)


def signed(secret: bytes, value: str) -> str:
    """A value with our signature, so that a made-up cookie costs no look into the database."""
    return f"{value}.{_mac(secret, 'cookie', value)}"


def unsigned(secret: bytes, text: str) -> str | None:
    """The value of a signed text, or None."""
    value, _, mac = text.rpartition(".")
    return value if hmac.compare_digest(mac.encode(), _mac(secret, "cookie", value).encode()) else None


def _mac(secret: bytes, purpose: str, value: str) -> str:
    digest = hmac.digest(secret, f"{purpose}/{value}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_secure(house: House) -> bool:
    """Whether the pages are reached over https."""
    return house.settings.base_url.startswith("https://")


def cookie_name(house: House) -> str:
    """The name of the session's cookie."""
    return f"{SECURE_PREFIX}{COOKIE}" if is_secure(house) else COOKIE


def let_in(response: Response, house: House, secret: str, life_seconds: int) -> None:
    """Set the console's cookie."""
    response.set_cookie(
        cookie_name(house),
        signed(house.secret, secret),
        max_age=life_seconds,
        path="/",
        httponly=True,
        samesite="lax",
        secure=is_secure(house),
    )


def let_out(response: Response) -> None:
    """Take the console's cookie back."""
    for prefix in ("", SECURE_PREFIX):
        response.delete_cookie(f"{prefix}{COOKIE}", path="/", secure=bool(prefix), httponly=True, samesite="lax")
