"""Say whether a provider has switched several captures of one hold on for an account, where it does so by account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import BadInput
from tallywatt.payments.capabilities import Captures, capabilities_of
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class SwitchCaptures:
    """Of which account, and whether a hold there may be captured several times."""

    account_id: str
    several: bool


def switch_captures(work: UnitOfWork, command: SwitchCaptures) -> ProviderAccount:
    """The account, for all holds from now on. Those that there are keep what was said when they were placed."""
    account = work.provider_accounts.lock(command.account_id)
    able = capabilities_of(account.provider).multiple_captures
    if command.several and able is not Captures.BY_ACCOUNT:
        msg = f"{account.provider} does not switch that on for an account"
        how = "nothing: each hold there says whether it can be captured several times"
        remedy = how if able is Captures.BY_HOLD else "nothing: a hold there is captured once"
        raise BadInput(msg, code="provider_accounts.captures_not_by_account", remedy=remedy)
    if account.several_captures is command.several:
        return account
    before, after = {"several": account.several_captures}, {"several": command.several}
    record_action(work, "provider_account.captures", "provider_account", account.account_id, before=before, after=after)
    return work.provider_accounts.put(replace(account, several_captures=command.several))
