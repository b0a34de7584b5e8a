"""Who collects by direct debit, and customers' mandates: kept with the payer's account sealed, paused, ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from tallywatt.kernel.clock import local_date
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.events import Event
from tallywatt.payments.bank import masked
from tallywatt.payments.debit import (
    EUR,
    KIND,
    LONGEST_NAME,
    MOST_NOTICE_DAYS,
    REFERENCE,
    CollectionState,
    Creditor,
    Mandate,
    MandateState,
    PayerAccount,
    Scheme,
    bound_to,
    void_from,
)
from tallywatt.payments.iban import read_bic, read_creditor_id, read_iban
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.kernel.events import Scalar
    from tallywatt.workflows.ports import UnitOfWork

DRAWN = 12
"""Characters of a reference that is drawn."""


@dataclass(frozen=True, slots=True)
class SetCreditor:
    """The creditor identifier, whose account the money comes in on, and how long before the day payers are told."""

    creditor_id: str
    name: str
    iban: str
    bic: str | None = None
    notice_days: int = 14


def set_creditor(work: UnitOfWork, command: SetCreditor) -> Creditor:
    """From now on it is collected so; files that are there stay as they are."""
    name = " ".join(command.name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        msg = f"who collects has a name of at most {LONGEST_NAME} characters"
        raise BadInput(msg, code="debits.bad_creditor")
    if not 1 <= command.notice_days <= MOST_NOTICE_DAYS:
        msg = f"payers are told 1 to {MOST_NOTICE_DAYS} days before"
        raise BadInput(msg, code="debits.bad_notice")
    iban = read_iban(command.iban)
    wanted = Creditor(
        EUR,
        read_creditor_id(command.creditor_id),
        name,
        iban,
        read_bic(command.bic, iban),
        command.notice_days,
        work.now,
    )
    before = None
    if not work.creditors.add(wanted):
        known = work.creditors.lock(EUR)
        before = _told(known)
        wanted = replace(wanted, changed_at=known.changed_at, version=known.version)
        if wanted == known:
            return known
        wanted = work.creditors.put(replace(wanted, changed_at=work.now))
    record_action(work, "debit.creditor", "operator", work.operator, before=before, after=_told(wanted))
    return wanted


def _told(creditor: Creditor) -> dict[str, str | int]:
    return {
        "creditor_id": creditor.creditor_id,
        "name": creditor.name,
        "account": masked(creditor.iban),
        "notice_days": creditor.notice_days,
    }


def creditor_of(work: UnitOfWork) -> Creditor:
    """Who collects; Conflict while nobody has said it."""
    found = work.creditors.find(EUR)
    if found is None:
        msg = "nobody has said yet who collects, and to which account"
        raise Conflict(msg, code="debits.no_creditor", remedy="set it: tallywatt debit creditor DE98ZZZ09999999999 ...")
    return found


@dataclass(frozen=True, slots=True)
class SignMandate:
    """A mandate as it was signed."""

    customer: str
    iban: str
    signed_on: str
    name: str | None = None
    """Of the holder of the account; the customer's if left out."""
    bic: str | None = None
    reference: str | None = None
    """Drawn if left out."""
    scheme: Scheme = Scheme.CORE
    used_before: bool = False
    """Whether it was collected with elsewhere: it is recurrent then."""


def sign_mandate(work: UnitOfWork, command: SignMandate) -> Mandate:
    """Keep it. The customer's mandate before it ends; told again with the same reference it is the same one."""
    customer = work.customers.one_by(reference=command.customer)
    if customer is None:
        msg = f"there is no customer {command.customer!r}"
        raise NotFound(msg, code="customers.not_found")
    creditor_of(work)
    signed = _day(work, command.signed_on)
    account = _account(work, command, customer.customer_id)
    mandate_id = work.draw.id(f"mandate/{customer.customer_id}")
    reference = (command.reference or "").strip() or f"M-{work.draw.token('mandate', DRAWN)}"
    if not REFERENCE.fullmatch(reference):
        msg = "a mandate has a reference of at most 35 letters, digits and + ? / : ( ) . , ' -"
        raise BadInput(msg, code="debits.bad_reference")
    if work.mandates.one_by(reference=reference) is not None:
        msg = "there is a mandate with this reference already"
        raise Conflict(
            msg, code="debits.mandate_there", remedy="a mandate that was signed anew has a reference of its own"
        )
    for before in work.mandates.by(customer_id=customer.customer_id):
        if before.state is not MandateState.ENDED:
            end(work, before, "replaced")
    key_id, sealed = work.vault.seal(KIND, mandate_id, account.as_text().encode(), bound_to(work.operator, mandate_id))
    mandate = Mandate(
        mandate_id=mandate_id,
        reference=reference,
        customer_id=customer.customer_id,
        scheme=command.scheme,
        key_id=key_id,
        sealed_account=sealed,
        shown=masked(account.iban),
        signed_on=signed,
        state=MandateState.ACTIVE,
        used_on=signed if command.used_before else None,
        created_at=work.now,
        ended_at=None,
        end_reason=None,
    )
    work.mandates.add_new(mandate)
    after = {"reference": reference, "account": mandate.shown, "signed_on": signed, "scheme": command.scheme.value}
    record_action(work, "mandate.sign", "customer", customer.customer_id, after=after)
    _tell(work, mandate, "MandateSigned")
    return mandate


def _day(work: UnitOfWork, text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        msg = f"{text[:40]!r} is no date"
        raise BadInput(msg, code="debits.bad_date", remedy="write it as 2026-11-22") from error
    today = local_date(work.now, work.operators.get().zone)
    if day > today or void_from(day.isoformat(), None) <= today.isoformat():
        msg = "a mandate was signed today or before, and not so long ago that it is void"
        raise BadInput(msg, code="debits.bad_date")
    return day.isoformat()


def _account(work: UnitOfWork, command: SignMandate, customer_id: str) -> PayerAccount:
    details = work.customer_details.find(customer_id)
    name = " ".join((command.name or (details.name if details is not None else "")).split())
    if not 0 < len(name) <= LONGEST_NAME:
        msg = f"the holder of the account has a name of at most {LONGEST_NAME} characters"
        raise BadInput(msg, code="debits.bad_holder", remedy="say the name as it stands on the mandate")
    iban = read_iban(command.iban)
    return PayerAccount(name, iban, read_bic(command.bic, iban))


@dataclass(frozen=True, slots=True)
class RevokeMandate:
    """Which mandate the customer has taken back, by its id."""

    mandate_id: str


def revoke_mandate(work: UnitOfWork, command: RevokeMandate) -> Mandate:
    """Nothing more is collected with it. What is in a file already goes on: tell the bank to call it back."""
    mandate = work.mandates.lock(command.mandate_id)
    if mandate.state is MandateState.ENDED:
        return mandate
    record_action(work, "mandate.revoke", "customer", mandate.customer_id, after={"reference": mandate.reference})
    return end(work, mandate, "revoked")


@dataclass(frozen=True, slots=True)
class ResumeMandate:
    """Which paused mandate may be collected with again."""

    mandate_id: str


def resume_mandate(work: UnitOfWork, command: ResumeMandate) -> Mandate:
    """A person has asked the customer, or the bank: it goes on."""
    mandate = work.mandates.lock(command.mandate_id)
    if mandate.state is MandateState.ACTIVE:
        return mandate
    if mandate.state is MandateState.ENDED:
        msg = "this mandate has ended"
        raise Conflict(msg, code="debits.mandate_ended", remedy="ask the customer to sign another one")
    record_action(work, "mandate.resume", "customer", mandate.customer_id, before={"reason": mandate.end_reason})
    return work.mandates.put(replace(mandate, state=MandateState.ACTIVE, end_reason=None))


def end(work: UnitOfWork, mandate: Mandate, reason: str) -> Mandate:
    """It lets nothing more be collected; why is kept."""
    ended = work.mandates.put(replace(mandate, state=MandateState.ENDED, ended_at=work.now, end_reason=reason))
    _tell(work, ended, "MandateEnded")
    return ended


def pause(work: UnitOfWork, mandate: Mandate, reason: str) -> Mandate:
    """Nothing is collected with it until a person says so."""
    paused = work.mandates.put(replace(mandate, state=MandateState.PAUSED, end_reason=reason))
    _tell(work, paused, "MandatePaused")
    return paused


def refuse_while_asked(work: UnitOfWork, customer_id: str) -> None:
    """Whose account stands in a file at the bank is not forgotten before the bank has answered."""
    asked = work.debit_collections.by(customer_id=customer_id, state=CollectionState.ASKED.value)
    if asked:
        msg = "something is being collected from this customer's account"
        raise Conflict(msg, code="customers.debit_under_way", remedy="erase the customer when the bank has answered")


def forget_accounts(work: UnitOfWork, customer_id: str) -> None:
    """What is left of a mandate is sealed with nothing in it."""
    for one in work.mandates.by(customer_id=customer_id):
        ended = one if one.state is MandateState.ENDED else end(work, one, "erased")
        key_id, sealed = work.vault.seal(KIND, f"forget/{one.mandate_id}", b"", bound_to(work.operator, one.mandate_id))
        word = f"erased-{one.mandate_id[-12:]}"
        work.mandates.put(replace(ended, reference=word, key_id=key_id, sealed_account=sealed, shown=""))


def _tell(work: UnitOfWork, mandate: Mandate, type_: str) -> None:
    data: dict[str, Scalar] = {"mandate_id": mandate.mandate_id}
    if mandate.end_reason is not None:
        data["reason"] = mandate.end_reason
    work.events.append(Event("customer", mandate.customer_id, type_, data))
