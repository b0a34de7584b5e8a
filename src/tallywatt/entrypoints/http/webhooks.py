"""What providers tell by themselves; and whether this process is alive. The two doors without a person behind them."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.doors import TheHouse
from tallywatt.entrypoints.http.health import health_of, readiness_of
from tallywatt.entrypoints.http.telling import as_json
from tallywatt.kernel.errors import BadInput

router = APIRouter(tags=["open"])

MOST_BYTES = 1024 * 1024


@router.get("/health")
async def health(house: TheHouse) -> Response:
    """Whether this process answers and can read its database."""
    return Response(await health_of(house), media_type="application/json")


@router.get("/ready")
async def ready(house: TheHouse) -> Response:
    """Whether this process should be sent visitors and stations; 503 says what stands in the way."""
    status, body = await readiness_of(house)
    return Response(body, status, media_type="application/json")


@router.post("/webhooks/{provider}/{account_id}")
async def take_webhook(request: Request, provider: str, account_id: str, house: TheHouse) -> Response:
    """A provider's webhook: its signature is checked on the raw bytes, and it is kept before it is answered."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            msg = "a webhook of more than 1 MiB is none"
            raise BadInput(msg, code="request.too_large")
    headers = {name.lower(): value for name, value in request.headers.items()}
    loop = asyncio.get_running_loop()
    taken = await loop.run_in_executor(None, house.take_webhook, provider, account_id, headers, bytes(body))
    return as_json({"taken": taken.value})
