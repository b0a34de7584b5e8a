"""Add an operator's account at a payment provider. Secrets stay where they are; only references to them are kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import ProviderAccountId
from tallywatt.kernel.money import currency
from tallywatt.payments.account import ProviderAccount
from tallywatt.payments.capabilities import CAPABILITIES, capabilities_of
from tallywatt.payments.secret import SEALED_HERE
from tallywatt.workflows.put_secret import kept_reference
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork

MOST_RANK = 1000
SECRET_REFERENCES = ("env:", "file:", SEALED_HERE)


@dataclass(frozen=True, slots=True)
class AddProviderAccount:
    """An account as the operator describes it. The first one becomes the default."""

    name: str
    provider: str
    currencies: tuple[str, ...]
    secret_reference: str
    webhook_secret_references: tuple[str, ...]
    live: bool = False
    base_url: str | None = None
    merchant: str | None = None
    rank: int = 0
    fee_minor: int | None = None
    fee_basis_points: int | None = None
    least_minor: int | None = None
    low_minor: int | None = None


def add_provider_account(work: UnitOfWork, command: AddProviderAccount) -> ProviderAccount:
    """The account as a row; the same name again is the same account, and another content is a conflict."""
    own = capabilities_of(command.provider).own_books
    if own and (command.secret_reference or command.webhook_secret_references or command.base_url):
        msg = "an account in our own books has no secret and no address"
        raise BadInput(msg, code="provider_accounts.nothing_to_know")
    for reference in () if own else (command.secret_reference, *command.webhook_secret_references):
        if not reference.startswith(SECRET_REFERENCES):
            msg = "a secret is given as a reference, env:NAME, file:PATH or vault:NAME, and never itself"
            raise BadInput(msg, code="payment.secret_not_a_reference")
    if command.provider not in CAPABILITIES:
        msg = "nobody here speaks to that payment provider"
        raise BadInput(msg, code="provider_accounts.unknown_provider", remedy=f"one of {', '.join(CAPABILITIES)}")
    if capabilities_of(command.provider).needs_merchant and not command.merchant:
        msg = "this provider wants the name of the merchant account with every request"
        raise BadInput(msg, code="provider_accounts.no_merchant")
    if (
        not 0 <= command.rank <= MOST_RANK
        or min(command.fee_minor or 0, command.fee_basis_points or 0, command.least_minor or 0, command.low_minor or 0)
        < 0
    ):
        msg = "a rank and a fee are small whole numbers from 0 on"
        raise BadInput(msg, code="provider_accounts.bad_order")
    for code in command.currencies:
        currency(code)
    account = ProviderAccount(
        account_id=ProviderAccountId(work.draw.id(f"provider_account/{command.name}")),
        name=command.name,
        provider=command.provider,
        live=command.live,
        base_url=command.base_url,
        currencies=tuple(sorted(command.currencies)),
        secret_reference="" if own else kept_reference(work, command.secret_reference),
        webhook_secret_references=tuple(kept_reference(work, one) for one in command.webhook_secret_references),
        is_default=not own and not work.provider_accounts.by(is_default=True),
        created_at=work.now,
        closed_at=None,
        merchant=command.merchant or None,
        rank=command.rank,
        fee_minor=command.fee_minor,
        fee_basis_points=command.fee_basis_points,
        least_minor=command.least_minor,
        low_minor=command.low_minor,
    )
    known = work.provider_accounts.one_by(name=command.name)
    if known is not None:
        if (
            replace(
                known,
                account_id=account.account_id,
                created_at=account.created_at,
                is_default=account.is_default,
                several_captures=False,
                version=1,
            )
            != account
        ):
            msg = f"there is an account {command.name!r} already, with other settings"
            raise Conflict(msg, code="payment.account_exists")
        return known
    work.provider_accounts.add(account)
    work.events.append(
        Event("provider_account", account.account_id, "ProviderAccountAdded", {"provider": account.provider})
    )
    after = {"name": account.name, "provider": account.provider, "live": account.live}
    record_action(work, "provider_account.add", "provider_account", account.account_id, after=after)
    return account
