"""A driver is forgotten: no column of any table, sealed or not, leads to the person, and everything still adds up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from tallywatt.adapters.storage import erasing
from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.statements import Statement
from tallywatt.adapters.storage.tables.schema import metadata
from tallywatt.customers.roles import Role
from tallywatt.kernel.clock import BusinessAnchor, Instant
from tallywatt.kernel.errors import Conflict, NotFound
from tallywatt.metering.facts import TokenShown, Unreadable
from tallywatt.payments.provider import ProviderEvent, StoredMethod
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.add_person import AddPerson, add_person
from tallywatt.workflows.answer_once import AnswerOnce, answer_once
from tallywatt.workflows.erase_customer import EraseCustomer, erase_customer
from tallywatt.workflows.import_rows import StagedRow, StageRows, stage_rows
from tallywatt.workflows.imports import ImportKind
from tallywatt.workflows.keep_method import KeepMethod, keep_method
from tallywatt.workflows.show_token import show_token
from tallywatt.workflows.take_import import BeginImport, KeepPart, OpenImport, begin_import, keep_part, open_import
from tallywatt.workflows.take_unreadable import take_unreadable
from tallywatt.workflows.take_webhook import TakeWebhook, take_webhook
from tests.simulators.psp.running import RunningPsp
from tests.whole.town import OPERATOR, Town
from tests.workflows.house_of import KWH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME, EMAIL, ADDRESS = "Zoë Quillfeather", "zoe@quillfeather.example", "7 Unlikely Mews\nDD9 9ZZ Nowhere"
UID = "04Ab99EE77"
TELLING = (NAME, EMAIL, "7 Unlikely Mews", UID)
YEAR = 366 * 24 * 3600 * 1000


@pytest.fixture
def town(engine_url: str, tmp_path: Path) -> Iterator[Town]:
    """An installation with somebody who charges, pays, and leaves traces everywhere."""
    made = Town(tmp_path / "data", None if engine_url.startswith("sqlite:") else engine_url)
    made.settings.data_dir.mkdir()
    with RunningPsp(tmp_path / "psp.jsonl") as psp:
        made.furnish(psp)
        move_in(made)
        yield made
        made.close()


def move_in(town: Town) -> None:
    """The person, and everything that was ever heard and written about it."""
    command = AddCustomer("Q-1", NAME, EMAIL, ADDRESS)
    tell = {"name": NAME, "email": EMAIL, "address": ADDRESS}
    once = AnswerOnce("api_key:1", "first", "hash", add_customer, command, lambda _: tell, 201)
    town.do(answer_once, once)
    town.do(add_token, AddToken(UID, "Q-1"))
    customer = town.ask(town.house.views.customer, "Q-1")["id"]
    town.do(add_person, AddPerson(NAME, EMAIL, Role.DRIVER, ("Q-1",)))
    [account] = town.ask(town.house.views.provider_accounts)
    [method] = town.rows(lambda work: work.payment_methods.by())
    stored = StoredMethod(method.customer_ref, f"{method.method_ref}_2", method.brand, method.last4)
    town.do(keep_method, KeepMethod(customer, account["id"], stored))
    town.wire.charge(3 * KWH, token=UID)
    town.wire.charge(2 * KWH, token=UID.lower())
    town.do(show_token, _authorize(town))
    town.do(take_unreadable, _odd_frame(town))
    for payment_id in (town.rows(lambda work: work.payments.by(customer_id=customer))[0].payment_id, None):
        body = json.dumps({"billing_details": {"name": NAME, "email": EMAIL}}).encode()
        event = ProviderEvent(f"evt_{payment_id}", "customer.updated", town.now, payment_id)
        town.do(take_webhook, TakeWebhook(account["id"], event, body))
    _upload(town)
    town.work("house", "providers", "papers")


def _upload(town: Town) -> None:
    """A file that waits to be read, a row that waits to be taken, and a report that repeats what a row said."""
    line = json.dumps({"reference": "Q-2", "name": NAME, "email": EMAIL, "address": ADDRESS}, ensure_ascii=False)
    for number in range(2):
        import_id = town.house.new_id("import")
        town.do(open_import, OpenImport(import_id, ImportKind.CUSTOMERS, f"{NAME}.jsonl"))
        town.do(keep_part, KeepPart(import_id, 0, f"{line}\n{line}".encode()))
        town.do(begin_import, BeginImport(import_id))
        if number:
            rows = (StagedRow(1, line.encode()), StagedRow(2, None, "row.odd", f"nobody is called {NAME}"))
            town.do(stage_rows, StageRows(import_id, 0, rows))


def _authorize(town: Town) -> TokenShown:
    return TokenShown(town.wire.heard("Authorize", {"idTag": UID}), UID, None)


def _odd_frame(town: Town) -> Unreadable:
    heard = town.wire.heard("StartTransaction", {"idTag": UID, "vendorNote": f"{NAME} <{EMAIL}>", "connectorId": "one"})
    return Unreadable(heard, None, "connectorId is not a number")


def everything(town: Town) -> Iterator[tuple[str, str]]:
    """Every value of every column of every table, as text; what is sealed is opened."""
    connection = connect(town.settings.url, read_only=True)
    try:
        for table in metadata.sorted_tables:
            statement = Statement(select(table), connection.dialect)
            for row in connection.execute(statement.sql):
                shown = dict(zip(table.columns.keys(), row, strict=True))
                for name, value in shown.items():
                    if isinstance(value, bytes | memoryview):
                        yield f"{table.name}.{name}", _plain(town, connection, shown, bytes(value))
                    elif isinstance(value, str):
                        yield f"{table.name}.{name}", value
    finally:
        connection.close()


def _plain(town: Town, connection: Any, row: dict[str, Any], value: bytes) -> str:
    if row.get("key_id") and value == row.get("sealed"):
        try:
            value = town.house.store.vault.open(connection, row["operator_id"], row["key_id"], value)
        except NotFound:
            return ""
    text = value.decode("utf-8", "replace")
    try:
        return text + json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return text


def places(town: Town) -> set[str]:
    """The columns in which something leads to the person."""
    wanted = [one.casefold() for one in TELLING]
    return {place for place, text in everything(town) if any(one in text.casefold() for one in wanted)}


def test_a_driver_is_forgotten_and_everything_adds_up(town: Town) -> None:
    """Name, e-mail, address and card, in rows, frames, messages, answers; and not one Wh or cent is lost with them."""
    assert {
        "customer_details.name", "people.email", "tokens.uid", "sessions.token_uid", "frames.sealed",
        "webhook_events.sealed", "answered_requests.body", "imports.name", "import_parts.sealed", "import_rows.sealed",
        "import_rows.message",
    } <= places(town)  # fmt: skip
    before = town.house.audit(OPERATOR)
    assert before.findings == ()
    customer = town.ask(town.house.views.customer, "Q-1")["id"]

    town.do(erase_customer, EraseCustomer("Q-1"))
    town.work("erasures")

    assert places(town) == set()
    after = town.house.audit(OPERATOR)
    assert after.findings == ()
    assert after.summary() == before.summary()
    assert after.erased_frames == 0, "other drivers' frames lie under the same key"
    [erasure] = town.rows(lambda work: work.erasures.by())
    assert (erasure.state, erasure.sealed) == ("kept", None)
    assert len(printed_for(town, customer)) == 2, "the law wants these"

    seven_years_go_by(town)
    town.work("erasures")
    assert printed_for(town, customer) == []
    [erasure] = town.rows(lambda work: work.erasures.by())
    assert erasure.state == "done"
    assert places(town) == set()
    assert town.house.audit(OPERATOR).findings == ()


def printed_for(town: Town, customer: str) -> list[str]:
    """The customer's invoices whose paper is still there."""
    mine = {one.invoice_id for one in town.rows(lambda work: work.invoices.by(payer_id=customer))}
    return sorted(mine & {one.invoice_id for one in town.rows(lambda work: work.printed_invoices.by())})


def seven_years_go_by(town: Town) -> None:
    """Business time moves, and the job that waits looks again."""
    now = town.house.machine.now()
    town.house.anchor = BusinessAnchor(now, Instant(now + 8 * YEAR))
    soon = "UPDATE jobs SET run_at = 0 WHERE kind = 'erase_papers'"
    town.house.store.run_now("", lambda work, _: work.connection.change(soon), None, actor="test")


def test_other_drivers_keep_what_is_theirs(town: Town) -> None:
    """The card CARD1 and its owner have nothing to do with it."""
    town.do(erase_customer, EraseCustomer("Q-1"))
    town.work("erasures")

    other = town.ask(town.house.views.customer, "C1")
    assert (other["name"], other["email"]) == ("Ada Driver", "ada@example.org")
    town.wire.charge(KWH)
    town.work()
    assert town.audit() == []


def test_whoever_still_charges_is_not_forgotten_in_the_middle(town: Town) -> None:
    """A session without a payer would be given away."""
    transaction = town.wire.start(token=UID, evse=2)
    with pytest.raises(Conflict) as caught:
        town.do(erase_customer, EraseCustomer("Q-1"))
    assert caught.value.code == "customers.session_goes_on"

    town.later(20)
    town.wire.stop(transaction, KWH)
    with pytest.raises(Conflict) as unpaid:
        town.do(erase_customer, EraseCustomer("Q-1"))
    assert unpaid.value.code == "customers.payment_on_its_way"

    town.work()
    with pytest.raises(Conflict) as unprinted:
        town.do(erase_customer, EraseCustomer("Q-1"))
    assert unprinted.value.code == "customers.invoice_not_printed"

    town.work("papers")
    town.do(erase_customer, EraseCustomer("Q-1"))


def test_a_card_that_is_forgotten_starts_nothing(town: Town) -> None:
    """The plastic is still in somebody's pocket."""
    town.do(erase_customer, EraseCustomer("Q-1"))
    town.work("erasures")

    town.wire.start(token=UID, evse=3)

    running = town.rows(lambda work: work.sessions.by(state="active"))
    assert [(one.payer, one.payer_id) for one in running] == [("unknown", None)]


def test_every_table_is_searched_or_left_out_for_a_reason() -> None:
    """A name on the list that is no table would hide a real one that was renamed."""
    left_out = {name for names in erasing.WITHOUT_PEOPLE.values() for name in names}

    assert left_out <= set(metadata.tables)
    assert {"frames", "webhook_events", "sessions", "tokens", "events", "jobs", "actions", "inbox"} <= {
        table.name for table in erasing.searched()
    }
