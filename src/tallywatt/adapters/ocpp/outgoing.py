"""Our calls to one station: one in the air at a time, as OCPP-J demands, answers matched by id, late ones dropped."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tallywatt.adapters.ocpp import rpc
from tallywatt.adapters.ocpp.saying import NO_ANSWER, NOT_CONNECTED, answer_of, refused

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from tallywatt.workflows.ports import LinkAnswer


MOST_GIVEN_UP = 16
"""Calls of which an answer is still heard that comes too late."""


class Ask:
    """One call of ours; `deliver` is called exactly once, on the loop."""

    __slots__ = ("action", "deliver", "expiry", "late", "may_be_bare", "message_id", "text")

    def __init__(
        self,
        message_id: str,
        text: bytes,
        deliver: Callable[[LinkAnswer], None],
        *,
        action: str = "",
        may_be_bare: bool = False,
        late: Callable[[LinkAnswer], None] | None = None,
    ) -> None:
        self.message_id = message_id
        self.text = text
        self.deliver = deliver
        self.action = action
        self.may_be_bare = may_be_bare
        self.late = late
        """Told when the answer comes after nobody waited for it any more."""
        self.expiry: asyncio.TimerHandle | None = None

    def settle(self, answer: LinkAnswer) -> None:
        """The end of it, whatever it is."""
        if self.expiry is not None:
            self.expiry.cancel()
        self.deliver(answer)


class Outgoing:
    """The calls to one connection."""

    __slots__ = ("_given_up", "_in_the_air", "_loop", "_queue", "_send")

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Callable[[bytes], None]) -> None:
        self._loop = loop
        self._send = send
        self._in_the_air: Ask | None = None
        self._queue: deque[Ask] = deque()
        self._given_up: deque[Ask] = deque(maxlen=MOST_GIVEN_UP)

    def call(self, ask: Ask, timeout_seconds: float) -> None:
        """Send a call now, or when those before it have ended; its time runs from now either way."""
        ask.expiry = self._loop.call_later(timeout_seconds, self._expire, ask)
        self._queue.append(ask)
        self._next()

    def take(self, message: rpc.CallResult | rpc.CallError) -> LinkAnswer | None:
        """Take an answer in. None when nobody waits for it: it came too late, or twice, or out of nowhere."""
        ask = self._in_the_air
        if ask is None or ask.message_id != message.message_id:
            return self._take_late(message)
        self._in_the_air = None
        answer = _meaning(message, ask)
        ask.settle(answer)
        self._next()
        return answer

    def _take_late(self, message: rpc.CallResult | rpc.CallError) -> LinkAnswer | None:
        """What comes after its time still tells what the station has done; a second time it tells nothing."""
        ask = next((one for one in self._given_up if one.message_id == message.message_id), None)
        if ask is None or ask.late is None:
            return None
        self._given_up.remove(ask)
        answer = _meaning(message, ask)
        ask.late(answer)
        return answer

    def spoil(self, message_id: str) -> bool:
        """The answer to a call came and cannot be read: what the station will do is unknown."""
        ask = self._in_the_air
        if ask is None or ask.message_id != message_id:
            return False
        self._in_the_air = None
        ask.settle(NO_ANSWER)
        self._next()
        return True

    def lost(self) -> None:
        """The socket is gone: what was sent has no answer, what was not sent never left."""
        ask, self._in_the_air = self._in_the_air, None
        waiting, self._queue = self._queue, deque()
        if ask is not None:
            ask.settle(NO_ANSWER)
        for one in waiting:
            one.settle(NOT_CONNECTED)

    def _next(self) -> None:
        if self._in_the_air is None and self._queue:
            self._in_the_air = self._queue.popleft()
            self._send(self._in_the_air.text)

    def _expire(self, ask: Ask) -> None:
        if self._in_the_air is ask:
            self._in_the_air = None
            self._given_up.append(ask)
        elif ask in self._queue:
            self._queue.remove(ask)
        else:
            return
        ask.settle(NO_ANSWER)
        self._next()


def _meaning(message: rpc.CallResult | rpc.CallError, ask: Ask) -> LinkAnswer:
    if isinstance(message, rpc.CallResult):
        return answer_of(message.payload, ask.action, may_be_bare=ask.may_be_bare)
    return refused(message.code)
