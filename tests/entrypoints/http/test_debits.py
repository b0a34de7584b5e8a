"""Direct debits and lines of the bank through the API: a program does all that a person at the console can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.kernel.clock import Instant, local_date
from tallywatt.payments.bank import ToldBankLine
from tallywatt.workflows.keep_mandate import SetCreditor, set_creditor
from tallywatt.workflows.take_statement import TakeStatement, take_statement
from tests.adapters.banking.test_camt import a_file, entry
from tests.entrypoints.http.test_console_debits import CREDITOR, IBAN, owing

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene


class Program:
    """A key, and what it sends."""

    def __init__(self, scene: Scene) -> None:
        self.client, self.headers = scene.client(), scene.key()

    def get(self, path: str, status: int = 200) -> Any:
        answer = self.client.get(path, headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, status: int = 200, key: str | None = None) -> Any:
        headers = {**self.headers, **({"Idempotency-Key": key} if key else {})}
        sent = {"content": body} if isinstance(body, bytes) else {"json": body}
        answer = self.client.post(path, headers=headers, **sent)
        assert answer.status_code == status, answer.text
        return answer.json() if "json" in answer.headers["content-type"] else answer.content


def test_a_program_collects_from_the_mandate_to_the_money(scene: Scene) -> None:
    """Who collects, a mandate, what is due, the file, and the statement that says it came."""
    owing(scene, signed=False)
    program = Program(scene)
    program.get("/creditor", 404)
    put = program.client.put(
        "/creditor", headers=program.headers, json={**CREDITOR, "notice_days": 14, "name": "Dundee"}
    )
    assert put.json()["iban"] == CREDITOR["iban"]
    assert program.get("/creditor") == put.json()
    today = local_date(scene.house.business_now(), "UTC").isoformat()
    mandate = {"customer": "C1", "iban": IBAN, "signed_on": today, "reference": "M-1"}
    kept = program.post("/mandates", mandate, 201)
    assert (kept["account"], IBAN in str(kept)) == ("NL..4300", False)
    assert [one["id"] for one in program.get("/mandates?customer=C1&state=active")["items"]] == [kept["id"]]
    assert program.get("/mandates/M-1")["customer"] == "C1"

    seen = program.get("/debit-preview")
    assert (seen["count"], seen["total_minor"], seen["debits"][0]["items"]) == (1, 300, 1)
    told = scene.house.ask_now(scene.house.views.debits_due, scene.operator, seen["collect_on"], today, 0)
    assert (told["count"], told["total_minor"], told["debits"]) == (1, 300, []), "the sum is of all, not of the list"
    assert program.get("/debit-batches")["items"] == [], "looking writes nothing down"
    batch = program.post("/debit-batches", {}, 201, "run 1")
    assert program.post("/debit-batches", {}, 201, "run 1") == batch
    assert (batch["state"], batch["count"], batch["total_minor"]) == ("ready", 1, 300)
    assert program.get("/debit-preview")["debits"] == []
    [debit] = program.get(f"/debit-batches/{batch['message_id']}/debits")["items"]
    file = program.post(f"/debit-batches/{batch['id']}/file")
    assert debit["end_to_end"].encode() in file
    assert program.get(f"/debit-batches/{batch['id']}")["state"] == "given"

    refs = f"<NtryDtls><TxDtls><Refs><EndToEndId>{debit['end_to_end']}</EndToEndId></Refs></TxDtls></NtryDtls>"
    statement = a_file(entry("3.00", details=refs))
    assert program.post("/bank-statements", statement, key="s") == {"new": 1, "known": 0, "matched": 1}
    assert program.post("/bank-statements", statement, key="s") == {"new": 1, "known": 0, "matched": 1}
    assert program.post("/bank-statements", statement) == {"new": 0, "known": 1, "matched": 0}
    [line] = program.get("/bank-lines?state=debit")["items"]
    assert program.get(f"/bank-lines/{line['id']}")["batch_id"] == batch["id"]
    assert program.get("/open-items")["items"] == []


def test_a_batch_that_is_asked_for_again_after_it_was_cancelled_is_a_new_one_only_under_a_new_key(scene: Scene) -> None:
    """An answer that was lost: whoever asks again gets the first batch, also when somebody has cancelled it since."""
    owing(scene)
    program = Program(scene)
    first = program.post("/debit-batches", {}, 201, "run 1")
    assert program.post(f"/debit-batches/{first['id']}/cancel")["state"] == "cancelled"
    assert program.post("/debit-batches", {}, 201, "run 1") == first
    again = program.post("/debit-batches", {}, 201, "run 2")
    assert (again["id"] != first["id"], again["count"]) == (True, 1)
    report = (
        "<Document><CstmrPmtStsRpt><OrgnlGrpInfAndSts><OrgnlMsgId>"
        f"{again['message_id']}</OrgnlMsgId><GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>MS03</Cd></Rsn></StsRsnInf>"
        "</OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>"
    ).encode()
    assert program.post("/debit-reports", report) == {"rejected": 1, "unknown": 0}
    assert program.post("/debit-reports", report) == {"rejected": 0, "unknown": 0}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "bank.which_payout"),
        ({"nothing": True, "customer": "C1"}, 400, "bank.which_payout"),
        ({"payout": "x"}, 400, "bank.which_payout"),
        ({"payout": "x", "account": "nobody"}, 404, "payment.no_account"),
        ({"payout": "x", "account": "main"}, 400, "bank.no_such_payout"),
        ({"customer": "nobody"}, 404, "customers.not_found"),
        ({"debit": "DD"}, 409, "bank.other_sum"),
    ],
)
def test_a_decision_that_says_nothing_or_the_wrong_thing_is_refused(
    scene: Scene, body: dict[str, Any], status: int, code: str
) -> None:
    """The line stays open, and the answer says what is missing."""
    line = ToldBankLine("l1", "DE..3000", "S1", "1", scene.now, 300, "EUR")
    scene.do(take_statement, TakeStatement((line,), "ab12"))
    program = Program(scene)
    assert program.post("/bank-lines/l1/decide", body, status)["code"] == code
    assert program.get("/bank-lines/l1")["state"] == "open"


def test_files_and_days_that_are_none_are_told_with_a_remedy(scene: Scene) -> None:
    """Bad input is a problem with a code, and nothing is half taken."""
    program = Program(scene)
    assert program.get("/debit-preview", 409)["code"] == "debits.no_creditor"
    scene.do(set_creditor, SetCreditor(CREDITOR["creditor_id"], "Dundee", CREDITOR["iban"]))
    for path in ("/bank-statements", "/debit-reports"):
        for content in (b"", b"nothing", b"<Document/>"):
            assert "remedy" in program.post(path, content, 400)
    assert program.post("/debit-batches", {"collect_on": "2020-01-01"}, 400)["code"] == "debits.no_bank_day"
    assert program.post("/debit-batches/x/cancel", None, 404)["code"] == "debits.not_found"
    assert program.get("/mandates/x", 404)["code"] == "debits.no_mandate"
    assert program.get("/bank-lines/x", 404)["code"] == "bank.not_found"


def test_lines_come_in_pages(scene: Scene) -> None:
    """A year of a bank's lines is more than one answer holds."""
    lines = tuple(
        ToldBankLine(f"l{place}", "DE..3000", "S1", str(place), Instant(scene.now + place // 2), 5 + place, "EUR")
        for place in range(5)
    )
    scene.do(take_statement, TakeStatement(lines, "ab12"))
    program, found, path = Program(scene), [], "/bank-lines?limit=2"
    while path:
        page = program.get(path)
        found += [one["id"] for one in page["items"]]
        path = f"/bank-lines?limit=2&cursor={page['next']}" if page["next"] else ""
    assert found == ["l4", "l3", "l2", "l1", "l0"]
