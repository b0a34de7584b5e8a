"""Writes through the API: run through the writer, answered once under their idempotency key."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from fastapi import Response

from tallywatt.entrypoints.http.doors import actor_of
from tallywatt.workflows.answer_once import AnswerOnce, answer_once

if TYPE_CHECKING:
    from collections.abc import Callable

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
) -> Response:
    """Run a workflow for a caller; the same key with the same request gets the same answer again."""
    fingerprint = await fingerprint_of(request)
    actor = actor_of(caller)
    once = AnswerOnce(actor, request.headers.get(KEY_HEADER), fingerprint, workflow, command, tell, status)
    answer = await house.write(caller.operator_id, answer_once, once, actor=actor)
    headers = {"Idempotency-Replayed": "true"} if answer.replayed else {}
    return Response(answer.body, answer.status, headers, "application/json")


async def fingerprint_of(request: Request) -> str:
    """What makes a request the same request: method, path and the bytes of its body."""
    body = await request.body()
    return hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + body).hexdigest()
