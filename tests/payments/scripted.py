"""A provider behind the port whose memory is in the test, and whose answers go wrong as the test says."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tallywatt.payments.capabilities import Capabilities
from tallywatt.payments.fact import outcome_shown
from tallywatt.payments.operation import Operation, OperationKind
from tallywatt.payments.provider import (
    Declined,
    Failed,
    NotSent,
    RefundView,
    StoredMethod,
    Succeeded,
    Trace,
    Unknown,
    View,
    ViewStatus,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallywatt.kernel.clock import Instant
    from tallywatt.payments.provider import Enquiry, Outcome, ProviderEvent

LOSE_ANSWER = "lose_answer"
"""Do it, and let nobody know."""
NEVER_ARRIVE = "never_arrive"
"""Do nothing, and let nobody know that either."""
REFUSE = "refuse"
"""Refuse the connection."""
KEEP_500 = "keep_500"
"""Do nothing, answer 500, and keep that answer under the key."""


@dataclass
class ScriptedProvider:
    """Keeps one view a payment and one answer a key, as a good provider does."""

    capabilities: Capabilities = field(default_factory=lambda: Capabilities(23 * 3600, enquiry_by_reference=True))
    views: dict[str, View] = field(default_factory=dict)
    script: deque[str] = field(default_factory=deque)
    """What goes wrong with the next sendings; `ok` for nothing."""
    declines: dict[str, Declined] = field(default_factory=dict)
    """Declines by method token."""
    sent: list[Operation] = field(default_factory=list)
    unreachable: bool = False
    _answers: dict[str, Outcome] = field(default_factory=dict)
    _requests: dict[str, str] = field(default_factory=dict)

    def send(self, operation: Operation) -> Outcome:
        step = self.script.popleft() if self.script else "ok"
        if self.unreachable or step == REFUSE:
            return NotSent("connection refused")
        self.sent.append(operation)
        if step == NEVER_ARRIVE:
            return Unknown("timeout")
        key = operation.idempotency_key
        assert self._requests.setdefault(key, operation.request) == operation.request, "the same key with other bytes"
        kept = self._answers.get(key)
        if kept is not None:
            return replace(kept, ended=True) if isinstance(kept, Unknown) else kept
        if step == KEEP_500:
            self._answers[key] = Unknown("status 500")
            return self._answers[key]
        answer = self._answers[key] = self._do(operation)
        return Unknown("timeout") if step == LOSE_ANSWER else answer

    def _do(self, operation: Operation) -> Outcome:
        does = {
            OperationKind.PREPARE: self._prepare,
            OperationKind.CHARGE: self._charge,
            OperationKind.HOSTED_PAGE: self._open_page,
            OperationKind.ADJUST: self._adjust,
            OperationKind.CAPTURE: self._capture,
            OperationKind.VOID: self._void,
            OperationKind.REFUND: self._refund,
        }
        return does[operation.kind](operation)

    def _prepare(self, operation: Operation) -> Outcome:
        ref = f"pi_{operation.payment_id}"
        return self._now(operation, View(ViewStatus.PREPARED, operation.currency, provider_ref=ref))

    def _charge(self, operation: Operation) -> Outcome:
        # A provider that prepares nothing makes the object with the charge.
        made = View(ViewStatus.PREPARED, operation.currency, provider_ref=f"pi_{operation.payment_id}")
        seen = self.views.get(operation.payment_id, made)
        decline = self.declines.get(operation.asked["method_ref"])
        if decline is not None:
            self.views[operation.payment_id] = replace(seen, status=ViewStatus.DECLINED, code=decline.code)
            return replace(decline, view=self.views[operation.payment_id])
        return self._now(operation, _captured(seen, operation.amount_minor))

    def _open_page(self, operation: Operation) -> Outcome:
        ref = f"cs_{operation.payment_id}"
        page = View(ViewStatus.REQUIRES_ACTION, operation.currency, page_ref=ref, page_url="http://page")
        return self._now(operation, page)

    def _adjust(self, operation: Operation) -> Outcome:
        seen = self.views[operation.payment_id]
        if seen.status is not ViewStatus.AUTHORISED or operation.amount_minor <= seen.authorised_minor:
            return Failed("amount_too_small", "not now", seen)
        return self._now(operation, replace(seen, authorised_minor=operation.amount_minor))

    def _capture(self, operation: Operation) -> Outcome:
        seen = self.views[operation.payment_id]
        left = seen.authorised_minor - seen.captured_minor
        if seen.status is not ViewStatus.AUTHORISED or operation.amount_minor > left:
            return Failed("payment_intent_unexpected_state", "not now", seen)
        if not operation.is_final:
            assert seen.several_captures, "nobody asks for a part of what is taken once"
            part = seen.captured_minor + operation.amount_minor
            return self._now(operation, replace(seen, captured_minor=part))
        return self._now(operation, _captured(seen, seen.captured_minor + operation.amount_minor))

    def _void(self, operation: Operation) -> Outcome:
        seen = self.views[operation.payment_id]
        if seen.captured_minor and seen.status is ViewStatus.AUTHORISED and operation.taken_minor:
            return self._now(operation, replace(seen, status=ViewStatus.CAPTURED))
        if seen.captured_minor:
            return Failed("payment_intent_unexpected_state", "captured", seen)
        gone = ViewStatus.VOIDED if seen.authorised_minor else ViewStatus.ABANDONED
        return self._now(operation, replace(seen, status=gone))

    def _refund(self, operation: Operation) -> Outcome:
        seen = self.views[operation.payment_id]
        back = (seen.refunded_minor or 0) + operation.amount_minor
        if back > seen.captured_minor:
            return Failed("charge_already_refunded", "too much", seen)
        one = RefundView(f"re_{operation.operation_id}", operation.operation_id, operation.amount_minor, "succeeded")
        one = replace(one, mark=operation.asked.get("refund_mark"))
        return self._now(operation, replace(seen, refunded_minor=back, refunds=(*seen.refunds, one)))

    def _now(self, operation: Operation, view: View) -> Outcome:
        self.views[operation.payment_id] = view
        return outcome_shown(operation, view, view.provider_ref) or Succeeded(view, view.provider_ref)

    def driver_pays(self, payment_id: str, held_minor: int, *, several_captures: bool = False) -> View:
        """The driver places the hold on the page; what a webhook would tell."""
        page = self.views[payment_id]
        self.views[payment_id] = replace(
            page,
            status=ViewStatus.AUTHORISED,
            provider_ref=f"pi_{payment_id}",
            authorised_minor=held_minor,
            card_brand="visa",
            card_last4="4242",
            several_captures=several_captures,
        )
        return self.views[payment_id]

    def hold_expires(self, payment_id: str) -> View:
        """The provider lets go by itself; of what it has taken it lets nothing go."""
        gone = ViewStatus.CAPTURED if self.views[payment_id].captured_minor else ViewStatus.EXPIRED
        self.views[payment_id] = replace(self.views[payment_id], status=gone)
        return self.views[payment_id]

    def enquire(self, enquiry: Enquiry) -> View | NotSent | Unknown | None:
        if self.unreachable:
            return NotSent("connection refused")
        return self.views.get(enquiry.payment_id)

    def list_since(self, since: Instant) -> tuple[Trace, ...] | NotSent | Unknown:  # noqa: ARG002 - it remembers no times
        if self.unreachable:
            return NotSent("connection refused")
        return tuple(Trace(payment_id, view) for payment_id, view in self.views.items())

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        msg = f"a scripted provider sends no webhooks, and this one has {len(headers)} headers and {len(body)} bytes"
        raise AssertionError(msg)

    def store_method(self, reference: str, token: str, key: str) -> StoredMethod:
        return StoredMethod(f"cus_{reference}", f"{token}_{key}", "visa", "4242")

    @property
    def captured(self) -> dict[str, int]:
        """What it took, by payment."""
        return {payment_id: view.captured_minor for payment_id, view in self.views.items() if view.captured_minor}

    def times_sent(self, kind: OperationKind) -> int:
        """How many requests of that kind arrived."""
        return sum(1 for one in self.sent if one.kind is kind)


def _captured(view: View, amount: int) -> View:
    return replace(
        view, status=ViewStatus.CAPTURED, captured_minor=amount, authorised_minor=max(view.authorised_minor, amount)
    )
