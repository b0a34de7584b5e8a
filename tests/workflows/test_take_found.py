"""After a return from a backup: what the provider knows of the lost days is taken in, and asked for no second time."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tallywatt.adapters.storage.connections import sqlite_path
from tallywatt.kernel.errors import IdempotencyMismatch
from tallywatt.kernel.money import money
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.provider import Trace
from tallywatt.workflows.add_operator import AddOperator, add_operator
from tallywatt.workflows.begin_restoration import BeginRestoration, begin_restoration
from tallywatt.workflows.end_restoration import EndRestoration, end_restoration
from tallywatt.workflows.give_back import GiveBack, give_back
from tallywatt.workflows.take_found import TakeFound, take_found
from tests.payments.house import HouseOfPayments
from tests.payments.scripted import ScriptedProvider

if TYPE_CHECKING:
    from pathlib import Path


def test_a_refund_that_the_backup_does_not_know_is_not_made_again_for_its_asker(
    sqlite_house_url: str, tmp_path: Path
) -> None:
    """Its answer was lost with the house; the asker's program sends the same request again, as it was told to."""
    provider = ScriptedProvider()
    house = HouseOfPayments(sqlite_house_url, provider)
    house.write(add_operator, AddOperator("dundee", "Dundee"))
    account = house.account()
    payment = house.session_priced(house.customer(account.account_id), "100.00").payment_id
    house.work()
    house.close()
    shutil.copy(sqlite_path(sqlite_house_url), tmp_path / "backup")
    house = HouseOfPayments(sqlite_house_url, provider, now=house.time, name="lost days")
    asked = [GiveBack(payment, money(one, "GBP"), "late", f"refund {one}") for one in ("30.00", "20.00")]
    for one in asked:
        house.write(give_back, one)
        house.work()
    house.close()

    for path in (tmp_path / "house.db").parent.glob("house.db*"):
        path.unlink()
    shutil.copy(tmp_path / "backup", sqlite_path(sqlite_house_url))
    house = HouseOfPayments(sqlite_house_url, provider, now=house.time, name="after the return")
    restoration = house.write(begin_restoration, BeginRestoration("0" * 64, house.time))
    for _ in range(2):
        house.write(
            take_found, TakeFound(account.account_id, Trace(payment, provider.views[payment], account.account_id))
        )
    house.write(end_restoration, EndRestoration(restoration.restoration_id))
    sent = len(provider.sent)

    answers = [house.write(give_back, one) for one in asked]
    with pytest.raises(IdempotencyMismatch):
        house.write(give_back, GiveBack(payment, money("31.00", "GBP"), "late", "refund 30.00"))
    house.work()

    assert [(one.kind, one.amount_minor) for one in answers] == [
        (OperationKind.REFUND, 3000),
        (OperationKind.REFUND, 2000),
    ]
    assert len(provider.sent) == sent, "nothing was sent for what was done already"
    assert house.payment(payment).refunded_minor == 5000
    assert house.kinds(payment).count(("refund", "succeeded")) == 2
    house.close()
