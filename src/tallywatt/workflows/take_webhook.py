"""Take in a webhook: its row and its effect are one transaction, so a redelivery finds both or neither."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tallywatt.kernel.card_numbers import hide_card_numbers
from tallywatt.kernel.identity import OperationId
from tallywatt.payments.fact import ProviderFact, Source
from tallywatt.payments.provider import Succeeded
from tallywatt.payments.webhook import WebhookEvent, WebhookState
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.listen import to_inbox
from tallywatt.workflows.note_payment import note
from tallywatt.workflows.read_settlements import READ_REPORT
from tallywatt.workflows.renew_method import RenewMethod, renew_method
from tallywatt.workflows.take_dispute import TakeDispute, take_dispute

if TYPE_CHECKING:
    from tallywatt.kernel.identity import ProviderAccountId
    from tallywatt.payments.payment import Payment
    from tallywatt.payments.provider import ProviderEvent
    from tallywatt.workflows.ports import UnitOfWork

WEBHOOK_CLASS = "webhook_body"
"""The class of data whose key seals webhook bodies."""


class Taken(StrEnum):
    """What became of a webhook. All of them are answered with 2xx: it is kept."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    UNMATCHED = "unmatched"


@dataclass(frozen=True, slots=True)
class TakeWebhook:
    """A webhook whose signature was found good, for the account in its URL."""

    account_id: ProviderAccountId
    event: ProviderEvent
    body: bytes


def take_webhook(work: UnitOfWork, command: TakeWebhook) -> Taken:
    """Keep the event and apply what it says. The same event again changes nothing."""
    event = command.event
    if work.webhook_events.find(command.account_id, event.event_id) is not None:
        return Taken.DUPLICATE
    payment = _payment_of(work, command)
    state = WebhookState.IGNORED
    if ((event.view is not None or event.dispute is not None) and payment is not None) or event.report is not None:
        state = WebhookState.APPLIED
    elif event.view is not None and event.payment_id is not None and not _is_left_behind(work, command):
        state = WebhookState.UNMATCHED
    body, card_numbers = hide_card_numbers(command.body.decode("utf-8", "replace"))
    key_id, sealed = work.vault.seal(WEBHOOK_CLASS, event.event_id, body.encode())
    row = WebhookEvent(
        account_id=command.account_id,
        event_id=event.event_id,
        type=event.type,
        payment_id=None if payment is None else payment.payment_id,
        state=state,
        said_at=event.said_at,
        received_at=work.machine_now,
        key_id=key_id,
        sealed=sealed,
    )
    if not work.webhook_events.add(row):
        return Taken.DUPLICATE
    _apply(work, command, payment, state)
    if event.attention is not None and payment is not None:
        note(work, payment, "provider_needs_person", f"the provider reports {event.attention}", event.event_id)
    if card_numbers:
        _list(work, command, "card_number_hidden", f"{event.type} carried a card number; it was not stored")
    return Taken(state.value)


def _apply(work: UnitOfWork, command: TakeWebhook, payment: Payment | None, state: WebhookState) -> None:
    event = command.event
    if event.view is not None and payment is not None:
        apply_provider_fact(
            work, ProviderFact(payment.payment_id, Succeeded(event.view), Source.WEBHOOK, said_at=event.said_at)
        )
    elif event.renewed is not None:
        renew_method(work, RenewMethod(command.account_id, event.renewed))
    elif event.report is not None:
        work.jobs.add(Job(READ_REPORT, f"{command.account_id}/{event.event_id}", {"place": event.report}))
    elif state is WebhookState.UNMATCHED:
        summary = f"{event.type} about {event.provider_ref or 'an object'}, which is no payment of this operator"
        _list(work, command, "webhook_unmatched", summary)
    if event.dispute is not None:
        take_dispute(work, TakeDispute(command.account_id, event.dispute))


def _payment_of(work: UnitOfWork, command: TakeWebhook) -> Payment | None:
    """The payment that the event names, if it belongs to this account of this operator."""
    event = command.event
    found = None if event.payment_id is None else work.payments.find(event.payment_id)
    if found is None and event.provider_ref is not None:
        found = work.payments.one_by(account_id=command.account_id, provider_ref=event.provider_ref)
    if found is None and event.operation_id is not None:
        asked = work.operations.find(OperationId(event.operation_id))
        found = None if asked is None else work.payments.find(asked.payment_id)
    return found if found is not None and found.account_id == command.account_id else None


def _is_left_behind(work: UnitOfWork, command: TakeWebhook) -> bool:
    """Whether it is about what a payment that went to another provider left here, which holds nothing."""
    view = command.event.view
    if view is None or view.authorised_minor or view.captured_minor or command.event.payment_id is None:
        return False
    payment = work.payments.find(command.event.payment_id)
    return payment is not None and any(
        one.account_id == command.account_id for one in work.operations.by(payment_id=payment.payment_id)
    )


def _list(work: UnitOfWork, command: TakeWebhook, kind: str, summary: str) -> None:
    event = command.event
    to_inbox(work, kind, summary, command.account_id, event.provider_ref or event.event_id)
