"""A write under an idempotency key: it is done once, and whoever asks again gets the answer of the first time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from tallywatt.customers.access import AnsweredRequest
from tallywatt.kernel.errors import BadInput, ChangedMeanwhile, IdempotencyMismatch, Stale

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.workflows.ports import UnitOfWork

LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller is told: a status and a body in JSON."""

    status: int
    body: str
    replayed: bool = False

    def read(self) -> Any:
        """The body, read."""
        return msgspec.json.decode(self.body)


@dataclass(frozen=True, slots=True)
class AnswerOnce:
    """A workflow behind a key. `tell` turns its result into the answer's body; `status` goes with it."""

    caller_id: str
    idempotency_key: str | None
    request_hash: str
    workflow: Callable[[UnitOfWork, Any], Any]
    command: object
    tell: Callable[[Any], Any]
    status: int = 200
    seen: int | None = None
    """Which version of the thing the caller has seen; None: whichever."""
    version_of: Callable[[UnitOfWork], int] | None = None
    """How often the thing was written, asked with the thing held."""


def answer_once(work: UnitOfWork, once: AnswerOnce) -> Answer:
    """Run the workflow and keep its answer in the same transaction, so that there is no moment with only one of the two.

    A request that failed changed nothing, so it is not kept: it may be mended and sent again under the same key.
    """
    key = once.idempotency_key
    if key is None:
        return _run(work, once)
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        msg = f"an idempotency key has 1 to {LONGEST_KEY} printable characters"
        raise BadInput(msg, code="request.bad_idempotency_key")
    known = work.answered_requests.find(once.caller_id, key)
    if known is not None:
        if known.request_hash != once.request_hash:
            msg = "this idempotency key came with another request before"
            raise IdempotencyMismatch(msg, remedy="use a new key for a new request")
        return Answer(known.status, known.body, replayed=True)
    answer = _run(work, once)
    row = AnsweredRequest(once.caller_id, key, once.request_hash, answer.status, answer.body, work.machine_now)
    if not work.answered_requests.add(row):
        msg = "the same request is being answered at this moment"
        raise Stale(msg)
    return answer


def _run(work: UnitOfWork, once: AnswerOnce) -> Answer:
    if once.seen is not None and once.version_of is not None and once.version_of(work) != once.seen:
        msg = "this was changed since it was read"
        raise ChangedMeanwhile(msg, remedy="read it again, and decide anew")
    told = once.tell(once.workflow(work, once.command))
    return Answer(once.status, msgspec.json.encode(told).decode())
