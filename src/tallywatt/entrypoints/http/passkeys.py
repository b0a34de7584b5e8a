"""Passkeys at the door: one is made on the own page, and used on the sign-in page. A small script talks to the browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import AfterValidator, BaseModel, Field

from tallywatt.customers.passkey import ChallengeKind
from tallywatt.entrypoints.http.account import AtAPage, SomeText, account_page
from tallywatt.entrypoints.http.browsers import browser_label
from tallywatt.entrypoints.http.doors import TheHouse, actor_of
from tallywatt.entrypoints.http.shapes import storable
from tallywatt.entrypoints.http.sign_in import welcome
from tallywatt.kernel.errors import BadInput, NotSignedIn
from tallywatt.workflows.challenge import HandOut, TakeBack, hand_out, take_back
from tallywatt.workflows.keep_passkey import (
    EnterByPasskey,
    KeepPasskey,
    RemovePasskey,
    RenamePasskey,
    enter_by_passkey,
    keep_passkey,
    remove_passkey,
    rename_passkey,
)

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter()
NOBODY = ""
"""The operator of a challenge that goes out before anybody knows who comes."""
ShortText = Annotated[str, Field(max_length=100), AfterValidator(storable)]
_CREDENTIAL_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,1366}")
"""1,023 bytes at most (WebAuthn, section 4), in base64url."""


class Answer(BaseModel):
    """What the browser answered to a challenge."""

    challenge: ShortText
    credential: dict[str, Any]
    name: ShortText = ""


@router.post("/account/passkeys/ask")
async def ask_to_make(caller: AtAPage, house: TheHouse) -> Response:
    """What the browser is asked, so that it makes a passkey for whoever is signed in."""
    person = await _person(house, caller)
    challenge = await house.write(
        caller.operator_id, hand_out, HandOut(ChallengeKind.MAKE_PASSKEY, caller.id), actor=actor_of(caller)
    )
    kept = await house.ask(house.views.passkeys_of, caller.operator_id, caller.id)
    options = house.ceremonies().ask_to_make(
        house.secret_of(challenge.challenge_id),
        caller.id,
        person["email"] or person["name"],
        person["name"],
        [one["credential_id"] for one in kept],
    )
    return JSONResponse({"challenge": challenge.challenge_id, "options": options})


@router.post("/account/passkeys")
async def make(body: Answer, caller: AtAPage, house: TheHouse) -> Response:
    """Keep the passkey that the browser made."""
    await _person(house, caller)
    command = TakeBack(body.challenge, ChallengeKind.MAKE_PASSKEY, caller.id)
    try:
        challenge = await house.write(caller.operator_id, take_back, command, actor=actor_of(caller))
    except NotSignedIn as spent:
        # Whoever makes a passkey is signed in; only what they sent is of no use.
        raise BadInput(spent.message, code=spent.code, remedy=spent.remedy) from spent
    made = house.ceremonies().made(body.credential, house.secret_of(challenge.challenge_id))
    order = KeepPasskey(
        caller.id,
        made.credential_id,
        made.public_key,
        made.sign_count,
        made.transports,
        made.backed_up,
        body.name or "Passkey",
    )
    await house.write(caller.operator_id, keep_passkey, order, actor=actor_of(caller))
    return JSONResponse({"to": "/account?said=added#passkeys"}, 201)


@router.post("/account/passkeys/{passkey_id}/rename")
async def rename(request: Request, passkey_id: str, caller: AtAPage, house: TheHouse, name: SomeText = "") -> Response:
    """Another name for a passkey."""
    try:
        order = RenamePasskey(caller.id, passkey_id, name)
        await house.write(caller.operator_id, rename_passkey, order, actor=actor_of(caller))
    except BadInput as refusal:
        return await account_page(request, house, caller, 400, refusal=refusal)
    return RedirectResponse("/account?said=saved#passkeys", 303)


@router.post("/account/passkeys/{passkey_id}/remove")
async def remove(passkey_id: str, caller: AtAPage, house: TheHouse) -> Response:
    """Let a passkey open nothing any more."""
    order = RemovePasskey(caller.id, passkey_id)
    await house.write(caller.operator_id, remove_passkey, order, actor=actor_of(caller))
    return RedirectResponse("/account?said=removed#passkeys", 303)


@router.post("/sign-in/passkey/ask")
async def ask_to_use(house: TheHouse) -> Response:
    """What the browser is asked, so that it shows a passkey of ours."""
    _require_passkeys(house)
    challenge = await house.write(NOBODY, hand_out, HandOut(ChallengeKind.USE_PASSKEY), actor="person:nobody")
    options = house.ceremonies().ask_to_use(house.secret_of(challenge.challenge_id))
    return JSONResponse({"challenge": challenge.challenge_id, "options": options})


@router.post("/sign-in/passkey")
async def use(request: Request, body: Answer, house: TheHouse) -> Response:
    """Come in by a passkey."""
    _require_passkeys(house)
    command = TakeBack(body.challenge, ChallengeKind.USE_PASSKEY)
    challenge = await house.write(NOBODY, take_back, command, actor="person:nobody")
    credential_id = body.credential.get("id")
    # Ids are base64url. What is none leads to no row, and may hold what no database takes.
    good = isinstance(credential_id, str) and _CREDENTIAL_ID.fullmatch(credential_id)
    found = await house.ask(house.views.passkey_by_credential, credential_id) if good else None
    if found is None or found["removed"] is not None:
        msg = "this passkey is not known here"
        raise NotSignedIn(msg, code="passkeys.unknown", remedy="come in another way, and make a new one")
    proved = house.ceremonies().used(
        body.credential, house.secret_of(challenge.challenge_id), found["public_key"], found["sign_count"]
    )
    if proved.user_handle is not None and proved.user_handle != found["person_id"]:
        msg = "the passkey is somebody else's"
        raise NotSignedIn(msg, code="passkeys.bad_answer")
    label = browser_label(request.headers.get("user-agent"))
    order = EnterByPasskey(found["id"], proved.sign_count, proved.backed_up, label)
    made = await house.write(found["operator_id"], enter_by_passkey, order, actor=f"person:{found['person_id']}")
    answer = welcome(request, house, made)
    # A script asked: it goes where the answer says, once the cookie is set.
    told = JSONResponse({"to": answer.headers["location"]})
    told.raw_headers += [(name, value) for name, value in answer.raw_headers if name == b"set-cookie"]
    return told


async def _person(house: House, caller: Caller) -> dict[str, Any]:
    _require_passkeys(house)
    found: dict[str, Any] | None = None
    if caller.role is not None:
        found = await house.ask(house.views.person, caller.operator_id, caller.id)
    if found is None:
        msg = "a passkey belongs to a person, and this session says nobody's name"
        raise BadInput(msg, code="passkeys.nobody", remedy="say who you are on the page My account")
    return found


def _require_passkeys(house: House) -> None:
    if not house.has_passkeys:
        msg = "browsers make passkeys for a name over https, or for localhost"
        raise BadInput(msg, code="passkeys.no_name_here", remedy="set TALLYWATT_PUBLIC_URL to such an address")
