"""Accounts at providers: secrets are never ours to keep, and the same account is added once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.errors import BadInput, Conflict, UnknownCurrency
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tests.payments.house import HouseOfPayments
from tests.payments.scripted import ScriptedProvider

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKED = AddProviderAccount("cards", "stripe", ("GBP", "EUR"), "env:STRIPE_KEY", ("env:STRIPE_HOOK",))


@pytest.fixture
def house(house_url: str) -> Iterator[HouseOfPayments]:
    made = HouseOfPayments(house_url, ScriptedProvider())
    yield made
    made.close()


def test_the_first_account_is_the_default_and_the_same_again_is_the_same(house: HouseOfPayments) -> None:
    first = house.write(add_provider_account, ASKED)
    assert first.is_default
    assert first.currencies == ("EUR", "GBP")
    assert house.write(add_provider_account, ASKED).account_id == first.account_id
    assert not house.write(add_provider_account, replace(ASKED, name="second")).is_default


def test_the_same_name_with_other_settings_is_a_conflict(house: HouseOfPayments) -> None:
    house.write(add_provider_account, ASKED)
    with pytest.raises(Conflict):
        house.write(add_provider_account, replace(ASKED, live=True))


def test_a_secret_itself_is_refused(house: HouseOfPayments) -> None:
    """It would lie in the database, its backups and its logs."""
    with pytest.raises(BadInput) as refused:
        house.write(add_provider_account, replace(ASKED, secret_reference="sk_live_0123456789"))
    assert "sk_live" not in refused.value.message


def test_a_currency_must_exist(house: HouseOfPayments) -> None:
    with pytest.raises(UnknownCurrency):
        house.write(add_provider_account, replace(ASKED, currencies=("XXX",)))
