"""Joins ports to adapters, once: everything that a process of Tallywatt is made of."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import secrets
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import reset_tzpath

import structlog

from tallywatt.adapters.identity.registration import Outgoing, Registration
from tallywatt.adapters.imports.rows import ReadRow, ReadUpload
from tallywatt.adapters.machine import MachineClock, WorldDraws, is_gone, process_name
from tallywatt.adapters.passkeys.places import can_have_passkeys
from tallywatt.adapters.providers.accountant import Accountant
from tallywatt.adapters.providers.caller import Caller, Providers, TryLater
from tallywatt.adapters.providers.secrets import read_secret
from tallywatt.adapters.storage import sequencer
from tallywatt.adapters.storage.claims import Claim, Claimed, Ended, RunJob, claim, end_job, free_leases, run_job
from tallywatt.adapters.storage.directory import MemoryDirectory
from tallywatt.adapters.storage.forget import forget_answers, forget_challenges, thin_answers
from tallywatt.adapters.storage.keyring import KEY_BYTES, derived, open_keyring, rotate
from tallywatt.adapters.storage.migrations import HEAD, present_revision, require_current, upgrade
from tallywatt.adapters.storage.old_commands import forget_commands
from tallywatt.adapters.storage.old_deliveries import forget_deliveries
from tallywatt.adapters.storage.old_notices import forget_notices
from tallywatt.adapters.storage.old_traffic import forget_traffic
from tallywatt.adapters.storage.rollups import roll_up_revenue
from tallywatt.adapters.storage.spreading import (
    ClaimDeliveries,
    Parcel,
    claim_deliveries,
    due_endpoints,
    events_waiting,
    free_deliveries,
    spread,
)
from tallywatt.adapters.storage.store import Store, take_write_lock
from tallywatt.adapters.storage.uploads import (
    WaitingRow,
    cancel_rows,
    content_of,
    drop_parts,
    drop_unfinished,
    forget_uploads,
    waiting_rows,
)
from tallywatt.adapters.storage.views import Views
from tallywatt.kernel.clock import RUNNING_ALONG, BusinessAnchor, Instant
from tallywatt.kernel.errors import BadInput, Broken, Busy, NotFound, SecondWriter
from tallywatt.kernel.identity import ProviderAccountId
from tallywatt.payments.account import ProviderAccount
from tallywatt.payments.secret import SEALED_HERE
from tallywatt.settings import Settings, write_key
from tallywatt.stations.credentials import hash_key
from tallywatt.stations.key_change import HIDES, bound_to, replacing
from tallywatt.stations.messages import OLD
from tallywatt.workflows.take_webhook import Taken, TakeWebhook, take_webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tallywatt.adapters.identity.openid import OpenIdProvider
    from tallywatt.adapters.measures.exposed import Exposed, Listening
    from tallywatt.adapters.ocpp.server import Gateway
    from tallywatt.adapters.passkeys.ceremony import Ceremonies
    from tallywatt.adapters.socket.server import ControlServer
    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.keyring import Keyring
    from tallywatt.adapters.storage.vault import Vault
    from tallywatt.adapters.webhooks.sending import Sender
    from tallywatt.evidence.findings import AuditReport
    from tallywatt.invoicing.ports import Papers
    from tallywatt.kernel.events import RecordedEvent
    from tallywatt.metering.facts import BootAnswer
    from tallywatt.payments.provider import PaymentProvider
    from tallywatt.stations.command import StationCommand
    from tallywatt.stations.key_change import KeyChange
    from tallywatt.workflows.imports import Import, ImportKind, UserIs
    from tallywatt.workflows.jobs import StoredJob
    from tallywatt.workflows.ports import Post, UnitOfWork

# Prices by time of day are worked out with the zone data that we lock and whose version is kept with each price; Python would
# prefer whatever the system has.
reset_tzpath(())

__all__ = [
    "HEAD",
    "Claim",
    "Claimed",
    "House",
    "MachineClock",
    "Outgoing",
    "Parcel",
    "ReadRow",
    "Settings",
    "TryLater",
    "Views",
    "WaitingRow",
    "present_revision",
    "process_name",
    "upgrade",
]

log = structlog.get_logger(__name__)

C = TypeVar("C")
R = TypeVar("R")

FOLLOW_SECONDS = 0.25
"""How long events wait at most for those who follow them in this process; a commit of this process wakes them at once."""

MICROSECONDS_A_SECOND = 1_000_000
SENT_AWAY = frozenset({"StationCertificateRevoked", "StationKeyTaken"})
"""Events after which a station has to come back and prove itself anew."""
REMOVED_AT_ONCE = 50
"""Places that an erasure cleans in one command: others wait for the writer meanwhile."""

AUDIT_LOOKS_SECONDS = 0.25
"""How often the worker looks whether the audit has ended, or the server is to."""
AUDIT_NICENESS = 10
STARTING_SECONDS = 5.0
"""How long the command line waits for whoever has just taken the write lock."""


def _everybody(_: str) -> bool:
    return True


class House:
    """One process: its settings, its store, its clocks, and the adapters behind its ports."""

    def __init__(self, settings: Settings) -> None:
        if settings.unfinished_restore.exists():
            msg = "a return from a backup goes on here, or was broken off"
            remedy = f"empty the place, remove {settings.unfinished_restore}, and run tallywatt restore again"
            raise Broken(msg, code="restore.unfinished", remedy=remedy)
        require_current(settings.url)
        ring = keyring_of(settings)
        self.settings = settings
        self.machine = MachineClock()
        self.anchor = RUNNING_ALONG
        self.draws = WorldDraws(lambda: self.anchor)
        self.pepper = ring.stations
        self.secret = ring.signatures
        self.store = Store(settings.url, self.draws.draw, *ring.sealing)
        self.views = Views()
        self.anchor = self.ask_now(self.views.business_anchor)
        self.providers = Providers(self._secret_behind, settings.base_url)
        self.caller = Caller(self.providers, self.machine)
        self.accountant = Accountant(self.providers)
        self.gateway: Gateway | None = None
        self.feed: Any = None
        """The live feed of this process's pages; set by the entrypoint that has pages."""
        self._control: ControlServer | None = None
        self._measures: Listening | None = None
        self._papers: Papers | None = None
        self._post: Post | None = None
        self._identity_providers: dict[str, OpenIdProvider] = {}
        self._directory: MemoryDirectory | None = None
        self._follower: threading.Thread | None = None
        self._news = threading.Event()
        self._closing = False

    # --- life ---

    def open(self, *, following: bool = True) -> None:
        """Start the writer and, unless it is only for one command, those who follow events."""
        self.store.start()
        if not following:
            return
        self.store.writer.after_commit.append(lambda _: self._news.set())
        self._follower = threading.Thread(target=self._follow, name="follower", daemon=True)
        self._follower.start()

    def open_control(self) -> None:
        """Let the command line write through this process."""
        from tallywatt.adapters.socket.server import ControlServer  # only a server needs it

        self._control = ControlServer(self.settings.control_socket, self.store.write_now)
        self._control.start()

    def open_measures(self) -> None:
        """Let Prometheus read what this process counts, if a port is set for it. The library is loaded only then."""
        if self.settings.metrics_port is None:
            return
        from tallywatt.adapters.measures.exposed import Exposed, Listening

        exposed = Exposed()
        self._measure_writing(exposed)
        if self.gateway is not None:
            self._measure_stations(exposed, self.gateway)
        caller = self.caller
        exposed.counter("provider_calls", "What was sent to payment providers, by how they answered.", caller.calls)
        exposed.spread("provider_call_seconds", "How long providers took.", caller.call_times, MICROSECONDS_A_SECOND)
        exposed.gauge(
            "feed_viewers", "Live pages that are open.", lambda: 0 if self.feed is None else self.feed.viewers
        )
        exposed.gauges_of(lambda: self.ask_now(self.views.measured, self.machine.now()))
        self._measures = Listening(exposed, self.settings.metrics_host, self.settings.metrics_port)

    def _measure_writing(self, exposed: Exposed) -> None:
        writer = self.store.writer
        exposed.gauge("writer_queue_commands", "Commands that wait for the writer.", lambda: writer.waiting)
        exposed.total("writer_commands", "Commands that were written.", lambda: writer.commands)
        exposed.total("writer_groups_lost", "Groups that were undone and run one by one.", lambda: writer.groups_lost)
        exposed.spread("writer_group_commands", "Commands in one commit.", writer.group_sizes)
        exposed.spread("writer_commit_seconds", "How long a commit took.", writer.commit_times, MICROSECONDS_A_SECOND)

    def _measure_stations(self, exposed: Exposed, gateway: Gateway) -> None:
        exposed.spread(
            "ocpp_call_seconds", "From a CALL to its answer, commit included.", gateway.calls, MICROSECONDS_A_SECOND
        )
        exposed.gauge(
            "ocpp_connected_stations", "Adopted stations that are connected.", lambda: len(gateway.connected())
        )
        exposed.gauge("ocpp_quarantined_sockets", "Sockets of unknown stations.", lambda: gateway.quarantined)
        exposed.total("ocpp_writer_busy", "How often a station's fact had to wait.", lambda: gateway.refusals)
        exposed.total("ocpp_messages_not_logged", "Messages that the log left out.", lambda: gateway.messages_left_out)

    def close(self) -> None:
        """Work off what is queued, then let go of everything."""
        self._closing = True
        self._news.set()
        if self._measures is not None:
            self._measures.close()
        if self._control is not None:
            self._control.stop()
        if self._follower is not None:
            self._follower.join()
        self.store.close()

    # --- writing and reading ---

    async def write(
        self, operator: str, workflow: Callable[[UnitOfWork, C], R], command: C, *, actor: str, cause: str = ""
    ) -> R:
        """Run a workflow and wait for its commit, on an event loop."""
        return await self.store.write(operator, workflow, command, actor=actor, cause=cause)

    def write_now(
        self, operator: str, workflow: Callable[[UnitOfWork, C], R], command: C, *, actor: str, cause: str = ""
    ) -> R:
        """Run a workflow and wait for its commit, in a thread that may block."""
        return self.store.write_now(operator, workflow, command, actor=actor, cause=cause)

    async def ask(self, view: Callable[..., R], *values: Any, **more: Any) -> R:
        """Ask a view, off the event loop."""
        return await self.store.read(lambda connection: view(connection, *values, **more))

    def ask_now(self, view: Callable[..., R], *values: Any, **more: Any) -> R:
        """Ask a view in a thread that may block."""
        return self.store.ask(lambda connection: view(connection, *values, **more))

    def new_id(self, name: str) -> str:
        """A fresh id for something that has no unit of work yet: an operator."""
        return self.draws.draw().id(name)

    def business_now(self) -> Instant:
        """Business time."""
        return self.draws.draw().business

    def open_sealed(self, connection: Connection, operator: str, key_id: str, sealed: bytes, about: str = "") -> bytes:
        """The plain bytes of a sealed record."""
        return self.store.vault.open(connection, operator, key_id, sealed, about)

    def erase_traces(self, operator: str, erasure_id: str, *, cause: str) -> None:
        """Search everything for one person, and remove what is found, until nothing is."""
        from tallywatt.adapters.storage import erasing  # only an erasure needs it
        from tallywatt.customers.erasure import Traces
        from tallywatt.workflows.erase_customer import EndSearch, end_search

        erasure = self.write_now(operator, lambda work, key: work.erasures.get(key), erasure_id, actor="worker")
        if erasure.sealed is None:
            return
        sealed, key_id = erasure.sealed, erasure.key_id or ""
        text = self.ask_now(lambda connection: self.open_sealed(connection, operator, key_id, sealed))
        traces, removed = Traces.of_text(text.decode()), 0
        # What the first round has found is gone; the second finds what came meanwhile.
        for _ in range(3):
            places = self.ask_now(erasing.search, self.store.vault, operator, traces)
            for first in range(0, max(len(places), 1), REMOVED_AT_ONCE):
                part = tuple(places[first : first + REMOVED_AT_ONCE])
                removal = erasing.Removal(part, traces, erasure.customer_id)
                removed += self.store.run_now(operator, erasing.remove, removal, actor="worker", cause=cause)
            if not places:
                self.write_now(operator, end_search, EndSearch(erasure_id, removed), actor="worker", cause=cause)
                return
        msg = "what leads to the person is written faster than it is removed"
        raise Busy(msg)

    def erase_papers(self, operator: str, erasure_id: str, *, cause: str) -> str | None:
        """Forget the invoices that the law lets go; the day through which the last one has to stay, if there is one."""
        from tallywatt.adapters.storage import erasing  # only an erasure needs it
        from tallywatt.workflows.erase_customer import end_papers, papers_that_may_go

        papers = self.write_now(operator, papers_that_may_go, erasure_id, actor="worker", cause=cause)
        self.store.run_now(operator, erasing.drop_papers, papers, actor="worker", cause=cause)
        return self.write_now(operator, end_papers, erasure_id, actor="worker", cause=cause).kept_until

    def audit(self, operator: str) -> Any:
        """Recompute energy and money of an operator from what was sealed, and compare."""
        from tallywatt.adapters.storage.evidence import audit  # only the audit needs it

        with self.store.reading() as connection:
            return audit(connection, self.store.vault, operator)

    # --- stations ---

    def build_gateway(self) -> Gateway:
        """The OCPP server of this process, not yet listening."""
        from tallywatt.adapters.ocpp.connection import Intake  # only a gateway loads the protocol
        from tallywatt.adapters.ocpp.server import Gateway, GatewayOptions
        from tallywatt.workflows.add_station import knock
        from tallywatt.workflows.boot_station import boot_station
        from tallywatt.workflows.follow import follow
        from tallywatt.workflows.plug_in import plug_in
        from tallywatt.workflows.report_status import report_status
        from tallywatt.workflows.show_token import show_token
        from tallywatt.workflows.take_unreadable import take_unreadable
        from tallywatt.workflows.unplug import unplug

        boot: Callable[[Any, Any], BootAnswer] = boot_station
        intake = Intake(boot, report_status, show_token, plug_in, follow, unplug, take_unreadable, knock)
        self._directory = MemoryDirectory(self.store.reading)
        options = GatewayOptions(
            plain_is_shielded=self.settings.ocpp_behind_tls, keeps_log=self.settings.message_log_days > 0
        )
        self.gateway = Gateway(self.store.writer, intake, self._directory, self.machine, self.pepper, options)
        return self.gateway

    async def open_gateway(self) -> None:
        """Listen for stations, as the settings say: plain, with TLS, or both."""
        from tallywatt.adapters.ocpp.server import Tls  # as above

        assert self.gateway is not None, "only a process with a gateway opens it"
        settings = self.settings
        tls = None
        if settings.ocpp_tls_certificate is not None:
            key = settings.ocpp_tls_key or settings.ocpp_tls_certificate
            tls = Tls(settings.ocpp_tls_port, settings.ocpp_tls_certificate, key, self._vouching)
        elif not settings.ocpp_plain:
            msg = "stations have no port: neither plain nor with TLS"
            raise Broken(msg, code="serve.no_ocpp_port", remedy="set TALLYWATT_OCPP_TLS_CERTIFICATE")
        await self.gateway.start(settings.ocpp_host, settings.ocpp_port if settings.ocpp_plain else None, tls)

    def _vouching(self) -> tuple[str, ...]:
        return () if self._directory is None else self._directory.authorities

    async def traffic(self, operator: str, wanted: Mapping[str, Any]) -> Any:
        """A page of the message log, with what is still on its way into it."""
        if self.gateway is not None and wanted.get("cursor") is None:
            await asyncio.to_thread(self.gateway.write_down, wanted["station_id"])
        return await self.ask(self.views.traffic, operator, self.store.vault, **wanted)

    def sign_request(self, operator: str, certificate_id: str) -> tuple[Any, Any]:
        """What the operator's authority makes of a station's request: the certificate, or None; and why not."""
        from tallywatt.adapters.certificates.authority import sign  # cryptography, which no start needs
        from tallywatt.workflows.certify import signing_authority

        def gathered(work: Any, which: str) -> tuple[Any, Any, Any]:
            row = work.station_certificates.get(which)
            return row, work.stations.get(row.station_id), signing_authority(work)

        row, station, authority = self.write_now(operator, gathered, certificate_id, actor="worker")
        if authority is None:
            return None, "there is no authority that could sign"
        key = _opened(self.ask_now, f"{SEALED_HERE}{authority.secret_id}", self.store.vault)
        try:
            return sign(row.request, station.identity, authority.certificate, key, self.machine.now()), None
        except BadInput as error:
            return None, error.message

    # --- payments ---

    def provider_account(self, account_id: str) -> tuple[str, ProviderAccount]:
        """A provider account and its operator, whoever asks by its id: webhooks know nothing else.

        Nothing of it goes through the writer: until the signature was checked, the sender may be anybody.
        """
        found = self.ask_now(self.views.account_of_webhook, account_id)
        if found is None:
            msg = "there is no such provider account"
            raise NotFound(msg, code="provider_accounts.not_found")
        return found

    def take_webhook(self, provider: str, account_id: str, headers: Mapping[str, str], body: bytes) -> Taken:
        """Verify what a provider tells and take it in, durably, before it is answered. Blocks."""
        operator, account = self.provider_account(account_id)
        if account.provider != provider:
            msg = f"account {account_id} is not one of {provider}"
            raise BadInput(msg, code="provider_accounts.other_provider")
        event = self.providers(account).read_webhook(headers, body)
        command = TakeWebhook(ProviderAccountId(account_id), event, body)
        return self.write_now(operator, take_webhook, command, actor=f"provider:{account_id}")

    def filled_in(self, operator: str, command: StationCommand) -> StationCommand | None:
        """A command with the key that it is to bring, for the wire alone; None: that key was given up."""
        from tallywatt.workflows.replace_key import NoteKey, note_key  # only a worker beside a gateway sends keys

        row: KeyChange | None = self.write_now(
            operator, lambda work, key: work.key_changes.find(key), command.station_id, actor="worker"
        )
        if row is None or not row.is_open or row.key_id is None or row.sealed_key is None:
            return None
        about = bound_to(operator, command.station_id)
        key = self.ask_now(self.open_sealed, operator, row.key_id, row.sealed_key, about).decode()
        noted: KeyChange = self.write_now(
            operator, note_key, NoteKey(command.station_id, hash_key(key, self.pepper)), actor="worker"
        )
        if not noted.is_open:
            return None
        name, content = replacing(OLD if command.name == "ChangeConfiguration" else None, key)
        return replace(command, payload={"name": name, "content": content, HIDES: key})

    def _secret_behind(self, reference: str) -> str:
        """The secret that a reference names, wherever it is kept."""
        if not reference.startswith(SEALED_HERE):
            return read_secret(reference)
        return _opened(self.ask_now, reference, self.store.vault)

    # --- jobs ---

    def take_over(self) -> None:
        """Take up the jobs that a killed server was doing, without waiting for its leases.

        On SQLite there can be no other; on PostgreSQL those that were processes of this machine are known to have ended.
        """
        gone = _everybody if self.store.is_sqlite else is_gone
        self.store.run_now("", free_leases, gone, actor="worker")
        self.store.run_now("", free_deliveries, gone, actor="worker")

    def claim(self, command: Claim) -> list[Claimed]:
        """Take due jobs."""
        return self.store.run_now("", claim, command, actor="worker")

    def end_job(
        self,
        operator: str,
        job: StoredJob,
        error: str | None = None,
        *,
        for_good: bool = False,
        after_seconds: int | None = None,
    ) -> None:
        """Write down what became of a job."""
        chance = int.from_bytes(self.draws.draw().seed[:4], "big") / 2**32
        self.store.run_now(operator, end_job, Ended(job, error, chance, for_good, after_seconds), actor="worker")

    def run_job(self, claimed: Claimed, workflow: Callable[[Any, Any], Any], command: object) -> None:
        """Run the workflow of a job and end the job in one transaction."""
        self.store.run_now(
            claimed.operator_id,
            run_job,
            RunJob(claimed.job, workflow, command),
            actor="worker",
            cause=claimed.job.cause,
        )

    def on_jobs(self, ring: Callable[[], None]) -> None:
        """Call `ring` when a commit of this process has written jobs."""
        self.store.writer.after_commit.append(lambda wrote: ring() if wrote else None)

    def papers(self) -> Papers:
        """The printer of invoices, warm after its first use."""
        if self._papers is None:
            from tallywatt.adapters.documents.papers import TypstPapers  # a fifth of a second

            self._papers = TypstPapers()
        return self._papers

    # --- long work ---

    def write_all_now(
        self,
        operator: str,
        orders: Sequence[tuple[Callable[[UnitOfWork, Any], Any], object]],
        *,
        actor: str,
        cause: str = "",
    ) -> list[Any]:
        """Run several workflows, each all or nothing, which may share a commit; results or errors, in their order."""
        return self.store.write_all_now(operator, orders, actor=actor, cause=cause)

    def read_upload(self, operator: str, upload: Import) -> ReadUpload:
        """The rows of an uploaded file, each with its command or why there is none; BadInput when it cannot be read."""
        from tallywatt.adapters.imports.upload import read_upload  # shapes of rows that only an import needs

        content = self.ask_now(content_of, self.store.vault, operator, upload.import_id)
        return read_upload(upload.kind, content, upload.name or "the file", upload.user_is, self._station_key_hash)

    def _station_key_hash(self, key: str) -> str:
        return hash_key(key, self.pepper)

    def waiting_rows(self, operator: str, import_id: str, most: int) -> list[WaitingRow]:
        """The next rows of an import that wait, opened."""
        return self.ask_now(waiting_rows, self.store.vault, operator, import_id, most)

    def drop_upload(self, operator: str, import_id: str) -> None:
        """Forget the file of an import: its rows are known, or nobody wants them any more."""
        self.store.run_now(operator, drop_parts, import_id, actor="worker")

    async def drop_unfinished(self, operator: str, import_id: str) -> None:
        """Forget an upload that was broken off."""
        workflow: Callable[[Any, str], bool] = drop_unfinished
        await self.write(operator, workflow, import_id, actor="worker")

    def cancel_rows(self, operator: str, import_id: str) -> None:
        """Forget what the waiting rows of a cancelled import said."""
        while self.store.run_now(operator, cancel_rows, import_id, actor="worker"):
            pass

    def audit_apart(self, operator: str, given_up: threading.Event) -> AuditReport | None:
        """The audit in a process of its own and of low priority, for it computes for as long as there is history.

        In this process it would take every second turn from the stations. None: it was given up, as the server ends.
        """
        from multiprocessing import get_context  # only an audit needs it

        fresh = get_context("spawn")
        receiver, sender = fresh.Pipe(duplex=False)
        process = fresh.Process(target=_audit_into, args=(self.settings, operator, sender), daemon=True)
        process.start()
        sender.close()
        try:
            while not receiver.poll(AUDIT_LOOKS_SECONDS):
                if given_up.is_set():
                    return None
            result = receiver.recv()
        except EOFError as error:
            msg = "the audit ended without a result"
            raise Broken(msg, code="audits.broken", remedy="run tallywatt audit, which shows why") from error
        finally:
            process.terminate()
            process.join()
            receiver.close()
        if isinstance(result, str):
            raise Broken(result, code="audits.broken", remedy="run tallywatt audit, which shows more")
        report: AuditReport = result
        return report

    # --- people ---

    @property
    def has_post(self) -> bool:
        """Whether letters can be sent."""
        return self.settings.smtp_url is not None

    def post(self) -> Post:
        """The way to people by letter; made on first use, as most processes send none."""
        if self._post is None:
            from tallywatt.adapters.messages.smtp import MailServer, SmtpPost  # mail is loaded by who writes letters

            assert self.settings.smtp_url is not None, "has_post is asked first"
            host = urlsplit(self.settings.base_url).hostname
            sender = self.settings.smtp_sender or f"tallywatt@{host}"
            self._post = SmtpPost(MailServer.of(self.settings.smtp_url), sender)
        return self._post

    def letter_secret(self, thing_id: str) -> str:
        """The secret of a link that is sent by letter."""
        return letter_secret(self.secret, thing_id)

    @property
    def has_passkeys(self) -> bool:
        """Whether browsers make passkeys at the address of the pages."""
        return can_have_passkeys(self.settings.base_url)

    def ceremonies(self) -> Ceremonies:
        """What makes and checks passkeys; loaded with the first one."""
        from tallywatt.adapters.passkeys.ceremony import Ceremonies  # a third of a second

        return Ceremonies(self.settings.base_url, "Tallywatt")

    def secret_of(self, challenge_id: str, purpose: str = "challenge") -> bytes:
        """What goes out with a challenge: made again from its id when it comes back, and kept nowhere."""
        return derived(self.secret, f"{purpose}/{challenge_id}")

    def identity_provider(self, row: Mapping[str, Any], back: str) -> OpenIdProvider:
        """What speaks to an identity provider, with its secret unsealed; kept, as it keeps the provider's keys. Blocks."""
        from tallywatt.adapters.identity.openid import OpenIdProvider  # half a second, once somebody comes that way
        from tallywatt.partners.address import read_allow_list

        made = self._identity_providers.get(row["id"])
        if made is None:
            secret = self.ask_now(
                self.store.vault.open, row["operator_id"], row["secret_key_id"], row["client_secret"]
            ).decode()
            registration = Registration(row["issuer"], row["client_id"], secret, f"{self.settings.base_url}{back}")
            allow = read_allow_list(self.settings.webhook_allow)
            made = self._identity_providers[row["id"]] = OpenIdProvider(registration, allow)
        return made

    def forget(self) -> int:
        """Drop what is of no use to anybody any more; how much."""
        deliveries = self.store.run_now("", forget_deliveries, None, actor="janitor")
        answers = self.store.run_now("", forget_answers, None, actor="janitor")
        answers += self.store.run_now("", thin_answers, None, actor="janitor")
        uploads = self.store.run_now("", forget_uploads, None, actor="janitor")
        gone = self.store.run_now("", forget_challenges, None, actor="janitor")
        gone += self.store.run_now("", forget_traffic, self.settings.message_log_days, actor="janitor")
        gone += self.store.run_now("", forget_commands, self.settings.message_log_days, actor="janitor")
        gone += self.store.run_now("", forget_notices, self.settings.station_notice_days, actor="janitor")
        return deliveries + answers + uploads + gone

    # --- outgoing webhooks ---

    def sender(self) -> Sender:
        """What sends messages to partners, and to no address of our own network but those that the settings allow."""
        from tallywatt.adapters.webhooks.sending import Sender  # TLS, and a parser of HTTP
        from tallywatt.partners.address import read_allow_list

        return Sender(read_allow_list(self.settings.webhook_allow))

    async def spread_events(self) -> int:
        """Write deliveries for events that partners have yet to hear of, one batch; 0 when there are none."""
        if not await self.ask(events_waiting):
            return 0
        workflow: Callable[[Any, None], int] = spread
        return await self.write("", workflow, None, actor="courier")

    async def due_endpoints(self) -> list[tuple[str, str]]:
        """Operator and endpoint wherever a delivery is due."""
        return await self.ask(due_endpoints, self.machine.now())

    async def claim_deliveries(self, where: tuple[tuple[str, str], ...], most: int, owner: str) -> list[Parcel]:
        """Take due deliveries of these endpoints, a few of each."""
        workflow: Callable[[Any, ClaimDeliveries], list[Parcel]] = claim_deliveries
        command = ClaimDeliveries(where, most, owner, self.store.vault)
        return await self.write("", workflow, command, actor="courier")

    # --- events ---

    def _follow(self) -> None:
        """Sequence committed events, keep the directory and the roll-ups current."""
        position: int | None = None
        while not self._closing:
            self._news.wait(FOLLOW_SECONDS if not self.store.is_sqlite else None)
            self._news.clear()
            try:
                position = self._catch_up(position)
            except Exception:
                # Whatever it was, the events are on the disk: the next round reads them.
                log.exception("follower.failed")
                threading.Event().wait(FOLLOW_SECONDS)

    def _catch_up(self, position: int | None) -> int:
        if not self.store.is_sqlite:
            self.store.sequence()
        if position is None:
            position = self.ask_now(self.views.last_position)
            self.store.run_now("", roll_up_revenue, None, actor="follower")
            if self._directory is not None:
                self._directory.refill()
        while events := self._events_after(position):
            position = events[-1].position
            if self._directory is not None:
                self._directory.note(events)
            self._send_away(events)
            if self.gateway is not None and any(one.event.type == "AuthorityPut" for one in events):
                self.gateway.look_again()
            if any(one.event.type == "SessionBilled" for one in events):
                self.store.run_now("", roll_up_revenue, None, actor="follower")
        return position

    def _send_away(self, events: Sequence[RecordedEvent]) -> None:
        """Whose certificate was revoked comes back with another one, or not at all; who has a new key comes back with it."""
        for one in events:
            if self.gateway is not None and one.event.type in SENT_AWAY:
                self.gateway.disconnect(one.event.aggregate_id)

    def _events_after(self, position: int) -> list[RecordedEvent]:
        return self.ask_now(sequencer.events_after, position)


@contextmanager
def looking(settings: Settings) -> Iterator[Callable[..., Any]]:
    """Ask views of a database that another process may be writing to: for the command line."""
    from tallywatt.adapters.storage.connections import connect  # a server has its own readers
    from tallywatt.adapters.storage.migrations import require_current

    require_current(settings.url)
    connection = connect(settings.url, read_only=True)

    def ask(view: Callable[..., R], *values: Any, **more: Any) -> R:
        connection.snapshot()
        try:
            return view(connection, *values, **more)
        finally:
            connection.rollback()

    try:
        yield ask
    finally:
        connection.close()


@contextmanager
def writing(settings: Settings) -> Iterator[Callable[..., Any]]:
    """Run workflows for the command line: in the running server where it owns writing, else in this process.

    The answers are plain data either way, as they come over the control socket.
    """
    from tallywatt.adapters.socket.client import NobodyAnswers, ask  # only the command line asks
    from tallywatt.adapters.socket.words import as_plain

    own: House | None = None

    def run(operator: str, workflow: Callable[..., Any], command: object, *, actor: str) -> Any:
        nonlocal own
        patience = time.monotonic() + STARTING_SECONDS
        while own is None:
            if settings.url.startswith("sqlite:"):
                with suppress(NobodyAnswers):
                    return ask(settings.control_socket, operator, workflow, command, actor)
            try:
                own = House(settings)
            except SecondWriter:
                # It owns writing and does not listen yet: a server that is starting, or another command line.
                if time.monotonic() > patience:
                    raise
                time.sleep(0.05)
            else:
                own.store.start()
        return as_plain(own.write_now(operator, workflow, command, actor=actor))

    try:
        yield run
    finally:
        if own is not None:
            own.store.close()


def check_message(protocol: str | None, name: str, content: Mapping[str, Any]) -> None:
    """BadInput for a message to a station that does not fit its version, by the official schemas."""
    from tallywatt.adapters.ocpp import messages  # compiled validators, which no start needs

    messages.check_message(protocol, name, content)


def make_authority(name: str, years: int, now: Instant) -> Any:
    """A certification authority, with its key in the clear: to be sealed at once."""
    from tallywatt.adapters.certificates import authority  # cryptography, which no start needs

    return authority.make_authority(name, years, now)


def message_schema(protocol: str, name: str) -> dict[str, Any]:
    """The official schema of a message to stations."""
    from tallywatt.adapters.ocpp import messages  # as above

    return messages.schema_of(protocol, name)


def audit_beside(settings: Settings, operator: str) -> AuditReport:
    """Audit an operator beside a running server, on a connection that can only read."""
    from tallywatt.adapters.storage.evidence import audit  # only the audit needs it

    vault = keyring_of(settings).vault()
    with looking(settings) as ask:
        report: AuditReport = ask(lambda connection: audit(connection, vault, operator))
        return report


def _audit_into(settings: Settings, operator: str, answer: Any) -> None:
    """What the process of an audit does; whatever goes wrong is told in words."""
    os.nice(AUDIT_NICENESS)
    try:
        result: AuditReport | str = audit_beside(settings, operator)
    except Exception as error:  # noqa: BLE001  # whatever it is, it must reach who waits for it
        result = f"{type(error).__name__}: {error}"
    answer.send(result)


def read_file(settings: Settings, kind: ImportKind, path: Path, user_is: UserIs) -> ReadUpload:
    """The rows of a file for the command line, read as those of an upload are."""
    from tallywatt.adapters.imports.read import content_of_file  # only an import needs it
    from tallywatt.adapters.imports.upload import read_upload

    def key_hash(key: str) -> str:
        return hash_key(key, station_pepper(settings))

    return read_upload(kind, content_of_file(path), path.name, user_is, key_hash)


def columns() -> Any:
    """What translates Arrow and its files; it belongs to an extra that not everybody installs."""
    try:
        from tallywatt.adapters.columns import arrow, files  # only who prices files of columns pays for it
    except ImportError as error:
        msg = f"files of columns need parts that are not installed ({error.name})"
        raise BadInput(
            msg, code="batch.not_installed", remedy='install them: pip install "tallywatt[batch]"'
        ) from error
    return SimpleNamespace(
        is_columns=files.is_columns,
        batches=files.batches,
        written=files.written,
        records_of_batch=arrow.records_of_batch,
        batch_of_prices=arrow.batch_of_prices,
    )


def back_up(settings: Settings, path: Path, passphrase: str | None) -> Any:
    """Write an archive of the installation, beside whatever runs on it; what is in it."""
    from importlib.metadata import version

    from tallywatt.adapters.storage import safekeeping  # only a backup needs it

    key = settings.known_key()
    if key is None:
        msg = "there is no installation here"
        raise NotFound(msg, code="backup.nothing", remedy="check TALLYWATT_DATA_DIR and TALLYWATT_DATABASE_URL")
    draw = WorldDraws().draw()
    sealing = None if passphrase is None else safekeeping.Sealing(passphrase, draw.seed)
    return safekeeping.back_up(
        settings.url, path, key=key, version=version("tallywatt"), now=draw.machine, sealing=sealing
    )


def bring_back(settings: Settings, path: Path, passphrase: str | None) -> tuple[Any, int]:
    """Fill this empty place from an archive; what was in it, and how many operators came back."""
    from tallywatt.adapters.storage import safekeeping  # only a return needs it

    place = safekeeping.Place(
        url=settings.url,
        key=settings.known_key(),
        keep_key=lambda key: settings.known_key() or settings.keep_key(key),
        unfinished=settings.unfinished_restore,
        keyring=lambda url, key: _open_keyring(url, key, settings),
        draw=WorldDraws().draw,
    )
    return safekeeping.bring_back(path, place, passphrase)


def traces_of(
    account: Mapping[str, Any],
    since: int,
    unfinished: list[dict[str, Any]],
    settings: Settings,
    told: Iterable[Any] | None = None,
) -> list[Any]:
    """What an account's provider knows of payments that were on their way, and of all since a time."""
    from tallywatt.adapters.providers import comparing  # only after a return
    from tallywatt.payments.provider import Enquiry

    enquiries = [
        Enquiry(
            one["id"],
            Instant(one["created_ms"]),
            one["provider_ref"],
            one["page_ref"],
            reader_ref=one["reader_ref"],
            presented_by=one["presented_by"],
        )
        for one in unfinished
    ]
    return comparing.traces_of(provider_of(account, settings), Instant(since), enquiries, told)


def statement_of(content: bytes) -> tuple[Any, ...]:
    """The lines of a bank's statement."""
    from tallywatt.adapters.banking import camt  # files of banks come once a day

    return camt.lines_of(content)


def debit_file_of(batch: Any, asked: Any) -> bytes:
    """The file of a batch of direct debits, for the bank."""
    from tallywatt.adapters.banking import pain  # files for banks are made once a day

    return pain.debit_file(batch, asked)


def statuses_of(content: bytes) -> tuple[Any, ...]:
    """What a bank's report says of direct debits."""
    from tallywatt.adapters.banking import pain  # files of banks come once a day

    return pain.statuses_of(content)


def evidence_pdf_of(told: dict[str, Any]) -> bytes:
    """The evidence about a disputed payment, for a bank."""
    from tallywatt.adapters.documents.evidence import evidence_pdf  # disputes are few, and typst takes a while to load

    return evidence_pdf(told)


def report_of(account: Mapping[str, Any], contents: tuple[bytes, ...], settings: Settings) -> Any:
    """What files of an account tell: one about settlements, or all those about payments together."""
    from tallywatt.payments.report import SettlesByFile

    provider = provider_of(account, settings)
    if not isinstance(provider, SettlesByFile):
        msg = f"{account['provider']} is asked, and writes no files"
        raise BadInput(msg, code="report.not_by_file", remedy="run it without --report for this account")
    return provider.read_report(contents[0]) if len(contents) == 1 else provider.read_reports(contents)


def provider_of(account: Mapping[str, Any], settings: Settings | None = None) -> PaymentProvider:
    """The provider behind an account as a view shows it: for the command line, which stores methods there."""

    def secret_behind(reference: str) -> str:
        if settings is None or not reference.startswith(SEALED_HERE):
            return read_secret(reference)
        with looking(settings) as ask:
            return _opened(ask, reference, keyring_of(settings).vault())

    return Providers(secret_behind, settings.base_url if settings is not None else None)(
        ProviderAccount(
            account_id=ProviderAccountId(account["id"]),
            name=account["name"],
            provider=account["provider"],
            live=account["live"],
            base_url=account["base_url"],
            currencies=tuple(account["currencies"]),
            secret_reference=account["secret_reference"],
            webhook_secret_references=tuple(account["webhook_secret_references"]),
            is_default=account["is_default"],
            created_at=Instant(0),
            closed_at=None,
            merchant=account.get("merchant"),
            report_user=account.get("report_user"),
            report_secret_reference=account.get("report_secret_reference"),
        )
    )


def letter_secret(secret: bytes, thing_id: str) -> str:
    """The secret of a link that is sent by letter: made again from its id by whoever writes the letter, and kept nowhere."""
    digest = hashlib.blake2b(f"letter/{thing_id}".encode(), key=secret, digest_size=32).digest()
    return base64.b32encode(digest).decode().rstrip("=")


def sign_in_code(secret: bytes, link_id: str) -> str:
    """The six digits that come with a sign-in link, for a browser on another device."""
    digest = hashlib.blake2b(f"code/{link_id}".encode(), key=secret, digest_size=8).digest()
    return f"{int.from_bytes(digest, 'big') % 1_000_000:06d}"


def link_secret(settings: Settings, thing_id: str) -> str:
    """The same for the command line, which has no house."""
    return letter_secret(keyring_of(settings).signatures, thing_id)


def station_pepper(settings: Settings) -> bytes:
    """What the keys of stations are hashed with."""
    return keyring_of(settings).stations


def keyring_of(settings: Settings) -> Keyring:
    """The keys of an installation, opened with its master key; made when there are none yet."""
    known = settings.known_key()
    try:
        return _open_keyring(settings.url, known, settings)
    except Broken as error:
        if error.code != "keys.wrong" or settings.master_key is not None or not settings.next_key_file.exists():
            raise
        # A change of the master key was broken off after the database had the new one: it is finished here.
        ring = _open_keyring(settings.url, settings.next_key(), settings)
        settings.next_key_file.replace(settings.key_file)
        return ring


def _open_keyring(url: str, known: bytes | None, settings: Settings) -> Keyring:
    return open_keyring(url, known, settings.key, secrets.token_bytes, MachineClock().now())


def _opened(ask: Callable[..., Any], reference: str, vault: Vault) -> str:
    secret: str | None = ask(Views.opened_secret, reference.removeprefix(SEALED_HERE), vault)
    if not secret:
        msg = f"the secret {reference} is not there"
        raise Broken(msg, code="payment.secret_missing", remedy="keep it again: tallywatt secrets put NAME")
    return secret


def change_master_key(settings: Settings, new: bytes | None) -> int:
    """Put all keys under a new master key; how many data keys were wrapped anew. No server may run meanwhile.

    Where the key has a file, a new one is made and put in its place: first beside it, then the database, then the file.
    Whatever is interrupted, one of both opens what is there.
    """
    if settings.known_key() is None:
        msg = "there is no master key here"
        raise NotFound(msg, code="keys.missing", remedy="check TALLYWATT_DATA_DIR")
    require_current(settings.url)
    lock = take_write_lock(settings.url) if settings.url.startswith("sqlite:") else None
    try:
        keyring_of(settings)
        old = settings.key()
        fresh = new if new is not None else secrets.token_bytes(KEY_BYTES)
        if settings.master_key is None:
            write_key(settings.key_file, fresh).replace(settings.next_key_file)
        count = rotate(settings.url, old, fresh, secrets.token_bytes, MachineClock().now())
        if settings.master_key is None:
            settings.next_key_file.replace(settings.key_file)
        return count
    finally:
        if lock is not None:
            lock.close()


def machine_now() -> Instant:
    """Machine time, for the command line."""
    return MachineClock().now()


def business_time(anchor: BusinessAnchor) -> Instant:
    """Business time now, for a command that only looks."""
    return WorldDraws(lambda: anchor).draw().business


def fresh_id(name: str) -> str:
    """An id for something that has no unit of work yet: an operator."""
    return WorldDraws().draw().id(name)
