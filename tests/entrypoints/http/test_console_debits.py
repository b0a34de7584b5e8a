"""Direct debits and lines of the bank on the console: from the mandate to the file, and from the statement to a click."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.customers.roles import Role
from tallywatt.kernel.clock import Instant, local_date
from tallywatt.kernel.money import money
from tallywatt.payments.bank import ToldBankLine
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.keep_mandate import SetCreditor, SignMandate, set_creditor, sign_mandate
from tallywatt.workflows.keep_own_account import AllowInvoice, allow_invoice
from tallywatt.workflows.prepare_debits import PrepareDebits, prepare_debits
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tallywatt.workflows.take_statement import TakeStatement, take_statement
from tests.entrypoints.http.test_console import send

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.entrypoints.scene import Scene

IN_EUROS: dict[str, Any] = {
    "id": "euros",
    "currency": "EUR",
    "tax_included": "YES",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 0.30, "vat": 20, "step_size": 1}]}],
}
IBAN = "NL91ABNA0417164300"
CREDITOR = {
    "creditor_id": "DE98ZZZ09999999999",
    "name": "Dundee",
    "iban": "DE89370400440532013000",
    "notice_days": "14",
}


def owing(scene: Scene, *, signed: bool = True) -> None:
    """C1 has bought for 3.00 on invoice, in euros, and may be collected from."""
    put = scene.do(put_tariff, PutTariff(IN_EUROS))
    # Theirs alone: the pages of the others go on in pounds.
    assigned = AssignTariff(put.version.tariff_version_id, valid_from=Instant(0), audience="customer:C1")
    scene.do(assign_tariff, assigned)
    scene.do(add_provider_account, AddProviderAccount("terms", "invoice", ("EUR",), "", ()))
    scene.do(allow_invoice, AllowInvoice("C1", money("100.00", "EUR"), 14))
    scene.wire().charge(10_000_000, token="CARD1")
    scene.collect()
    if signed:
        scene.do(set_creditor, SetCreditor(CREDITOR["creditor_id"], "Dundee", CREDITOR["iban"]))
        # The stations of a scene are hours ahead of the house: late in the evening it is their tomorrow.
        today = local_date(scene.house.business_now(), "UTC").isoformat()
        scene.do(sign_mandate, SignMandate("C1", IBAN, today, name="Driver", reference="M-1"))


def batch_ready(scene: Scene) -> str:
    """The id of a batch with a payer in it."""
    owing(scene)
    batch = scene.do(prepare_debits, PrepareDebits())
    assert batch.count == 1
    return str(batch.batch_id)


def upload(client: TestClient, path: str, content: bytes) -> Any:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/console").text)
    assert found is not None
    return client.post(path, data={"csrf": found[1]}, files={"file": ("file.xml", content, "text/xml")})


def test_a_mandate_becomes_a_file_for_the_bank(scene: Scene) -> None:
    """Said once who collects, a mandate on the customer's page, two clicks; the account is in the file and on no page."""
    owing(scene, signed=False)
    client = scene.signed_in()
    assert "Nothing is collected before it is set" in client.get("/console/debits").text
    assert send(client, "/console/debits/creditor", **{**CREDITOR, "iban": "DE00"}).status_code == 400
    assert send(client, "/console/debits/creditor", **CREDITOR).status_code == 303
    today = local_date(scene.house.business_now(), "UTC").isoformat()
    mandate = {"iban": IBAN, "signed_on": today, "mandate": "M-1", "holder": "Driver"}
    wrong = send(client, "/console/customers/C1/mandates", **{**mandate, "iban": "NL91ABNA0417164301"})
    assert wrong.status_code == 400
    assert "NL91ABNA0417164301" not in wrong.text
    assert send(client, "/console/customers/C1/mandates", **mandate).status_code == 303
    shown = client.get("/console/customers/C1").text
    assert "NL..4300" in shown
    assert IBAN not in shown

    answer = send(client, "/console/debits")
    assert answer.status_code == 303
    path = answer.headers["location"].partition("?")[0]
    assert "3.00" in client.get(path).text
    file = send(client, f"{path}/file")
    assert IBAN in file.text
    assert file.headers["content-disposition"].startswith('attachment; filename="DD')
    assert send(client, f"{path}/file").content == file.content
    assert "Downloaded" in client.get("/console/debits").text
    assert send(client, "/console/debits", collect_on="2020-01-01").status_code == 400
    assert IBAN not in str(scene.house.ask_now(scene.house.views.actions, scene.operator))


def test_a_report_reopens_what_was_rejected_and_a_cancelled_file_is_gone(scene: Scene) -> None:
    """MD01: the payer says there is no mandate, and nothing is collected with it again."""
    owing(scene)
    client = scene.signed_in()
    path = send(client, "/console/debits").headers["location"].partition("?")[0]
    [batch] = scene.house.ask_now(scene.house.views.debit_batches, scene.operator)
    report = (
        "<Document><CstmrPmtStsRpt><OrgnlGrpInfAndSts><OrgnlMsgId>"
        f"{batch['message_id']}</OrgnlMsgId><GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>MD01</Cd></Rsn></StsRsnInf>"
        "</OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>"
    )
    assert upload(client, "/console/debits/report", b"nothing").status_code == 400
    assert upload(client, "/console/debits/report", report.encode()).headers["location"].endswith("rejected_debits")
    assert "MD01" in client.get(path).text
    assert send(client, "/console/debits").headers["location"].endswith("nothing_due")
    assert send(client, f"{path}/cancel").status_code == 303
    assert send(client, f"{path}/file").status_code == 409


def test_a_line_is_decided_by_the_click_that_is_offered(scene: Scene) -> None:
    """Its sum is that of a file: one button; whoever says nothing is asked to."""
    owing(scene)
    client = scene.signed_in()
    send(client, "/console/debits")
    [batch] = scene.house.ask_now(scene.house.views.debit_batches, scene.operator)
    lines = tuple(
        ToldBankLine(name, "DE..3000", "S1", name, scene.now, minor, "EUR") for name, minor in (("a", 300), ("b", 5))
    )
    scene.do(take_statement, TakeStatement(lines, "ab12"))
    shown = client.get("/console/bank").text
    assert f"Direct debits {batch['message_id']}" in shown
    for fields in (
        {},
        {"kind": "transfer"},
        {"kind": "transfer", "customer": "nobody"},
        {"kind": "debit", "debit": "x"},
    ):
        assert send(client, "/console/bank/b", **fields).status_code in (400, 404, 409)

    assert send(client, "/console/bank/a", kind="debit", debit=batch["message_id"]).status_code == 303
    assert send(client, "/console/bank/b", kind="nothing", note="interest").status_code == 303

    assert "No line waits" in client.get("/console/bank").text
    assert "interest" in client.get("/console/bank?state=dismissed").text
    assert batch["id"] in client.get("/console/bank?state=debit").text
    assert upload(client, "/console/bank", b"nothing").status_code == 400


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.READ_ONLY, Role.OPERATIONS])
def test_who_may_not_collect_looks_and_changes_nothing(scene: Scene, role: Role) -> None:
    """Accounts of people and money: owner and finance alone."""
    client = scene.signed_in(role)
    for path in ("/console/bank", "/console/debits"):
        assert client.get(path).status_code == 200
        assert send(client, path).status_code == 403
    assert send(client, "/console/debits/x/file").status_code == 403
