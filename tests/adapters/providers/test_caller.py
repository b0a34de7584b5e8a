"""The worker's side: accounts are opened once, and secrets are read where they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tallywatt.adapters.providers.caller import Providers
from tallywatt.adapters.providers.secrets import read_secret
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import Broken
from tallywatt.kernel.identity import ProviderAccountId
from tallywatt.payments.account import ProviderAccount

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = ProviderAccount(
    account_id=ProviderAccountId("a1"),
    name="cards",
    provider="stripe",
    live=False,
    base_url="http://127.0.0.1:1",
    currencies=("GBP",),
    secret_reference="env:TALLYWATT_TEST_STRIPE_KEY",
    webhook_secret_references=("env:TALLYWATT_TEST_STRIPE_HOOK",),
    is_default=True,
    created_at=Instant(0),
    closed_at=None,
)


def test_an_account_is_opened_once_and_again_when_it_has_changed() -> None:
    """Connections are kept between calls; a replaced secret takes effect with the account's next version."""
    read: list[str] = []

    def secret(reference: str) -> str:
        read.append(reference)
        return "sk_test_x"

    providers = Providers(secret)
    assert providers(ACCOUNT) is providers(ACCOUNT)
    assert len(read) == 2
    assert providers(replace(ACCOUNT, version=2)) is not providers(ACCOUNT)


def test_a_provider_that_nobody_speaks_to_is_named() -> None:
    with pytest.raises(Broken) as refused:
        Providers(lambda _: "x")(replace(ACCOUNT, provider="carrier-pigeon"))
    assert "carrier-pigeon" in refused.value.message


def test_secrets_are_read_from_the_environment_or_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TALLYWATT_TEST_SECRET", "from the environment")
    (tmp_path / "secret").write_text("from a file\n", encoding="utf-8")
    assert read_secret("env:TALLYWATT_TEST_SECRET") == "from the environment"
    assert read_secret(f"file:{tmp_path / 'secret'}") == "from a file"


@pytest.mark.parametrize("reference", ["env:TALLYWATT_NOT_SET", "file:/no/such/file", "sk_live_itself", "vault:x"])
def test_a_secret_that_is_not_there_is_named_and_never_shown(reference: str) -> None:
    with pytest.raises(Broken) as refused:
        read_secret(reference)
    assert refused.value.remedy is not None
