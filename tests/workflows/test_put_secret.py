"""Secrets of providers: sealed, replaced, forgotten; and no row, record or event holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.adapters.storage.views import Views
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.put_secret import PutSecret, RemoveSecret, put_secret, remove_secret

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf

ACCOUNT = AddProviderAccount("sealed", "stripe", ("GBP",), "vault:stripe-live", ("vault:stripe-hook",))


def opened(house: HouseOf, secret_id: str) -> str | None:
    """A secret in the clear."""
    return Views.opened_secret(house.reader, secret_id, house.vault)


def test_what_is_kept_comes_back_for_whoever_calls_the_provider(house: HouseOf) -> None:
    """And in the database it cannot be read."""
    kept = house.do(put_secret, PutSecret("stripe-live", "sk_live_1"))
    assert kept.reference == "vault:stripe-live"
    assert opened(house, kept.secret_id) == "sk_live_1"
    assert b"sk_live_1" not in house.rows.sealed_secrets.get(kept.secret_id).sealed_secret
    for rows in (house.rows.actions.by(), house.rows.sealed_secrets.by()):
        assert "sk_live_1" not in repr(rows)


def test_the_same_name_again_replaces_the_secret_and_opens_the_account_anew(house: HouseOf) -> None:
    """A connection is kept by the version of its account: it must not go on with the old secret."""
    first = house.do(put_secret, PutSecret("stripe-live", "sk_1"))
    house.do(put_secret, PutSecret("stripe-hook", "wh_1"))
    account = house.do(add_provider_account, ACCOUNT)
    assert account.secret_reference == f"vault:{first.secret_id}"
    again = house.do(put_secret, PutSecret("stripe-live", "sk_2"))
    assert (again.secret_id, opened(house, first.secret_id)) == (first.secret_id, "sk_2")
    assert house.rows.provider_accounts.get(account.account_id).version == account.version + 1


def test_an_account_refers_only_to_a_secret_that_is_there(house: HouseOf) -> None:
    """Told when it is added, not when the first driver pays."""
    with pytest.raises(NotFound) as caught:
        house.do(add_provider_account, ACCOUNT)
    assert "secrets put stripe-live" in (caught.value.remedy or "")


def test_a_secret_that_an_account_uses_is_not_forgotten(house: HouseOf) -> None:
    """Collecting would stop."""
    house.do(put_secret, PutSecret("stripe-live", "sk_1"))
    house.do(put_secret, PutSecret("stripe-hook", "wh_1"))
    house.do(add_provider_account, ACCOUNT)
    with pytest.raises(Conflict):
        house.do(remove_secret, RemoveSecret("stripe-hook"))


def test_what_is_forgotten_is_gone_and_its_name_is_free(house: HouseOf) -> None:
    """Nothing of it is left that could be opened."""
    kept = house.do(put_secret, PutSecret("old", "sk_old"))
    house.do(remove_secret, RemoveSecret("old"))
    assert opened(house, kept.secret_id) == ""
    assert Views.secrets(house.reader, house.operator) == []
    with pytest.raises(NotFound):
        house.do(remove_secret, RemoveSecret("old"))
    assert house.do(put_secret, PutSecret("old", "sk_new")).secret_id != kept.secret_id


@pytest.mark.parametrize(
    ("name", "secret"), [("", "x"), ("Has Spaces", "x"), ("removed x", "x"), ("ok", ""), ("ok", "x" * 10_001)]
)
def test_what_cannot_be_kept_is_refused(house: HouseOf, name: str, secret: str) -> None:
    """The message does not repeat it."""
    with pytest.raises(BadInput) as caught:
        house.do(put_secret, PutSecret(name, secret))
    assert "xx" not in caught.value.message


def test_keeping_a_secret_twice_is_one_secret(house: HouseOf) -> None:
    """A command that is run again after a lost answer."""
    first, second = (house.do(put_secret, PutSecret("stripe-live", "sk_1")) for _ in range(2))
    assert first == second
