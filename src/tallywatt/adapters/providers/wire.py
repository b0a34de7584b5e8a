"""The HTTP client that SDKs are given: it tells a connection that never was from an answer that was lost."""

from __future__ import annotations

import threading
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from tallywatt.kernel.clock import Instant
from tallywatt.payments.provider import NotSent, Unknown

TIMEOUT: Final = httpx.Timeout(20.0, connect=3.0, pool=3.0)
"""Shorter than the lease of the job that calls: a worker that is still waiting has not lost its job to another one."""
DISPLAY_TIMEOUT: Final = httpx.Timeout(2.0, connect=1.0, pool=1.0)
"""How long a driver with a card in the hand waits at most for a text on a display."""
NEVER_CONNECTED: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Wire(httpx.Client):
    """One kept connection pool with our timeouts, whatever an SDK asks for. It remembers when the provider spoke last.

    A provider at an address of its own (the simulator) is not asked through a proxy.
    """

    def __init__(self, timeout: httpx.Timeout = TIMEOUT, *, proxied: bool) -> None:
        super().__init__(timeout=timeout, trust_env=proxied)
        self._ours = timeout.as_dict()
        self._said = threading.local()

    def send(self, request: httpx.Request, **more: Any) -> httpx.Response:
        """As the library does, within our time."""
        request.extensions = {**request.extensions, "timeout": self._ours}
        response = super().send(request, **more)
        self._said.at = response.headers.get("date")
        return response

    def said_at(self) -> Instant | None:
        """The provider's own clock in the last answer that this thread got; None when it told none."""
        text = getattr(self._said, "at", None)
        try:
            return None if text is None else Instant(int(parsedate_to_datetime(text).timestamp() * 1000))
        except ValueError:
            return None


def unclear(error: httpx.HTTPError) -> NotSent | Unknown:
    """What a failed connection tells: whether the provider can have acted on the request."""
    if isinstance(error, NEVER_CONNECTED):
        return NotSent(f"no connection: {error}")
    return Unknown(f"the answer was lost: {type(error).__name__}")


def unclear_status(status: int, retry_after: str | None, said: str) -> NotSent | Unknown | None:
    """What a status tells when it tells nothing about the payment; None: it is a refusal, which the provider explains."""
    if status == httpx.codes.TOO_MANY_REQUESTS:
        seconds = int(retry_after) if retry_after is not None and retry_after.isdigit() else None
        return NotSent("throttled", seconds)
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return NotSent("the provider does not accept our key")
    if (
        status == httpx.codes.CONFLICT
        or status >= httpx.codes.INTERNAL_SERVER_ERROR
        or status < httpx.codes.BAD_REQUEST
    ):
        return Unknown(f"status {status}: {said}"[:200])
    return None
