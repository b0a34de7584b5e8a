"""The control socket: the command line writes through the running server, and nobody else gets in."""

from __future__ import annotations

import socket
import stat
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tallywatt.adapters.socket.client import NobodyAnswers, answers, ask
from tallywatt.adapters.socket.place import LONGEST_ADDRESS
from tallywatt.adapters.socket.server import ControlServer
from tallywatt.adapters.socket.workflows import ALLOWED
from tallywatt.customers.approval import Holder
from tallywatt.customers.circle import CircleKind
from tallywatt.customers.roles import Role
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Broken, Conflict
from tallywatt.kernel.identity import CustomerId, EvseId, LocationId, ProviderAccountId, SessionId, StationId
from tallywatt.kernel.money import Money, currency
from tallywatt.market.price import Told
from tallywatt.metering.session import Source
from tallywatt.payments.bank import ToldBankLine
from tallywatt.payments.debit import Scheme, ToldStatus
from tallywatt.payments.own_books import TransferFor
from tallywatt.payments.provider import RefundView, StoredMethod, Trace, View, ViewStatus
from tallywatt.payments.settlement import Action, LineKind, ToldLine
from tallywatt.rating.records import Scope
from tallywatt.stations.command import Action as StationAction
from tallywatt.stations.display import Shows
from tallywatt.stations.metrology import Metrology
from tallywatt.stations.offline import Starts
from tallywatt.stations.station import Current
from tallywatt.workflows.accept_dispute import AskAccept
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer
from tallywatt.workflows.add_location import AddLocation
from tallywatt.workflows.add_operator import AddOperator
from tallywatt.workflows.add_person import AddPerson
from tallywatt.workflows.add_provider_account import AddProviderAccount
from tallywatt.workflows.add_station import AddStation, AdoptStation, NewEvse
from tallywatt.workflows.add_webhook_endpoint import AddWebhookEndpoint
from tallywatt.workflows.ask_rest import WaiveRest
from tallywatt.workflows.bring_session import BringSession
from tallywatt.workflows.certify import AskCertificate, PutAuthority, RevokeCertificate
from tallywatt.workflows.change_station import ChangeEvse, ChangeStation
from tallywatt.workflows.change_webhook_endpoint import (
    DisableWebhookEndpoint,
    EnableWebhookEndpoint,
    RemoveWebhookEndpoint,
)
from tallywatt.workflows.check_station import AllowSetting, AskCheck
from tallywatt.workflows.command_station import CommandStation
from tallywatt.workflows.correct_prices import DiscardCorrection, OpenCorrection, OrderCorrection
from tallywatt.workflows.create_api_key import CreateApiKey, RevokeApiKey
from tallywatt.workflows.end_debits import CancelBatch, TakeStatuses
from tallywatt.workflows.end_restoration import EndRestoration
from tallywatt.workflows.erase_customer import EraseCustomer
from tallywatt.workflows.invite_person import InvitePerson
from tallywatt.workflows.keep_circle import AddCircle, JoinCircle, LeaveCircle
from tallywatt.workflows.keep_limit import SetLimit
from tallywatt.workflows.keep_local_list import SwitchLists, SyncList
from tallywatt.workflows.keep_mandate import ResumeMandate, RevokeMandate, SetCreditor, SignMandate
from tallywatt.workflows.keep_method import KeepMethod
from tallywatt.workflows.keep_own_account import AllowInvoice, EndInvoice, OpenBalance
from tallywatt.workflows.keep_reader import AddReader, RemoveReader
from tallywatt.workflows.keep_tariff import KeepTariffs
from tallywatt.workflows.move_profile import MoveProfile, WatchProfile
from tallywatt.workflows.note_defence import NoteDefence
from tallywatt.workflows.pay_out_balance import PayOutBalance
from tallywatt.workflows.prepare_debits import GiveBatch, PrepareDebits
from tallywatt.workflows.put_market_prices import PutMarketPrices
from tallywatt.workflows.put_rule import EndRule, PutProfile, PutRule
from tallywatt.workflows.put_secret import PutSecret, RemoveSecret
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff
from tallywatt.workflows.read_settlements import EndReading, OrderReading
from tallywatt.workflows.receive_transfer import ReceiveTransfer
from tallywatt.workflows.recount_sums import RecountSums
from tallywatt.workflows.register_meter_key import EndMeterKey, RegisterMeterKey
from tallywatt.workflows.replace_key import ReplaceKey
from tallywatt.workflows.replay_webhook import ReplayDelivery, ReplaySince, TryWebhook
from tallywatt.workflows.reserve import CancelReservation, Reserve
from tallywatt.workflows.resolve_difference import ResolveDifference
from tallywatt.workflows.resolve_inbox import Decision, ResolveItem
from tallywatt.workflows.retry_job import RetryJob
from tallywatt.workflows.rotate_api_key import RotateApiKey
from tallywatt.workflows.rotate_webhook_secret import RotateWebhookSecret
from tallywatt.workflows.set_money_limit import SetMoneyLimit
from tallywatt.workflows.set_offline import SetOffline
from tallywatt.workflows.show_price import SetDisplay
from tallywatt.workflows.show_web_code import SetWebCode
from tallywatt.workflows.sign_in import AddConsoleLink
from tallywatt.workflows.switch_captures import SwitchCaptures
from tallywatt.workflows.take_found import TakeFound
from tallywatt.workflows.take_report import NoteReport, SetReportAccess, TakeTold
from tallywatt.workflows.take_settlement import TakeSettlement
from tallywatt.workflows.take_statement import DecideBankLine, TakeStatement
from tallywatt.workflows.undo_bank_line import UndoBankLine
from tallywatt.workflows.use_coupon import AddCoupon, EndCoupon
from tallywatt.workflows.work_off import WorkOffAll

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

A_BANK_LINE = ToldBankLine("l1", "DE..3000", "S1", "1", Instant(1), -700, "EUR", None, None, "back", None, None, "AC04")
A_LINE = ToldLine("l1", LineKind.CHARGE, 1000, 35, "EUR", Instant(1), 1000, "EUR", "PSP", "p", "PSP", None, "batch")
A_VIEW = View(ViewStatus.CAPTURED, "GBP", "pi", captured_minor=7, refunds=(RefundView("re", "o", 2, "succeeded"),))
COMMANDS: dict[str, object] = {
    "add_console_link": AddConsoleLink(60),
    "add_customer": AddCustomer("c1", "Name", "a@example.org"),
    "add_location": AddLocation("l1", "Square", zone="Europe/London"),
    "add_operator": AddOperator("demo", "Demo", clock_floor=Instant(5)),
    "add_person": AddPerson("Driver One", "one@dundee.example", Role.DRIVER, ("C1",)),
    "add_provider_account": AddProviderAccount("main", "stripe", ("GBP",), "env:KEY", ("env:HOOK",)),
    "add_station": AddStation("cp1", "l1", "ab12", (NewEvse(1, Current.DC, 50_000), NewEvse(2))),
    "add_token": AddToken("04AA", "c1", valid_until=Instant(7)),
    "adopt_station": AdoptStation("cp1", evses=(NewEvse(1),)),
    "set_web_code": SetWebCode("GB*TWA*E1", "https://dundee.example/evse/GB*TWA*E1", 30, 8),
    "assign_tariff": AssignTariff("t1", Scope.STATION, "cp1", Instant(3), None),
    "bring_session": BringSession(
        Source.CSV, "dundee:1", Instant(1), Instant(2), 5, station="50914", flags=("repaired",)
    ),
    "add_webhook_endpoint": AddWebhookEndpoint("https://hooks.example.org/", ("session.*",), "the till", "10.0.0.0/8"),
    "disable_webhook_endpoint": DisableWebhookEndpoint("e1"),
    "enable_webhook_endpoint": EnableWebhookEndpoint("e1", send_missed=False),
    "remove_webhook_endpoint": RemoveWebhookEndpoint("e1"),
    "replay_delivery": ReplayDelivery("e1", "d1"),
    "replay_since": ReplaySince("e1", since=Instant(5)),
    "rotate_webhook_secret": RotateWebhookSecret("e1", 60),
    "try_webhook": TryWebhook("e1"),
    "ask_certificate": AskCertificate("CP1", "-----BEGIN CERTIFICATE REQUEST-----"),
    "put_authority": PutAuthority("Operator", "pem", "key", "ab", Instant(0), Instant(1)),
    "revoke_certificate": RevokeCertificate("c1", "lost"),
    "change_station": ChangeStation("CP1", security_profile=3),
    "change_evse": ChangeEvse("GB*TWA*E1", Current.AC, 11_000, metrology=Metrology.DE_CALIBRATION_LAW),
    "register_meter_key": RegisterMeterKey("M1", "3059", "GB*TWA*E1", Instant(1), Instant(2)),
    "end_meter_key": EndMeterKey("key", Instant(2)),
    "add_circle": AddCircle(CircleKind.GROUP, "taxis", "Taxis"),
    "join_circle": JoinCircle("group:taxis", "C1", Instant(1), Instant(2)),
    "leave_circle": LeaveCircle("belonging", Instant(2)),
    "open_balance": OpenBalance("C1", "GBP"),
    "allow_invoice": AllowInvoice("C1", Money(50_000, currency("GBP")), 14),
    "end_invoice": EndInvoice("C1", "GBP"),
    "pay_out_balance": PayOutBalance("C1", "GBP", "by hand"),
    "receive_transfer": ReceiveTransfer(
        "line-1", Money(500, currency("GBP")), "2026-11-22", "C1", "2026-1", "thanks", TransferFor.BALANCE
    ),
    "add_coupon": AddCoupon(
        "WELCOME", {"percent": "20", "dimensions": ["ENERGY"]}, "Welcome", "GBP", 500, 2, Instant(1), Instant(2)
    ),
    "end_coupon": EndCoupon("coupon", Instant(2)),
    "put_market_prices": PutMarketPrices((Told("DE-LU", 60, "EUR", Instant(3_600_000), Decimal("-3.10")),)),
    "put_rule": PutRule("short-silence", "missing_energy", Decision.ACCEPT, 500, is_on=False),
    "ask_check": AskCheck(StationId("s1")),
    "set_display": SetDisplay(StationId("s1"), Shows.ALWAYS, 30, 5),
    "set_offline": SetOffline(StationId("s1"), Starts.ANYBODY, 5000, LocationId("l1")),
    "ask_tariffs": KeepTariffs(StationId("s1")),
    "clear_tariffs": KeepTariffs(StationId("s1")),
    "move_profile": MoveProfile(StationId("s1"), 2, "wss://csms.example.org/ocpp/op", 2, "Wired0"),
    "give_profile_up": WatchProfile(StationId("s1")),
    "set_limit": SetLimit(SessionId("session"), {"gross_minor": 2000}),
    "allow_setting": AllowSetting(StationId("s1"), sets_values=True),
    "add_reader": AddReader("main", "tmr_1", "Kiosk", None, ("GB*TWA*E1",)),
    "remove_reader": RemoveReader("r1"),
    "replace_key": ReplaceKey(StationId("s1")),
    "give_key_up": ReplaceKey(StationId("s1")),
    "send_list_anew": SyncList(StationId("s1")),
    "send_changes": SyncList(StationId("s1")),
    "reserve": Reserve(StationId("s1"), 30, EvseId("e1"), None, "04AA", None),
    "cancel_reservation": CancelReservation("r1"),
    "switch_lists": SwitchLists(StationId("s1"), is_on=True),
    "end_rule": EndRule("short-silence"),
    "put_profile": PutProfile("units", "Maker", "Model*", "1.?", {"values_over": 1000, "counts": "session"}),
    "work_off_all": WorkOffAll("missing_energy", Decision.ACCEPT, 500, "agreed"),
    "open_correction": OpenCorrection("flat", Instant(1), Instant(2), "wrong price", "day"),
    "order_correction": OrderCorrection("c1", None),
    "waive_rest": WaiveRest("c1", SessionId("s1"), None),
    "discard_correction": DiscardCorrection("c1"),
    "create_api_key": CreateApiKey("till", ("read", "sessions")),
    "invite_person": InvitePerson("one@dundee.example", Role.DRIVER, ("C1",), "i1", "hash", 3),
    "end_restoration": EndRestoration("restoration", ("INV-2026-000007",), ("INV-2026-000005",), 3),
    "order_reading": OrderReading("account"),
    "end_reading": EndReading("account", Instant(1), Instant(2)),
    "switch_captures": SwitchCaptures("account", several=True),
    "set_report_access": SetReportAccess("account", "env:REPORTS", "report@Company.Mine"),
    "take_statement": TakeStatement((A_BANK_LINE,), "ab12"),
    "set_creditor": SetCreditor("DE98ZZZ09999999999", "Mine", "DE89370400440532013000", None, 5),
    "sign_mandate": SignMandate(
        "C-1", "NL91ABNA0417164300", "2026-11-02", "A", None, "M-1", Scheme.B2B, used_before=True
    ),
    "revoke_mandate": RevokeMandate("m1"),
    "resume_mandate": ResumeMandate("m1"),
    "prepare_debits": PrepareDebits("2026-12-07", "k"),
    "collection_day": PrepareDebits("2026-12-07"),
    "give_batch": GiveBatch("b1"),
    "cancel_batch": CancelBatch("b1"),
    "take_statuses": TakeStatuses((ToldStatus("DD1", None, "E1", is_rejected=True, reason="AC04"),), "ab12"),
    "decide_bank_line": DecideBankLine("l1", "a", "payout", "by hand"),
    "ask_accept": AskAccept("d1", "the cable was stiff", Holder.OWNER),
    "undo_bank_line": UndoBankLine("l1", "another customer's"),
    "note_defence": NoteDefence("d1", "ProofOfSale", ("DefenseMaterial",)),
    "note_report": NoteReport("account", "ab12", 3, 0),
    "take_file": TakeSettlement(ProviderAccountId("a"), (A_LINE,)),
    "take_settlement": TakeSettlement(ProviderAccountId("a"), (A_LINE,)),
    "take_told": TakeTold("a", Trace("p", A_VIEW, "a", "cus", "s", "INV-2026-000005")),
    "order_station": CommandStation(StationId("s"), StationAction.MESSAGE, {"name": "ClearCache", "content": {}}),
    "recount_sums": RecountSums(),
    "resolve_difference": ResolveDifference("d1", next(iter(Action)), "looked at it", "p1"),
    "take_found": TakeFound("a", Trace("p", A_VIEW, "a", "cus", "s", "INV-2026-000005")),
    "erase_customer": EraseCustomer("c1"),
    "keep_method": KeepMethod(CustomerId("c"), ProviderAccountId("a"), StoredMethod("cus", "pm", "visa", "4242")),
    "put_secret": PutSecret("stripe-live", "sk_1"),
    "remove_secret": RemoveSecret("stripe-live"),
    "put_tariff": PutTariff({"id": "t1", "elements": [{"price_components": []}]}),
    "resolve_item": ResolveItem("item", Decision.WRITE_OFF, "seen"),
    "retry_job": RetryJob("job"),
    "revoke_api_key": RevokeApiKey("key"),
    "rotate_api_key": RotateApiKey("key", 3600),
    "set_money_limit": SetMoneyLimit(Holder.SUPPORT, "GBP", 3000, None),
    "take_customer": AddCustomer("c1", "Name", "a@example.org"),
    "take_session": BringSession(Source.CSV, "dundee:2", Instant(1), Instant(2), 5, station="50914"),
    "take_station": AddStation("cp1", "l1", "ab12", (NewEvse(1),)),
    "take_token": AddToken("04AA", "c1", valid_until=Instant(7)),
}


@dataclass
class Written:
    """A writer that remembers what it was asked, and answers with the command."""

    orders: list[tuple[str, str, Any, str]] = field(default_factory=list)
    fails: Exception | None = None

    def __call__(self, operator: str, workflow: Callable[..., Any], command: Any, *, actor: str) -> Any:
        self.orders.append((operator, workflow.__name__, command, actor))
        if self.fails is not None:
            raise self.fails
        return command


@contextmanager
def listening(path: Path, writer: Written) -> Iterator[None]:
    server = ControlServer(path, writer)
    server.start()
    try:
        yield
    finally:
        server.stop()


def test_a_command_arrives_as_it_was_sent_and_its_result_comes_back(tmp_path: Path) -> None:
    """The command line must not be able to mean one thing and the server another."""
    writer, path = Written(), tmp_path / "control.sock"
    command = AddCustomer("c1", "Name", None)
    with listening(path, writer):
        result = ask(path, "operator-1", add_customer, command, "cli:somebody")

    assert writer.orders == [("operator-1", "add_customer", command, "cli:somebody")]
    assert result == msgspec.json.decode(msgspec.json.encode(command))


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_every_allowed_command_survives_the_way(name: str) -> None:
    """A field that JSON cannot carry would show only when somebody needs that command."""
    sent = msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(COMMANDS[name])))

    assert ALLOWED[name].command(sent) == COMMANDS[name]


def test_what_failed_over_there_is_raised_here(tmp_path: Path) -> None:
    """Class, code and remedy decide the exit code and what the person reads."""
    writer, path = (
        Written(fails=Conflict("taken", code="customers.reference_taken", remedy="take another")),
        tmp_path / "s",
    )
    with listening(path, writer), pytest.raises(Conflict) as caught:
        ask(path, "o", add_customer, AddCustomer("c1"), "cli:x")

    assert (caught.value.code, caught.value.message, caught.value.remedy) == (
        "customers.reference_taken",
        "taken",
        "take another",
    )


def test_a_bug_over_there_is_told_and_the_server_goes_on(tmp_path: Path) -> None:
    """One bad command must not take the door away from the next."""
    writer, path = Written(fails=ZeroDivisionError("oops")), tmp_path / "s"
    with listening(path, writer):
        with pytest.raises(Broken, match="oops"):
            ask(path, "o", add_customer, AddCustomer("c1"), "cli:x")
        writer.fails = None
        assert ask(path, "o", add_customer, AddCustomer("c2"), "cli:x")["reference"] == "c2"


def test_only_workflows_on_the_list_can_be_asked_for(tmp_path: Path) -> None:
    """The socket is a door with names on it, not a way to call anything."""
    writer, path = Written(), tmp_path / "s"

    def drop_everything(work: Any, command: Any) -> None:
        """Not on the list."""

    with listening(path, writer), pytest.raises(BadInput) as caught:
        ask(path, "o", drop_everything, AddCustomer("c1"), "cli:x")

    assert caught.value.code == "control.unknown_workflow"
    assert writer.orders == []


NO_REQUESTS = [
    b"\xff\xfe\n",
    b"[]\n",
    b'{"workflow": "add_customer"}\n',
    b'{"workflow": "add_customer", "command": {"reference": 1}, "operator": "o", "actor": "x"}\n',
]


@pytest.mark.parametrize("line", NO_REQUESTS)
def test_what_is_no_request_is_refused_in_words(tmp_path: Path, line: bytes) -> None:
    """Never a dead connection without a reason."""
    writer = Written()
    answer = msgspec.json.decode(ControlServer(tmp_path / "s", writer).answer(line))

    assert answer["failure"]["kind"] == "BadInput"
    assert writer.orders == []


def test_the_socket_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Whoever can open it can change prices."""
    path = tmp_path / "control.sock"
    with listening(path, Written()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nobody_answers_where_nobody_listens(tmp_path: Path) -> None:
    """The command line then opens the database itself; this must never be mistaken for a failure of the command."""
    assert not answers(tmp_path / "nothing")
    with pytest.raises(NobodyAnswers):
        ask(tmp_path / "nothing", "o", add_customer, AddCustomer("c1"), "cli:x")


def test_a_socket_left_by_a_killed_server_is_replaced(tmp_path: Path) -> None:
    """A server must start again after SIGKILL without anybody cleaning up."""
    path = tmp_path / "control.sock"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    assert not answers(path)

    with listening(path, Written()):
        assert answers(path)
    assert not path.exists()


def test_a_deep_data_directory_has_a_socket_too(tmp_path: Path) -> None:
    """A Unix socket's address is short; folders need not be."""
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    path = deep / "control.sock"
    assert len(str(path)) > LONGEST_ADDRESS

    with listening(path, Written()):
        assert answers(path)
        assert ask(path, "o", add_customer, AddCustomer("c1"), "cli:x")["reference"] == "c1"


def test_a_lost_answer_is_no_answer(tmp_path: Path) -> None:
    """The server died in between: the work may be done, so the command line must not say that it was not."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def hang_up() -> None:
            connection, _ = listener.accept()
            connection.recv(10)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(Broken) as caught:
            ask(path, "o", add_customer, AddCustomer("c1"), "cli:x")
        thread.join()

    assert caught.value.code == "control.lost_answer"
