"""Writes through the API: run through the writer, answered once under their idempotency key."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fastapi import Response

from tallywatt.entrypoints.http.doors import actor_of
from tallywatt.entrypoints.http.manners import seen_version
from tallywatt.workflows.answer_once import AnswerOnce, answer_once, answered_before

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import Request

    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House
    from tallywatt.workflows.ports import UnitOfWork

KEY_HEADER = "idempotency-key"


async def write_once(
    request: Request,
    house: House,
    caller: Caller,
    workflow: Callable[[UnitOfWork, Any], Any],
    command: object,
    tell: Callable[[Any], Any],
    status: int = 200,
    *,
    version_of: Callable[[UnitOfWork], int] | None = None,
    tells_secret: bool = False,
) -> Response:
    """Run a workflow for a caller; the same key with the same request gets the same answer again.

    Where `version_of` says how often the thing was written, an If-Match of another version changes nothing. An answer that
    tells a secret is kept sealed, for a day, and by no browser.
    """
    fingerprint = await fingerprint_of(request)
    actor = actor_of(caller)
    once = AnswerOnce(
        actor,
        request.headers.get(KEY_HEADER),
        fingerprint,
        workflow,
        command,
        tell,
        status,
        seen_version(request),
        version_of,
        tells_secret,
    )
    answer = await house.write(caller.operator_id, answer_once, once, actor=actor)
    headers = {"Idempotency-Replayed": "true"} if answer.replayed else {}
    if tells_secret:
        headers["Cache-Control"] = "no-store"
    body: str | bytes = answer.body
    if (sealed := answer.sealed) is not None:
        body = await house.ask(house.open_sealed, caller.operator_id, sealed.key_id, sealed.body, sealed.about)
    return Response(body, answer.status, headers, "application/json")


async def write_long(
    request: Request, house: House, caller: Caller, do: Callable[[], Awaitable[Any]], status: int = 200
) -> Response:
    """The same for what takes several transactions, each of which changes nothing when it comes twice.

    Whoever comes with a key that was answered gets that answer, and nothing is begun.
    """
    actor = actor_of(caller)
    key, fingerprint = request.headers.get(KEY_HEADER), await fingerprint_of(request)
    asked = AnswerOnce(actor, key, fingerprint, _as_told, None, _as_it_is, status)
    answer = await house.write(caller.operator_id, answered_before, asked, actor=actor)
    if answer is None:
        done = replace(asked, command=await do())
        answer = await house.write(caller.operator_id, answer_once, done, actor=actor)
    headers = {"Idempotency-Replayed": "true"} if answer.replayed else {}
    return Response(answer.body, answer.status, headers, "application/json")


def _as_told(_work: UnitOfWork, told: Any) -> Any:
    return told


def _as_it_is(told: Any) -> Any:
    return told


async def fingerprint_of(request: Request) -> str:
    """What makes a request the same request: method, path and the bytes of its body."""
    body = await request.body()
    return hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + body).hexdigest()
