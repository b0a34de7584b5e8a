"""A write under an idempotency key: it is done once, and whoever asks again gets the answer of the first time."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from tallywatt.customers.access import AnsweredRequest
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, ChangedMeanwhile, Conflict, IdempotencyMismatch, Stale

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.workflows.ports import UnitOfWork

LONGEST_KEY = 255
ANSWERS = "answer"
"""The class of sealed data to which answers that tell a secret belong."""
SECRET_FOR_SECONDS = 24 * 3600
"""How long an answer that tells a secret may be asked for again."""

KEPT_SECONDS = 30 * 24 * 3600
"""How long any answer may be asked for again; a key that is older is a new one."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A body that was sealed: under which key, and what must be said to open it."""

    key_id: str
    body: bytes
    about: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller is told: a status and a body in JSON."""

    status: int
    body: str
    replayed: bool = False
    sealed: Sealed | None = None
    """An answer of the first time that tells a secret: `body` is empty, and whoever holds the keys opens this."""

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
    tells_secret: bool = False
    """Whether the answer opens something: then it is kept sealed, and not for long."""


def answer_once(work: UnitOfWork, once: AnswerOnce) -> Answer:
    """Run the workflow and keep its answer in the same transaction, so that there is no moment with only one of the two.

    A request that failed changed nothing, so it is not kept: it may be mended and sent again under the same key.
    """
    key = once.idempotency_key
    if key is None:
        return _run(work, once)
    known = answered_before(work, once)
    if known is not None:
        return known
    answer = _run(work, once)
    row = _kept(work, once, key, answer)
    if not work.answered_requests.add(row):
        msg = "the same request is being answered at this moment"
        raise Stale(msg)
    return answer


def answered_before(work: UnitOfWork, once: AnswerOnce) -> Answer | None:
    """The answer of the first time; None when there is none. For what is too long for one transaction, before it begins."""
    key = once.idempotency_key
    if key is None:
        return None
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        msg = f"an idempotency key has 1 to {LONGEST_KEY} printable characters"
        raise BadInput(msg, code="request.bad_idempotency_key")
    known = work.answered_requests.find(once.caller_id, key)
    if known is None:
        return None
    if known.request_hash != once.request_hash:
        msg = "this idempotency key came with another request before"
        raise IdempotencyMismatch(msg, remedy="use a new key for a new request")
    return _again(work, known)


def _run(work: UnitOfWork, once: AnswerOnce) -> Answer:
    if once.seen is not None and once.version_of is not None and once.version_of(work) != once.seen:
        msg = "this was changed since it was read"
        raise ChangedMeanwhile(msg, remedy="read it again, and decide anew")
    told = once.tell(once.workflow(work, once.command))
    return Answer(once.status, msgspec.json.encode(told).decode())


def _kept(work: UnitOfWork, once: AnswerOnce, key: str, answer: Answer) -> AnsweredRequest:
    row = AnsweredRequest(once.caller_id, key, once.request_hash, answer.status, answer.body, work.machine_now)
    if not once.tells_secret:
        return row
    key_id, sealed = work.vault.seal(ANSWERS, "answer", answer.body.encode(), bound_to(work.operator, row))
    until = Instant(work.machine_now + SECRET_FOR_SECONDS * 1000)
    return replace(row, body=base64.b64encode(sealed).decode(), key_id=key_id, forget_at=until)


def _again(work: UnitOfWork, known: AnsweredRequest) -> Answer:
    if known.forget_at is None:
        return Answer(known.status, known.body, replayed=True)
    if known.key_id is None or known.forget_at <= work.machine_now:
        # It is not done a second time: whoever asks would hold two secrets and know of one.
        msg = "this was done, and its answer told a secret: it is kept no longer"
        raise Conflict(msg, code="request.answer_forgotten", remedy="ask for a new secret: rotate what was made")
    sealed = Sealed(known.key_id, base64.b64decode(known.body), bound_to(work.operator, known))
    return Answer(known.status, "", replayed=True, sealed=sealed)


def bound_to(operator: str, row: AnsweredRequest) -> str:
    """What a sealed answer is bound to: moved to another caller or key it opens nowhere."""
    return f"{operator}/{row.caller_id}/{row.idempotency_key}"
