"""Many payers, behind a line of the bank or in a file, are gone on with by a job that may be cut short at any time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.entrypoints.worker import LANES, Workers
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.money import money
from tallywatt.payments.bank import ToldBankLine
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.keep_mandate import SetCreditor, SignMandate, set_creditor, sign_mandate
from tallywatt.workflows.keep_own_account import AllowInvoice, allow_invoice
from tallywatt.workflows.prepare_debits import PrepareDebits, prepare_debits
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tallywatt.workflows.take_statement import TakeStatement, take_statement
from tests.entrypoints.scene import TARIFF, Scene
from tests.migrated import copy_of, migrated_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tallywatt.payments.debit import DebitBatch

__all__ = ["migrated_file"]

PAYERS = 3


@pytest.fixture
def scene(tmp_path: Path, migrated_file: Path) -> Iterator[Scene]:
    """A furnished house."""
    built = Scene.open(tmp_path, copy_of(migrated_file, tmp_path)).furnish()
    yield built
    built.close()


def asked(scene: Scene) -> DebitBatch:
    """A file that asks three payers."""
    put = scene.do(put_tariff, PutTariff({**TARIFF, "id": "euros", "currency": "EUR"}))
    scene.do(add_provider_account, AddProviderAccount("terms", "invoice", ("EUR",), "", ()))
    scene.do(set_creditor, SetCreditor("DE98ZZZ09999999999", "Dundee", "DE89370400440532013000"))
    for number in range(PAYERS):
        name = f"E-{number}"
        scene.do(add_customer, AddCustomer(name, name=name))
        scene.do(add_token, AddToken(f"EURO{number}", name))
        assigned = AssignTariff(put.version.tariff_version_id, valid_from=Instant(0), audience=f"customer:{name}")
        scene.do(assign_tariff, assigned)
        scene.do(allow_invoice, AllowInvoice(name, money("500.00", "EUR"), 14))
        signed = SignMandate(name, "NL91ABNA0417164300", "2026-02-01", reference=f"M-{number}")
        scene.do(sign_mandate, signed)
        scene.wire("CP3").charge(4_000_000, meter=number * 4_000_000, token=f"EURO{number}")
        scene.collect()
    batch = scene.do(prepare_debits, PrepareDebits(key="first run"))
    assert batch.count == PAYERS
    return batch


def came(scene: Scene) -> str:
    """A line that brings the debits of three payers; its address."""
    batch = asked(scene)
    line = ToldBankLine(
        "l1", "DE..3000", "S1", "l1", scene.now, batch.total_minor, "EUR", batch_ref=batch.message_id
    )  # fmt: skip
    assert scene.do(take_statement, TakeStatement((line,), "ab12")).matched == 1
    return "/bank-lines/l1"


def told(scene: Scene, path: str) -> dict[str, Any]:
    """What a resource says."""
    answer = scene.client().get(path, headers=scene.key("read"))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def stand(scene: Scene) -> list[str]:
    """The states of the debits."""
    [batch] = told(scene, "/debit-batches")["items"]
    return sorted(one["state"] for one in told(scene, f"/debit-batches/{batch['id']}/debits")["items"])


def test_a_job_carries_the_rest_and_undoes_it_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed workers take it up where it was; whoever looks sees that it is under way."""
    for place in ("collect_line", "undo_debits"):
        monkeypatch.setattr(f"tallywatt.workflows.{place}.AT_ONCE", 1)
    monkeypatch.setattr("tallywatt.entrypoints.worker.carrying.STRETCH", 1)
    path = came(scene)
    assert told(scene, path)["under_way"] == "collecting"
    assert stand(scene) == ["asked", "asked", "collected"]

    stopped = Workers(scene.house, ())
    stopped.stop()
    assert stopped.step(LANES["bank"]) == 1
    assert stand(scene) == ["asked", "collected", "collected"]
    workers = Workers(scene.house, ())
    while workers.step(LANES["bank"]):
        pass
    assert stand(scene) == ["collected"] * PAYERS
    assert told(scene, path)["under_way"] is None

    headers = scene.key("collect")
    answer = scene.client().post(f"{path}/undo", json={"reason": "of next week"}, headers=headers)
    assert (answer.status_code, answer.json()["state"], answer.json()["under_way"]) == (200, "debit", "undoing")
    again = scene.client().post(f"{path}/decide", json={"nothing": True}, headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "bank.under_way")
    page = scene.signed_in().get("/console/bank?state=debit").text
    assert "its payers are asked again" in page
    while workers.step(LANES["bank"]):
        pass
    opened = told(scene, path)
    assert (opened["state"], opened["under_way"], opened["undo_note"]) == ("open", None, "of next week")
    assert stand(scene) == ["asked"] * PAYERS


def test_a_job_lets_the_rest_of_a_file_go(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed workers take it up where it was; until the last payer is free nobody is asked by another file."""
    monkeypatch.setattr("tallywatt.workflows.end_debits.AT_ONCE", 1)
    monkeypatch.setattr("tallywatt.entrypoints.worker.carrying.STRETCH", 1)
    batch = asked(scene)
    client, headers = scene.client(), scene.key("collect")
    answer = client.post(f"/debit-batches/{batch.batch_id}/cancel", headers=headers)
    assert (answer.status_code, answer.json()["cancelled_at"] is not None) == (200, True)
    assert stand(scene) == ["asked", "asked", "cancelled"]

    stopped = Workers(scene.house, ())
    stopped.stop()
    assert stopped.step(LANES["bank"]) == 1
    assert stand(scene) == ["asked", "cancelled", "cancelled"]
    with pytest.raises(Conflict) as busy:
        scene.do(prepare_debits, PrepareDebits(key="second run"))
    assert busy.value.code == "debits.under_way"
    workers = Workers(scene.house, ())
    while workers.step(LANES["bank"]):
        pass
    assert stand(scene) == ["cancelled"] * PAYERS
    assert scene.do(prepare_debits, PrepareDebits(key="second run")).count == PAYERS
