"""What each kind of job does."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Any

from tallywatt.entrypoints.pages.letters import link_url, written
from tallywatt.entrypoints.worker.carrying import Carrying
from tallywatt.entrypoints.worker.correcting import Correcting
from tallywatt.entrypoints.worker.importing import Importing
from tallywatt.entrypoints.worker.telling import Telling
from tallywatt.evidence.run import AuditState
from tallywatt.invoicing.printed import PrintedInvoice
from tallywatt.kernel.errors import Broken
from tallywatt.kernel.identity import CommandId, InvoiceId, OperationId, PaymentId, SessionId, StationId
from tallywatt.wiring import TryLater, sign_in_code
from tallywatt.workflows.accept_dispute import ACCEPT_DISPUTE
from tallywatt.workflows.certify import (
    KeepCertificate,
    RefuseCertificate,
    keep_certificate,
    refuse_certificate,
    renew_certificate,
)
from tallywatt.workflows.check_station import (
    CHECK_STATION,
    JUDGE_STATION,
    SETTLE_CHECK,
    CheckStation,
    check_station,
    judge_station,
)
from tallywatt.workflows.close_gap import CloseGap, close_gap, hear_answer, watch_answer
from tallywatt.workflows.command_station import SEALED, CommandAnswered, NoteSent, WatchCommand, note_sent
from tallywatt.workflows.credit_refund import CreditRefund, credit_refund
from tallywatt.workflows.finish import BillSession, FinishSession, bill_session, finish_session
from tallywatt.workflows.hold_ends import SECURE_HOLD
from tallywatt.workflows.keep_limit import WATCH_LIMIT
from tallywatt.workflows.keep_local_list import (
    SPREAD_LISTS,
    SYNC_LIST,
    VERIFY_LIST,
    SyncList,
    spread_lists,
    sync_list,
    verify_list,
)
from tallywatt.workflows.keep_reservation import WatchReservation, watch_reservation
from tallywatt.workflows.keep_tariff import (
    KEEP_SESSION_TARIFF,
    VERIFY_TARIFFS,
    KeepSessionTariff,
    KeepTariffs,
    keep_session_tariff,
    keep_tariffs,
    spread_tariffs,
    verify_tariffs,
)
from tallywatt.workflows.lose_stop import LoseStop, lose_stop
from tallywatt.workflows.move_profile import WATCH_PROFILE, WatchProfile, watch_profile
from tallywatt.workflows.pay_at_reader import END_PRESENTATION, end_presentation
from tallywatt.workflows.ports import LetterRefused, LinkAnswer
from tallywatt.workflows.print_invoice import GatherPaper, gather_paper, is_settled, keep_printed
from tallywatt.workflows.register_meter_key import ProveSession, prove_session
from tallywatt.workflows.reserve import WATCH_RESERVATION
from tallywatt.workflows.run_audit import BeginAudit, FailAudit, KeepAudit, begin_audit, fail_audit, keep_audit
from tallywatt.workflows.second_eyes import expire_approval
from tallywatt.workflows.secure_hold import SecureHold, look_at_hold
from tallywatt.workflows.send_letter import GatherLetter, gather_letter
from tallywatt.workflows.settle_terminal import SettleOurselves, settle_ourselves
from tallywatt.workflows.show_price import (
    KEEP_TARIFFS,
    SHOW_FINAL_PRICE,
    SHOW_PRICE,
    SPREAD_TARIFFS,
    ShowFinalPrice,
    ShowPrice,
    show_final_price,
    show_price,
)
from tallywatt.workflows.start_paid_session import StartPaidSession, start_paid_session
from tallywatt.workflows.void_hold import release_unused
from tallywatt.workflows.watch_hold import WatchHold, watch_hold
from tallywatt.workflows.watch_limit import WatchLimit, watch_limit
from tallywatt.workflows.work_off import asked_by, more_asked_by, work_off, work_off_more

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.stations.command import StationCommand
    from tallywatt.wiring import Claimed, House
    from tallywatt.workflows.ports import UnitOfWork

STATION_ANSWERS_WITHIN_SECONDS = 30.0
RECONNECT_SECONDS = 2
"""How often a command looks whether its station is back."""
COMPARED_SECONDS = 30
"""How often a session that waits for its number looks whether the house has been compared with its providers."""
RENEWAL_SECONDS = 24 * 3600
"""How often a station is asked to renew a certificate that ends soon."""
PAPERS_SECONDS = 24 * 3600
"""How often an erasure looks whether the last invoice may go: terms run by business time, and jobs by the machine's."""
PAYMENT_SECONDS = 3
"""How often an invoice's print looks whether its payment has settled."""
WAITS_FOR_PAYMENT_SECONDS = 60
"""How long it waits for that, while somebody is there to settle it; then it says what is known."""


class Handlers:
    """The jobs, by kind."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._opened_at = house.machine.now()
        self._importing = Importing(house)
        self._given_up = threading.Event()
        self._correcting = Correcting(house, self._given_up)
        self._by_kind: dict[str, Callable[[Claimed], None]] = {
            **Telling(house).by_kind,
            **Carrying(house, self._given_up).by_kind,
            "price_correction": self._correcting.price,
            "carry_out_correction": self._correcting.carry_out,
            "expire_approval": self._workflow(expire_approval, str),
            "finish_session": self._workflow(finish_session, lambda one: FinishSession(SessionId(one))),
            "prove_session": self._workflow(prove_session, lambda one: ProveSession(SessionId(one))),
            "lose_stop": self._workflow(lose_stop, lambda one: LoseStop(SessionId(one))),
            "close_gap": self._workflow(close_gap, lambda one: CloseGap(SessionId(one))),
            CHECK_STATION: self._workflow(check_station, lambda one: CheckStation(StationId(one))),
            JUDGE_STATION: self._workflow(judge_station, lambda one: CheckStation(StationId(one))),
            SETTLE_CHECK: self._workflow(judge_station, lambda one: CheckStation(StationId(one))),
            VERIFY_LIST: self._workflow(verify_list, lambda one: SyncList(StationId(one))),
            SYNC_LIST: self._workflow(sync_list, lambda one: SyncList(StationId(one))),
            WATCH_RESERVATION: self._watch_reservation,
            SPREAD_LISTS: self._workflow(spread_lists, str),
            SECURE_HOLD: self._secure_hold,
            "work_off": lambda claimed: self._house.run_job(
                claimed, work_off, asked_by(claimed.job.subject_id, str(claimed.job.payload.get("note", "")))
            ),
            "work_off_more": lambda claimed: self._house.run_job(
                claimed, work_off_more, more_asked_by(claimed.job.subject_id, claimed.job.payload)
            ),
            "watch_command": self._watch_command,
            "start_paid_session": self._workflow(start_paid_session, lambda one: StartPaidSession(PaymentId(one))),
            "settle_ourselves": self._workflow(settle_ourselves, lambda one: SettleOurselves(PaymentId(one))),
            "release_hold": self._workflow(release_unused, PaymentId),
            END_PRESENTATION: self._workflow(end_presentation, PaymentId),
            "call_provider": lambda claimed: self._provider(claimed, self._house.caller.call_provider),
            "ask_provider": lambda claimed: self._provider(claimed, self._house.caller.ask_provider),
            "look_at_page": self._look_at_page,
            "check_reader": self._check_reader,
            "watch_hold": self._watch_hold,
            KEEP_TARIFFS: self._workflow(keep_tariffs, lambda one: KeepTariffs(StationId(one))),
            VERIFY_TARIFFS: self._workflow(verify_tariffs, lambda one: KeepTariffs(StationId(one))),
            SPREAD_TARIFFS: self._workflow(spread_tariffs, str),
            WATCH_PROFILE: self._workflow(watch_profile, lambda one: WatchProfile(StationId(one))),
            KEEP_SESSION_TARIFF: self._workflow(keep_session_tariff, lambda one: KeepSessionTariff(SessionId(one))),
            WATCH_LIMIT: self._watch_limit,
            SHOW_PRICE: self._show_price,
            SHOW_FINAL_PRICE: self._show_final_price,
            "read_settlements": self._read_settlements,
            "read_report": self._read_report,
            "compare_payment": self._compare_payment,
            ACCEPT_DISPUTE: self._accept_dispute,
            "send_command": self._send_command,
            "sign_certificate": self._sign_certificate,
            "renew_certificate": self._renew_certificate,
            "bill_session": self._bill_session,
            "credit_refund": self._credit_refund,
            "print_invoice": self._print_invoice,
            "erase_traces": self._erase_traces,
            "erase_papers": self._erase_papers,
            "send_letter": self._send_letter,
            "run_import": self._importing.do,
            "run_audit": self._run_audit,
        }

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of jobs that it knows."""
        return frozenset(self._by_kind)

    def stop(self) -> None:
        """Give up what goes on for long; it is done anew after the next start."""
        self._given_up.set()

    def do(self, claimed: Claimed) -> None:
        """Do one job, and end it when it is done; raise when it is not."""
        self._by_kind[claimed.job.kind](claimed)

    def _workflow(
        self, workflow: Callable[[Any, Any], Any], command_of: Callable[[str], Any]
    ) -> Callable[[Claimed], None]:
        return lambda claimed: self._house.run_job(claimed, workflow, command_of(claimed.job.subject_id))

    def _provider(self, claimed: Claimed, do: Callable[[Any, OperationId], None]) -> None:
        do(self._write(claimed), OperationId(claimed.job.subject_id))
        self._house.end_job(claimed.operator_id, claimed.job)

    def _look_at_page(self, claimed: Claimed) -> None:
        payment_id, opened_at = PaymentId(claimed.job.subject_id), claimed.job.created_at
        self._house.caller.look_at_page(self._write(claimed), payment_id, opened_at)
        self._house.end_job(claimed.operator_id, claimed.job)

    def _check_reader(self, claimed: Claimed) -> None:
        self._house.caller.check_reader(self._write(claimed), claimed.job.subject_id)
        self._house.end_job(claimed.operator_id, claimed.job)

    def _watch_command(self, claimed: Claimed) -> None:
        held = self._write(claimed)(watch_answer, WatchCommand(CommandId(claimed.job.subject_id)))
        if held.is_open:
            # Whoever looks too early, because two machines differ about the time, would leave it open for ever.
            msg = "its deadline is still to come"
            raise TryLater(msg, max(1, (held.deadline_at - self._house.machine.now()) // 1000 + 1))
        self._house.end_job(claimed.operator_id, claimed.job)

    def _watch_hold(self, claimed: Claimed) -> None:
        self._again(claimed, watch_hold, WatchHold(PaymentId(claimed.job.subject_id)))

    def _secure_hold(self, claimed: Claimed) -> None:
        session_id = SessionId(claimed.job.subject_id)
        self._house.caller.look_at_hold(self._write(claimed), session_id)
        self._again(claimed, look_at_hold, SecureHold(session_id))

    def _watch_limit(self, claimed: Claimed) -> None:
        self._again(claimed, watch_limit, WatchLimit(SessionId(claimed.job.subject_id)))

    def _watch_reservation(self, claimed: Claimed) -> None:
        self._again(claimed, watch_reservation, WatchReservation(claimed.job.subject_id))

    def _show_price(self, claimed: Claimed) -> None:
        self._again(claimed, show_price, ShowPrice(SessionId(claimed.job.subject_id)))

    def _show_final_price(self, claimed: Claimed) -> None:
        self._again(claimed, show_final_price, ShowFinalPrice(SessionId(claimed.job.subject_id)))

    def _again(self, claimed: Claimed, workflow: Callable[[UnitOfWork, Any], int | None], wanted: Any) -> None:
        """Run a workflow that says in how many seconds it is to run again, until it says never."""
        cause = claimed.job.cause
        again = self._house.write_now(claimed.operator_id, workflow, wanted, actor="worker", cause=cause)
        if again is not None:
            msg = "its session goes on"
            raise TryLater(msg, again)
        self._house.end_job(claimed.operator_id, claimed.job)

    def _read_settlements(self, claimed: Claimed) -> None:
        self._house.accountant.read_settlements(self._write(claimed), claimed.job.subject_id)
        self._house.end_job(claimed.operator_id, claimed.job)

    def _read_report(self, claimed: Claimed) -> None:
        account_id = claimed.job.subject_id.partition("/")[0]
        self._house.accountant.read_report(self._write(claimed), account_id, str(claimed.job.payload["place"]))
        self._house.end_job(claimed.operator_id, claimed.job)

    def _compare_payment(self, claimed: Claimed) -> None:
        self._house.accountant.compare_payment(self._write(claimed), PaymentId(claimed.job.subject_id))
        self._house.end_job(claimed.operator_id, claimed.job)

    def _accept_dispute(self, claimed: Claimed) -> None:
        self._house.accountant.accept_dispute(self._write(claimed), claimed.job.subject_id)
        self._house.end_job(claimed.operator_id, claimed.job)

    def _write(self, claimed: Claimed) -> Callable[[Callable[[UnitOfWork, Any], Any], Any], Any]:
        def write(workflow: Callable[[UnitOfWork, Any], Any], command: Any) -> Any:
            return self._house.write_now(
                claimed.operator_id, workflow, command, actor="worker", cause=claimed.job.cause
            )

        return write

    def _bill_session(self, claimed: Claimed) -> None:
        wanted = BillSession(SessionId(claimed.job.subject_id))
        cause = claimed.job.cause
        if not self._house.write_now(claimed.operator_id, bill_session, wanted, actor="worker", cause=cause):
            msg = "restored from a backup, and not yet compared with the providers: tallywatt reconcile"
            raise TryLater(msg, COMPARED_SECONDS)
        self._house.end_job(claimed.operator_id, claimed.job)

    def _credit_refund(self, claimed: Claimed) -> None:
        wanted, cause = CreditRefund(InvoiceId(claimed.job.subject_id)), claimed.job.cause
        if not self._house.write_now(claimed.operator_id, credit_refund, wanted, actor="worker", cause=cause):
            msg = "restored from a backup, and not yet compared with the providers: tallywatt reconcile"
            raise TryLater(msg, COMPARED_SECONDS)
        self._house.end_job(claimed.operator_id, claimed.job)

    def _send_command(self, claimed: Claimed) -> None:
        command_id = CommandId(claimed.job.subject_id)
        command: StationCommand = self._house.write_now(
            claimed.operator_id, lambda work, key: work.station_commands.get(key), command_id, actor="worker"
        )
        if command.is_open:
            if self._house.machine.now() >= command.deadline_at:
                answer = LinkAnswer("not_connected", "the station was not connected in time")
            else:
                answer = self._ask_station(claimed, command)
            self._house.run_job(claimed, hear_answer, CommandAnswered(command_id, answer))
        else:
            self._house.end_job(claimed.operator_id, claimed.job)

    def _ask_station(self, claimed: Claimed, command: StationCommand) -> LinkAnswer:
        gateway = self._house.gateway
        if gateway is None:
            msg = "this process has no gateway"
            raise TryLater(msg)
        if command.station_id not in gateway.connected():
            # It may come back before the deadline; the command waits for it.
            msg = "the station is not connected"
            raise TryLater(msg, RECONNECT_SECONDS)
        going = self._house.filled_in(claimed.operator_id, command) if SEALED in command.payload else command
        if going is None:
            return LinkAnswer("rejected", "the new key was given up")
        self._note_sent(claimed, command, is_sent=True)
        left = (command.deadline_at - self._house.machine.now()) / 1000
        answer = gateway.call(command.station_id, going, min(STATION_ANSWERS_WITHIN_SECONDS, max(left, 1.0)))
        if answer.outcome == "not_connected":
            self._note_sent(claimed, command, is_sent=False)
            msg = "the station went away"
            raise TryLater(msg, RECONNECT_SECONDS)
        return answer

    def _sign_certificate(self, claimed: Claimed) -> None:
        which = claimed.job.subject_id
        issued, why = self._house.sign_request(claimed.operator_id, which)
        if issued is None:
            self._house.run_job(claimed, refuse_certificate, RefuseCertificate(which, why))
        else:
            self._house.run_job(claimed, keep_certificate, KeepCertificate(which, issued))

    def _renew_certificate(self, claimed: Claimed) -> None:
        which, cause = claimed.job.subject_id, claimed.job.cause
        if self._house.write_now(claimed.operator_id, renew_certificate, which, actor="worker", cause=cause):
            msg = "the station was asked for a new request"
            raise TryLater(msg, RENEWAL_SECONDS)
        self._house.end_job(claimed.operator_id, claimed.job)

    def _note_sent(self, claimed: Claimed, command: StationCommand, *, is_sent: bool) -> None:
        noted = NoteSent(command.command_id, is_sent)
        self._house.write_now(claimed.operator_id, note_sent, noted, actor="worker", cause=claimed.job.cause)

    def _erase_traces(self, claimed: Claimed) -> None:
        operator, job = claimed.operator_id, claimed.job
        self._house.erase_traces(operator, job.subject_id, cause=job.cause)
        self._house.end_job(operator, job)

    def _erase_papers(self, claimed: Claimed) -> None:
        operator, job = claimed.operator_id, claimed.job
        until = self._house.erase_papers(operator, job.subject_id, cause=job.cause)
        if until is not None:
            msg = f"invoices have to be kept through {until}"
            raise TryLater(msg, PAPERS_SECONDS)
        self._house.end_job(operator, job)

    def _print_invoice(self, claimed: Claimed) -> None:
        invoice_id, operator = InvoiceId(claimed.job.subject_id), claimed.operator_id
        settled = self._house.write_now(operator, is_settled, invoice_id, actor="worker")
        since = max(claimed.job.created_at, self._opened_at)
        if not settled and self._house.machine.now() - since < WAITS_FOR_PAYMENT_SECONDS * 1000:
            msg = "its payment is on its way"
            raise TryLater(msg, PAYMENT_SECONDS)
        wanted = GatherPaper(invoice_id, self._house.settings.base_url)
        document = self._house.write_now(operator, gather_paper, wanted, actor="worker")
        content = self._house.papers().pdf(document)
        printed = PrintedInvoice(
            invoice_id, "application/pdf", hashlib.sha256(content).hexdigest(), content, self._house.machine.now()
        )
        self._house.run_job(claimed, keep_printed, printed)

    def _run_audit(self, claimed: Claimed) -> None:
        house, operator, job = self._house, claimed.operator_id, claimed.job
        audit = house.write_now(operator, begin_audit, BeginAudit(job.subject_id), actor="worker", cause=job.cause)
        if audit.state is not AuditState.RUNNING:
            house.end_job(operator, job)
            return
        try:
            report = house.audit_apart(operator, self._given_up)
        except Broken as error:
            failed = FailAudit(job.subject_id, error.message)
            house.run_job(claimed, fail_audit, failed)
            return
        if report is None:
            msg = "the server ended in the middle of it"
            raise TryLater(msg, 0)
        figures = {**report.summary(), "frames": report.frames, "erased_frames": report.erased_frames}
        house.run_job(claimed, keep_audit, KeepAudit(job.subject_id, report.findings, figures))

    def _send_letter(self, claimed: Claimed) -> None:
        house, job, operator = self._house, claimed.job, claimed.operator_id
        wanted = GatherLetter(str(job.payload["what"]), job.subject_id)
        addressed = house.write_now(operator, gather_letter, wanted, actor="worker")
        if addressed is None or not house.has_post:
            # It would open nothing any more; or the mail server was taken out of the settings.
            house.end_job(operator, job)
            return
        url = link_url(house.settings.base_url, wanted.what, house.letter_secret(job.subject_id))
        code = sign_in_code(house.secret, job.subject_id)
        letter = written(wanted.what, addressed, str(job.payload["language"]), url, code)
        try:
            house.post().send(letter, job.job_id, house.machine.now())
        except LetterRefused as refused:
            house.end_job(operator, job, str(refused), for_good=True)
        else:
            house.end_job(operator, job)
