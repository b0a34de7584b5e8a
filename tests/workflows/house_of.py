"""A house to test in: real writer, real tables, a clock that stands where the test puts it, stations that speak in frames.

`HouseOf(url)` opens it, `furnish()` moves an operator in. A `Wire` tells facts as a station's adapter would, with the
frame that carried each, so that the audit can read what the sessions were made of.
"""

from __future__ import annotations

import hashlib
import json
from itertools import count
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.evidence import audit
from tallywatt.adapters.storage.unit import SqlUnitOfWork
from tallywatt.adapters.storage.vault import Vault
from tallywatt.adapters.storage.writer import GroupWriter
from tallywatt.invoicing.printed import PrintedInvoice
from tallywatt.kernel.clock import Instant, parse_instant, rfc3339
from tallywatt.kernel.identity import Draw, OperatorId, StationId
from tallywatt.metering.facts import Booted, Heard, Sample, Sampled, Started, StatusChanged, Stopped
from tallywatt.payments.capabilities import capabilities_of
from tallywatt.payments.fact import ProviderFact, Source
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.provider import StoredMethod, Succeeded, View, ViewStatus
from tallywatt.stations.station import Current
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.add_location import AddLocation, add_location
from tallywatt.workflows.add_operator import AddOperator, add_operator
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.add_station import AddStation, NewEvse, add_station
from tallywatt.workflows.answer_from_books import answer_from_books
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.boot_station import boot_station
from tallywatt.workflows.follow import follow
from tallywatt.workflows.keep_method import KeepMethod, keep_method
from tallywatt.workflows.plug_in import plug_in
from tallywatt.workflows.print_invoice import keep_printed
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tallywatt.workflows.report_status import report_status
from tallywatt.workflows.unplug import unplug

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.metering.facts import TransactionAnswer
    from tallywatt.metering.session import InboxItem, Session
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.provider import Outcome
    from tallywatt.workflows.ports import UnitOfWork

C = TypeVar("C")
R = TypeVar("R")

OPERATOR = OperatorId("01890000-0000-7000-8000-000000000001")
NINE = parse_instant("2026-03-02T09:00:00Z")
"""When every house begins: a Monday morning."""
MINUTE = 60_000
KWH = 1_000_000
INSTALLATION_KEY = b"\x07" * 32

PER_KWH: dict[str, Any] = {
    "id": "plain",
    "currency": "GBP",
    "tax_included": "YES",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 0.30, "vat": 20, "step_size": 1}]}],
}
WITH_IDLE_FEE: dict[str, Any] = {
    "id": "idle",
    "currency": "GBP",
    "tax_included": "YES",
    "elements": [
        {
            "price_components": [
                {"type": "ENERGY", "price": 0.30, "vat": 20, "step_size": 1},
                {"type": "PARKING_TIME", "price": 6, "vat": 20, "step_size": 60},
            ]
        }
    ],
}


TAKEN_BY: dict[type, Callable[[Any, Any], Any]] = {
    Started: plug_in,
    Sampled: follow,
    Stopped: unplug,
    StatusChanged: report_status,
    Booted: boot_station,
}


class HouseOf:
    """Storage, a writer that the test steps by hand, and a clock."""

    def __init__(self, url: str, operator: OperatorId = OPERATOR) -> None:
        self.url = url
        self.operator = operator
        self.now = NINE
        """Machine time, and business time too."""
        self.vault = Vault(INSTALLATION_KEY)
        self._draws = count(1)
        self.writer = self.another_writer()
        self._reader: Connection | None = None
        self._rows: SqlUnitOfWork | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.writer.stop()
        if self._reader is not None:
            self._reader.close()
            self._reader = self._rows = None

    def another_writer(self) -> GroupWriter:
        """A writer of its own on a connection of its own, as another process would have."""
        return GroupWriter(lambda: connect(self.url), self.draw, Vault(INSTALLATION_KEY))

    def draw(self) -> Draw:
        """The next draw: always another one, and the same ones in every run."""
        seed = hashlib.blake2b(str(next(self._draws)).encode(), digest_size=16).digest()
        return Draw(self.now, self.now, seed)

    def later(self, minutes: float) -> Instant:
        """Let time go by."""
        self.now = Instant(self.now + int(minutes * MINUTE))
        return self.now

    def do(self, workflow: Callable[[Any, C], R], command: C, actor: str = "test") -> R:
        """Run one workflow through the writer; its answer, or what it raised."""
        answers: list[Any] = []
        self.writer.submit(self.operator, workflow, command, answers.append, actor=actor)
        self.writer.step()
        [answer] = answers
        if isinstance(answer, Exception):
            raise answer
        result: R = answer
        return result

    def adds_up(self) -> dict[str, Any]:
        """Metered = billed + explained, and everything else that the audit compares; its summary."""
        report = audit(self.reader, self.vault, self.operator)
        assert report.findings == ()
        assert report.unexplained == 0
        return report.summary()

    def inbox(self, kind: str | None = None) -> list[InboxItem]:
        """What waits for a person, of one kind or of all."""
        return [one for one in self.rows.inbox.by(state="open") if kind in {None, one.kind}]

    def do_all(self, *facts: Any) -> list[Any]:
        """Take in facts in this order, each by its own workflow."""
        return [self.do(TAKEN_BY[type(fact)], fact) for fact in facts]

    def kill(self) -> None:
        """The process dies and another one starts: nothing in memory is left."""
        self.writer.stop()
        self.writer = self.another_writer()

    @property
    def rows(self) -> UnitOfWork:
        """All rows, to look at: `house.rows.sessions.by(state="billed")`."""
        if self._rows is None:
            self._reader = connect(self.url, read_only=True)
            self._rows = SqlUnitOfWork(self._reader)
            self._rows.open(self.operator, self.draw(), "test", "")
        return cast("UnitOfWork", self._rows)  # its rows are set by name

    @property
    def reader(self) -> Connection:
        """A read-only connection, for views."""
        assert self.rows is not None, "opened on first use"
        assert self._reader is not None
        return self._reader

    def furnish(self, tariff: dict[str, Any] | None = PER_KWH) -> None:
        """An operator with a location, a station of two EVSEs of 22 kW, a customer with a card, an account and a price."""
        self.do(add_operator, AddOperator("dundee", "Dundee Charging", address="City Square\nDundee"))
        self.do(add_location, AddLocation("depot", "Depot", address="1 Quay", city="Dundee", postal_code="DD1 1AA"))
        self.station("CP1")
        self.do(add_customer, AddCustomer("C1", name="Driver One"))
        self.do(add_token, AddToken("CARD1", "C1"))
        account = AddProviderAccount("main", "stripe", ("GBP",), "env:KEY", ("env:HOOK",))
        self.do(add_provider_account, account)
        if tariff is not None:
            self.price(tariff)

    def price(self, tariff: dict[str, Any]) -> None:
        """Let a tariff hold everywhere, from long ago."""
        put = self.do(put_tariff, PutTariff(tariff))
        self.do(assign_tariff, AssignTariff(put.version.tariff_version_id, valid_from=Instant(0)))

    def station(self, identity: str, evses: int = 2, max_watts: int | None = 22_000) -> Wire:
        """Add a station and return the wire on which it speaks."""
        new = tuple(NewEvse(number, Current.AC, max_watts) for number in range(1, evses + 1))
        row = self.do(add_station, AddStation(identity, "depot", "hash", new))
        return Wire(self, row.station_id)

    def wire(self, identity: str = "CP1", protocol: str = "ocpp1.6") -> Wire:
        """The wire of a station that is there."""
        found = self.rows.stations.one_by(identity=identity)
        assert found is not None, f"{identity} was not added"
        return Wire(self, found.station_id, protocol)

    def keep_a_card(self, reference: str = "C1") -> None:
        """The customer stores a payment method with the provider."""
        customer = self.rows.customers.one_by(reference=reference)
        account = self.rows.provider_accounts.one_by(name="main")
        assert customer is not None
        assert account is not None
        stored = StoredMethod(f"cus_{reference}", f"pm_{reference}", "visa", "4242")
        self.do(keep_method, KeepMethod(customer.customer_id, account.account_id, stored))

    def collect(self, outcome: Callable[[Operation], Outcome] | None = None) -> None:
        """The provider answers whatever is on its way, until nothing is: yes to everything, or what the test says."""
        while waiting := [one for one in self.rows.operations.by() if one.is_unresolved]:
            for operation in waiting:
                account = self.rows.provider_accounts.get(operation.account_id)
                if capabilities_of(account.provider).own_books:
                    answer = self.do(answer_from_books, operation.operation_id)
                else:
                    answer = (outcome or yes)(operation)
                fact = ProviderFact(operation.payment_id, answer, Source.REPLY, operation.operation_id, self.now)
                self.do(apply_provider_fact, fact)

    def print_papers(self) -> None:
        """Every invoice is on paper, or what stands for it here."""
        for invoice in self.rows.invoices.by():
            self.do(keep_printed, PrintedInvoice(invoice.invoice_id, "application/pdf", "0" * 64, b"%PDF", self.now))

    def session(self, transaction_id: str | int = 1) -> Session:
        """The one session of a transaction."""
        found: Session | None = self.rows.sessions.one_by(transaction_id=str(transaction_id))
        assert found is not None, f"no session of transaction {transaction_id}"
        return found


def kwh(figure: float) -> int:
    """Milliwatt-hours of kilowatt-hours."""
    return round(figure * KWH)


def yes(operation: Operation) -> Outcome:  # noqa: PLR0911  # one answer a kind
    """A provider to whom nothing is a problem."""
    ref, minor = f"pi_{operation.payment_id}", operation.amount_minor
    match operation.kind:
        case OperationKind.PREPARE:
            return Succeeded(View(ViewStatus.PREPARED, operation.currency, ref))
        case OperationKind.CHARGE:
            taken = View(ViewStatus.CAPTURED, operation.currency, ref, authorised_minor=minor, captured_minor=minor)
            return Succeeded(taken)
        case OperationKind.HOSTED_PAGE | OperationKind.PRESENT:
            held = View(ViewStatus.AUTHORISED, operation.currency, ref, "cs_1", "http://pay", authorised_minor=minor)
            return Succeeded(held)
        case OperationKind.AUTHORISE | OperationKind.ADJUST:
            return Succeeded(View(ViewStatus.AUTHORISED, operation.currency, ref, authorised_minor=minor))
        case OperationKind.CAPTURE:
            return Succeeded(View(ViewStatus.CAPTURED, operation.currency, ref, captured_minor=minor))
        case OperationKind.VOID:
            return Succeeded(View(ViewStatus.VOIDED, operation.currency, ref))
        case OperationKind.REFUND:
            return Succeeded(View(ViewStatus.CAPTURED, operation.currency, ref, refunded_minor=minor))


class Wire:
    """A station's side: tells what happens, each time in a frame with a new message id."""

    def __init__(self, house: HouseOf, station_id: StationId, protocol: str = "ocpp1.6") -> None:
        self.house = house
        self.station_id = station_id
        self.protocol = protocol
        self._ids = count(1)

    def heard(self, action: str, payload: dict[str, Any], flags: tuple[str, ...] = ()) -> Heard:
        """The frame of a message."""
        message_id = f"m{next(self._ids)}-{self.house.now}"
        text = json.dumps([2, message_id, action, payload]).encode()
        return Heard(self.station_id, self.protocol, action, message_id, text, self.house.now, flags)

    # What happens, in OCPP 1.6.

    def started(self, at: Instant, meter: int | None = 0, token: str | None = "CARD1", evse: int = 1) -> Started:
        """A StartTransaction."""
        payload = {"connectorId": evse, "idTag": token, "timestamp": rfc3339(at)}
        if meter is not None:
            payload["meterStart"] = meter // 1000
        return Started(
            self.heard("StartTransaction", payload), at, evse, 1, token, None, None, meter
        )  # fmt: skip

    def sampled(self, transaction: str | int | None, *values: tuple[Instant, int], evse: int = 1) -> Sampled:
        """MeterValues with one register a moment."""
        payload: dict[str, Any] = {
            "connectorId": evse,
            "meterValue": [
                {"timestamp": rfc3339(at), "sampledValue": [{"value": str(value // 1000), "unit": "Wh"}]}
                for at, value in values
            ],
        }
        if transaction is not None:
            payload["transactionId"] = int(transaction)
        return Sampled(
            self.heard("MeterValues", payload),
            max(at for at, _ in values),
            evse,
            None if transaction is None else str(transaction),
            samples(values),
        )

    def stopped(
        self,
        transaction: str | int,
        at: Instant,
        meter: int,
        *values: tuple[Instant, int],
        token: str | None = None,
        reason: str | None = "Local",
    ) -> Stopped:
        """A StopTransaction, with transactionData when values are given."""
        payload: dict[str, Any] = {
            "transactionId": int(transaction),
            "meterStop": meter // 1000,
            "timestamp": rfc3339(at),
        }
        if values:
            payload["transactionData"] = [
                {"timestamp": rfc3339(moment), "sampledValue": [{"value": str(value / KWH), "unit": "kWh"}]}
                for moment, value in values
            ]
        return Stopped(
            self.heard("StopTransaction", payload), at, str(transaction), meter, token, reason, samples(values)
        )

    def status(self, status: str, at: Instant, evse: int = 1) -> StatusChanged:
        """A StatusNotification."""
        payload = {"connectorId": evse, "status": status, "errorCode": "NoError", "timestamp": rfc3339(at)}
        return StatusChanged(self.heard("StatusNotification", payload), at, evse, 1, status, None)

    def booted(self) -> Booted:
        """A BootNotification."""
        payload = {"chargePointVendor": "Maker", "chargePointModel": "Model"}
        return Booted(self.heard("BootNotification", payload), "Maker", "Model", None, None)

    # What happens, in OCPP 2.0.1.

    def event(
        self, kind: str, at: Instant, transaction: str, number: int, register: int | None = None, **more: Any
    ) -> tuple[Heard, tuple[Sample, ...]]:
        """The frame of a TransactionEvent and its samples."""
        context = {"Started": "Transaction.Begin", "Ended": "Transaction.End"}.get(kind, "Sample.Periodic")
        payload: dict[str, Any] = {
            "eventType": kind,
            "timestamp": rfc3339(at),
            "triggerReason": "Authorized",
            "seqNo": number,
            "transactionInfo": {"transactionId": transaction},
            "evse": {"id": 1, "connectorId": 1},
            **more,
        }
        if register is None:
            return self.heard("TransactionEvent", payload), ()
        value = {"value": register / 1000, "context": context}
        payload["meterValue"] = [{"timestamp": rfc3339(at), "sampledValue": [value]}]
        return self.heard("TransactionEvent", payload), (Sample(at, register, None, context),)

    def event_started(
        self, at: Instant, transaction: str, register: int | None = 0, token: str = "CARD1", **more: Any
    ) -> Started:
        """TransactionEvent(Started)."""
        heard, found = self.event(
            "Started", at, transaction, 0, register, idToken={"idToken": token, "type": "ISO14443"}
        )
        return Started(
            heard, at, 1, 1, token, "ISO14443", transaction, register, sequence_number=0, samples=found, **more
        )

    def event_updated(
        self, at: Instant, transaction: str, number: int, register: int | None, token: str | None = None
    ) -> Sampled:
        """TransactionEvent(Updated)."""
        heard, found = self.event("Updated", at, transaction, number, register)
        return Sampled(heard, at, 1, transaction, found, sequence_number=number, token_uid=token)

    def event_ended(
        self, at: Instant, transaction: str, number: int, register: int | None, token: str | None = None
    ) -> Stopped:
        """TransactionEvent(Ended)."""
        heard, found = self.event("Ended", at, transaction, number, register)
        return Stopped(heard, at, transaction, register, token, "EVDisconnected", found, 1, number)

    # The same, taken in by the house.

    def start(
        self, at: Instant | None = None, meter: int | None = 0, token: str | None = "CARD1", evse: int = 1
    ) -> str:
        """Start a transaction; its id."""
        return self.tell_start(self.started(self.house.now if at is None else at, meter, token, evse)).transaction_id

    def tell_start(self, fact: Started) -> TransactionAnswer:
        """A start is taken in."""
        return self.house.do(plug_in, fact)

    def sample(self, transaction: str | int | None, *values: tuple[Instant, int], evse: int = 1) -> None:
        """Meter values are taken in."""
        self.house.do(follow, self.sampled(transaction, *values, evse=evse))

    def stop(self, transaction: str | int, meter: int, at: Instant | None = None, **more: Any) -> TransactionAnswer:
        """A stop is taken in."""
        return self.house.do(unplug, self.stopped(transaction, self.house.now if at is None else at, meter, **more))

    def report(self, status: str, at: Instant | None = None, evse: int = 1) -> None:
        """A status is taken in."""
        self.house.do(report_status, self.status(status, self.house.now if at is None else at, evse))

    def charge(self, energy: int, minutes: int = 60, meter: int = 0, token: str = "CARD1", evse: int = 1) -> str:
        """A whole session: start, one value in the middle, stop; its transaction id."""
        transaction = self.start(meter=meter, token=token, evse=evse)
        middle = self.house.later(minutes / 2)
        self.sample(transaction, (middle, meter + energy // 2), evse=evse)
        self.house.later(minutes / 2)
        self.stop(transaction, meter + energy)
        return transaction


def samples(values: tuple[tuple[Instant, int], ...]) -> tuple[Sample, ...]:
    """Registers as samples."""
    return tuple(Sample(at, value, None, "Sample.Periodic") for at, value in values)
