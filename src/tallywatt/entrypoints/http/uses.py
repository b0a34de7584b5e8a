"""Which keys are used: noted in the background, at most once a minute a key, so that no request waits for it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog

from tallywatt.kernel.errors import Busy, TallywattError
from tallywatt.workflows.note_key_used import NOTED_EVERY_MILLISECONDS, NoteKeyUsed, note_key_used

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.wiring import House

log = structlog.get_logger(__name__)


class Uses:
    """What this process has noted. It grows with the keys that there are, not with requests."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._noted: dict[str, Instant] = {}

    def note(self, operator_id: str, api_key_id: str, known: Instant | None) -> None:
        """A key was shown and is good. `known` is what its row says about the last time."""
        now = self._house.machine.now()
        last = max(known or 0, self._noted.get(api_key_id, 0))
        if now - last < NOTED_EVERY_MILLISECONDS:
            return
        self._noted[api_key_id] = now
        command = NoteKeyUsed(api_key_id, now)
        # When the writer is busy with sessions, this can wait for the next minute.
        with suppress(Busy):
            self._house.store.writer.submit(operator_id, note_key_used, command, _done, actor=f"key:{api_key_id}")


def _done(result: Any) -> None:
    if isinstance(result, TallywattError):
        log.warning("key_use.not_noted", code=result.code)
