"""Whether a provider captures a hold several times is said of an account where it is so, and of no other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.errors import BadInput
from tallywatt.workflows.add_provider_account import add_provider_account
from tallywatt.workflows.switch_captures import SwitchCaptures, switch_captures
from tests.workflows.test_add_provider_account import ASKED

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf


def test_it_is_switched_on_once_and_recorded(quick_house: HouseOf) -> None:
    """Said again it is no other setting, and the account that was added is the same when it is added again."""
    house = quick_house
    asked = replace(ASKED, name="second", provider="adyen", merchant="MyShopECOM")
    account = house.do(add_provider_account, asked)
    for several in (True, True, False):
        house.do(switch_captures, SwitchCaptures(account.account_id, several))
        assert house.rows.provider_accounts.get(account.account_id).several_captures is several
        assert house.do(add_provider_account, asked).account_id == account.account_id
    actions = house.rows.actions.by(subject_id=account.account_id)
    assert [one.action for one in actions].count("provider_account.captures") == 2


@pytest.mark.parametrize(("provider", "remedy"), [("stripe", "each hold"), ("mollie", "captured once")])
def test_no_other_provider_is_switched(quick_house: HouseOf, provider: str, remedy: str) -> None:
    """What each hold says itself nobody can say for it; what never is cannot be switched on."""
    account = quick_house.do(add_provider_account, replace(ASKED, name="other", provider=provider))
    with pytest.raises(BadInput) as refused:
        quick_house.do(switch_captures, SwitchCaptures(account.account_id, several=True))
    assert remedy in (refused.value.remedy or "")
    assert not quick_house.do(switch_captures, SwitchCaptures(account.account_id, several=False)).several_captures
