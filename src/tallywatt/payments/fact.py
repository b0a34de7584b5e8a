"""Pure: what became known about a payment, whoever asked, and what it says about the operation that was on its way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.card_numbers import hide_card_numbers
from tallywatt.payments.codes import CAPTURE_LOST, DECLINED
from tallywatt.payments.operation import OperationKind, OperationState
from tallywatt.payments.provider import (
    Declined,
    Failed,
    NotSent,
    Pending,
    RequiresAction,
    Succeeded,
    Unknown,
    View,
    ViewStatus,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tallywatt.kernel.clock import Instant
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.payment import Payment
    from tallywatt.payments.provider import Outcome

MOST_ATTEMPTS: Final = 8
"""How often an operation that provably never arrived is sent again before a person decides."""


class Source(StrEnum):
    """Who brought the news."""

    REPLY = "reply"
    WEBHOOK = "webhook"
    JANITOR = "janitor"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class ProviderFact:
    """What a provider said. `operation_id` is the operation that it answers; a webhook answers none."""

    payment_id: str
    outcome: Outcome
    source: Source
    operation_id: str | None = None
    sent_at: Instant | None = None
    """Machine time at which the operation was sent, for an answer to a sending."""
    said_at: Instant | None = None
    """The provider's time, for a webhook."""


def view_of(outcome: Outcome) -> View | None:
    """What an outcome tells about the whole payment. A decline tells that much even when the provider shows no object."""
    if isinstance(outcome, Declined) and outcome.view is None:
        return View(ViewStatus.DECLINED, code=outcome.code)
    return outcome.view


def answered(operation: Operation, fact: ProviderFact, now: Instant) -> Operation:
    """The operation after the answer to it. One that is resolved stays as it is: a second answer tells nothing new."""
    if not operation.is_unresolved:
        return operation
    sent = replace(
        operation,
        attempts=operation.attempts + (fact.sent_at is not None),
        first_sent_at=operation.first_sent_at or fact.sent_at,
        last_sent_at=fact.sent_at or operation.last_sent_at,
    )
    outcome = fact.outcome
    if isinstance(outcome, Failed) and _was_done(operation, outcome):
        return _resolved(sent, OperationState.SUCCEEDED, now)
    if isinstance(outcome, NotSent) and fact.source is Source.REPLY and sent.attempts < MOST_ATTEMPTS:
        return replace(sent, error=outcome.cause)
    return _after(sent, outcome, now)


def _was_done(operation: Operation, outcome: Failed) -> bool:
    """Whether it was refused because it was done already: by an earlier sending, or at the provider's dashboard."""
    return outcome.view is not None and shown_by(operation, outcome.view) is OperationState.SUCCEEDED


def _after(sent: Operation, outcome: Outcome, now: Instant) -> Operation:
    match outcome:
        case Succeeded(provider_ref=ref):
            after = _resolved(sent, OperationState.SUCCEEDED, now, provider_ref=ref)
        case Pending(provider_ref=ref):
            after = replace(sent, state=OperationState.PENDING, provider_ref=ref or sent.provider_ref)
        case RequiresAction():
            after = replace(sent, state=OperationState.PENDING)
        case Declined(code=code, advice=advice, said=said):
            after = _resolved(sent, OperationState.DECLINED, now, code=code, advice=advice, error=said)
        case Failed(code=code, said=said):
            after = _resolved(sent, OperationState.FAILED, now, code=code, error=said)
        case NotSent(cause=cause):
            after = _resolved(sent, OperationState.NOT_SENT, now, error=cause)
        case Unknown(cause=cause):
            after = replace(sent, state=OperationState.UNKNOWN, error=cause)
    return after


def _resolved(
    operation: Operation,
    state: OperationState,
    now: Instant,
    *,
    provider_ref: str | None = None,
    code: str | None = None,
    advice: str | None = None,
    error: str | None = None,
) -> Operation:
    return replace(
        operation,
        state=state,
        resolved_at=now,
        provider_ref=provider_ref or operation.provider_ref,
        code=code,
        advice=advice,
        error=None if error is None else hide_card_numbers(error)[0],
    )


def shown_by(operation: Operation, view: View) -> OperationState | None:
    """What a view of the payment proves about an operation, whoever asked for the view; None: nothing."""
    if view.failed_operation == operation.operation_id:
        return OperationState.FAILED
    return _shown_by_state(operation, view)


def _shown_by_state(  # noqa: PLR0911  # one answer a kind
    operation: Operation, view: View
) -> OperationState | None:
    match operation.kind:
        case OperationKind.PREPARE:
            return OperationState.SUCCEEDED if view.provider_ref is not None else None
        case OperationKind.HOSTED_PAGE:
            return OperationState.SUCCEEDED if view.page_ref is not None or view.provider_ref is not None else None
        case OperationKind.CHARGE:
            return _CHARGE.get(view.status)
        case OperationKind.PRESENT:
            # A terminal may take another card after one that was declined: only what it says of the whole is the end.
            again = view.status is ViewStatus.DECLINED and view.provider_ref is None
            return None if again else _PRESENT.get(view.status)
        case OperationKind.AUTHORISE:
            return _AUTHORISE.get(view.status)
        case OperationKind.ADJUST:
            return _shown_of_adjustment(operation, view)
        case OperationKind.CAPTURE:
            return _shown_of_capture(operation, view)
        case OperationKind.VOID:
            return _shown_of_void(operation, view)
        case OperationKind.REFUND:
            mine = [one.status for one in view.refunds if one.operation_id == operation.operation_id]
            return _REFUND.get(mine[0]) if mine else None


def _shown_of_adjustment(operation: Operation, view: View) -> OperationState | None:
    """A hold that is used grows no more, and neither does one that is gone."""
    if view.authorised_minor >= operation.amount_minor:
        return OperationState.SUCCEEDED
    return OperationState.FAILED if view.captured_minor else _CAPTURE.get(view.status)


def _shown_of_capture(operation: Operation, view: View) -> OperationState | None:
    """What was taken before it was asked for tells nothing about it."""
    if view.captures:
        mine = any(one.operation_id == operation.operation_id for one in view.captures)
        return OperationState.SUCCEEDED if mine else None
    before = operation.taken_minor
    if view.captured_minor > before:
        return OperationState.SUCCEEDED
    if before and view.status is ViewStatus.CAPTURED:
        return OperationState.FAILED  # the hold has ended without it
    return _CAPTURE.get(view.status)


def _shown_of_void(operation: Operation, view: View) -> OperationState | None:
    """A hold is let go, or what a capture has left of one."""
    before = operation.taken_minor
    if before and view.captures:
        return None
    if view.captured_minor > before:
        return OperationState.FAILED
    return OperationState.SUCCEEDED if before and view.status is ViewStatus.CAPTURED else _VOID.get(view.status)


_CHARGE: Final = {
    ViewStatus.CAPTURED: OperationState.SUCCEEDED,
    ViewStatus.DECLINED: OperationState.DECLINED,
    ViewStatus.VOIDED: OperationState.FAILED,
}
_AUTHORISE: Final = {
    ViewStatus.AUTHORISED: OperationState.SUCCEEDED,
    ViewStatus.CAPTURED: OperationState.SUCCEEDED,
    ViewStatus.VOIDED: OperationState.SUCCEEDED,
    ViewStatus.DECLINED: OperationState.DECLINED,
}
_PRESENT: Final = {
    **dict.fromkeys(
        (
            ViewStatus.REQUIRES_ACTION,
            ViewStatus.AUTHORISED,
            ViewStatus.CAPTURED,
            ViewStatus.VOIDED,
            ViewStatus.EXPIRED,
            ViewStatus.ABANDONED,
        ),
        OperationState.SUCCEEDED,
    ),
    ViewStatus.DECLINED: OperationState.DECLINED,
}
"""A reader that asks, or has asked, has done what it was asked for; what came of it the payment says."""
_CAPTURE: Final = {ViewStatus.VOIDED: OperationState.FAILED, ViewStatus.EXPIRED: OperationState.FAILED}
_VOID: Final = dict.fromkeys((ViewStatus.VOIDED, ViewStatus.EXPIRED, ViewStatus.ABANDONED), OperationState.SUCCEEDED)
_REFUND: Final = {
    "succeeded": OperationState.SUCCEEDED,
    "pending": OperationState.PENDING,
    "failed": OperationState.FAILED,
}


def outcome_shown(operation: Operation, view: View, provider_ref: str | None = None) -> Outcome | None:
    """The outcome of an operation that a view proves; None when it proves nothing."""
    state = shown_by(operation, view)
    if state is OperationState.SUCCEEDED:
        return Succeeded(view, provider_ref)
    if state is OperationState.DECLINED:
        code = view.code or DECLINED.code
        return Declined(code, DECLINED.advice.value, code, view)
    if state is OperationState.FAILED:
        return Failed(view.code or view.status.value, f"the provider shows it as {view.status}", view)
    if state is OperationState.PENDING or view.status is ViewStatus.PROCESSING:
        return Pending(view, provider_ref)
    if view.status is ViewStatus.REQUIRES_ACTION and operation.kind is OperationKind.CHARGE:
        return RequiresAction(view)
    return None


def with_refund_total(view: View, operations: Iterable[Operation]) -> View:
    """The view with the sum of all that went back, where the message tells only of one refund.

    Each refund of ours is an operation with its sum: those that are known to have succeeded, and those that this message
    names as done. A refund that somebody made at the provider by hand is no operation; a person hears of it.
    """
    done = {one.operation_id for one in view.refunds if one.status == "succeeded"}
    if view.refunded_minor is not None or not done:
        return view
    total = sum(
        one.amount_minor
        for one in operations
        if one.kind is OperationKind.REFUND and (one.state is OperationState.SUCCEEDED or one.operation_id in done)
    )
    return replace(view, refunded_minor=total)


def with_captures(view: View, payment: Payment, operations: Iterable[Operation]) -> View:
    """The view with the sum of all captures, and with what the last one leaves, where the message tells of one capture alone.

    Each capture of ours is an operation with its sum. One that somebody made at the provider by hand is none: of it the
    message itself is all that is known.
    """
    takes: dict[str, Operation] = {one.operation_id: one for one in operations if one.kind is OperationKind.CAPTURE}
    told = {one.operation_id: one.amount_minor for one in view.captures if one.operation_id in takes}
    if not told or len(told) < len(view.captures):
        return view
    known = {id_: one.amount_minor for id_, one in takes.items() if one.state is OperationState.SUCCEEDED}
    done = known | told
    lost = sum(one.amount_minor for id_, one in takes.items() if one.code == CAPTURE_LOST and id_ not in told)
    # What was given back of a lost capture still counts as captured; one that was never known to have gone well does not.
    counted = payment.captured_minor + payment.suspense_minor - sum(known.values())
    total = sum(done.values()) + max(0, min(lost - payment.lost_minor, counted))
    kept = all(not takes[id_].is_final for id_ in told)
    status = ViewStatus.AUTHORISED if kept else view.status
    held = max(view.authorised_minor, total)
    return replace(view, status=status, captured_minor=total, authorised_minor=held)


def shown(operation: Operation, view: View, now: Instant) -> Operation:
    """The operation after a view that nobody gave in answer to it: a webhook, or an enquiry."""
    if not operation.is_unresolved:
        return operation
    state = shown_by(operation, view)
    if state is None:
        return operation
    if state is OperationState.PENDING:
        return replace(operation, state=state)
    code = view.code or view.status.value if state in (OperationState.DECLINED, OperationState.FAILED) else None
    return _resolved(operation, state, now, code=code)
