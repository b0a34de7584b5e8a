"""Single sign-on: to the organisation's own sign-in and back, with a challenge that counts once and in one browser alone."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from tallywatt.customers.passkey import ChallengeKind
from tallywatt.entrypoints.http.browsers import browser_label
from tallywatt.entrypoints.http.doors import SECURE_PREFIX, TheHouse, is_secure, signed, unsigned
from tallywatt.entrypoints.http.sign_in import keep, sign_in_page, welcome
from tallywatt.entrypoints.http.telling import found
from tallywatt.kernel.errors import Busy, NotSignedIn, TallywattError
from tallywatt.wiring import Outgoing
from tallywatt.workflows.challenge import LIFE_SECONDS, HandOut, TakeBack, hand_out, take_back
from tallywatt.workflows.enter_by_identity import EnterByIdentity, enter_by_identity

if TYPE_CHECKING:
    from tallywatt.wiring import House

router = APIRouter()

BACK: Final = "/sign-in/sso/back"
GONE_OUT: Final = "tallywatt_sso"
"""The cookie of a browser that was sent out: what another browser brings back is not its own."""
Told = Annotated[str, Query(max_length=4000)]


@router.get(BACK)
async def come_back(
    request: Request, house: TheHouse, code: Told = "", state: Told = "", iss: Told | None = None, error: Told = ""
) -> Response:
    """The browser brings an answer."""
    try:
        return await _come_back(request, house, code, state, iss, error)
    except (NotSignedIn, Busy) as refusal:
        status = 401 if isinstance(refusal, NotSignedIn) else 503
        return await sign_in_page(house, status, refusal=refusal)


async def _come_back(request: Request, house: House, code: str, state: str, issuer: str | None, error: str) -> Response:
    kept = request.cookies.get(_cookie(house), "")
    told = unsigned(house.secret, state)
    if told is None or kept != state:
        msg = "this answer belongs to another browser, or took too long"
        raise NotSignedIn(msg, code="sso.state", remedy="begin again on the sign-in page")
    challenge_id, _, provider_id = told.partition(".")
    row = await house.ask(house.views.identity_provider, provider_id)
    if row is None:
        msg = "this way in was closed"
        raise NotSignedIn(msg, code="sso.ended")
    command = TakeBack(challenge_id, ChallengeKind.SINGLE_SIGN_ON, provider_id)
    await house.write(row["operator_id"], take_back, command, actor="person:nobody")
    if error or not code:
        msg = "your organisation did not let you in"
        raise NotSignedIn(msg, code="sso.denied", remedy="try again, or come in another way")
    provider = await asyncio.to_thread(house.identity_provider, row, BACK)
    now = house.machine.now()
    claims = await asyncio.to_thread(provider.claims, code, issuer, _outgoing(house, challenge_id, state), now)
    order = EnterByIdentity(provider_id, claims, browser_label(request.headers.get("user-agent")))
    made = await house.write(row["operator_id"], enter_by_identity, order, actor=f"identity_provider:{provider_id}")
    if made is None:
        msg = "your organisation gives you no place here any more"
        raise NotSignedIn(msg, code="sso.unknown", remedy="ask whoever gives out roles there")
    answer = welcome(request, house, made)
    answer.delete_cookie(_cookie(house), path="/", httponly=True, samesite="lax", secure=is_secure(house))
    return answer


@router.get("/sign-in/sso/{provider_id}")
async def go_out(provider_id: str, house: TheHouse) -> Response:
    """To the organisation's own sign-in."""
    row = found(await house.ask(house.views.identity_provider, provider_id), "provider", "sso.not_found")
    command = HandOut(ChallengeKind.SINGLE_SIGN_ON, provider_id)
    challenge = await house.write(row["operator_id"], hand_out, command, actor="person:nobody")
    state = signed(house.secret, f"{challenge.challenge_id}.{provider_id}")
    try:
        provider = await asyncio.to_thread(house.identity_provider, row, BACK)
        address = await asyncio.to_thread(provider.address, _outgoing(house, challenge.challenge_id, state))
    except TallywattError as refusal:
        return await sign_in_page(house, 503, refusal=refusal)
    answer = RedirectResponse(address, 303)
    keep(answer, house, GONE_OUT, state, LIFE_SECONDS)
    return answer


def _outgoing(house: House, challenge_id: str, state: str) -> Outgoing:
    def text(purpose: str) -> str:
        return base64.urlsafe_b64encode(house.secret_of(challenge_id, purpose)).decode().rstrip("=")

    return Outgoing(state, text("nonce"), text("verifier"))


def _cookie(house: House) -> str:
    return f"{SECURE_PREFIX}{GONE_OUT}" if is_secure(house) else GONE_OUT
