"""One socket of one station: frames in, facts to the writer, answers out after the commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from tallywatt.adapters.ocpp import rpc, schemas
from tallywatt.adapters.ocpp.facts import Fact, Incoming, heartbeat
from tallywatt.adapters.ocpp.handover import Handover, Line, Submission
from tallywatt.adapters.ocpp.outgoing import Outgoing
from tallywatt.adapters.ocpp.reading import LONGEST_TEXT, SCHEMA, NoObject
from tallywatt.adapters.ocpp.registry import Registry, Seen
from tallywatt.adapters.ocpp.tls import shown_certificate
from tallywatt.kernel.errors import Busy, TallywattError
from tallywatt.metering.facts import BootAnswer
from tallywatt.stations.credentials import Knocked, StationCredential
from tallywatt.stations.station import StationState
from tallywatt.stations.traffic import Direction
from tallywatt.workflows.certify import hear_signing_request
from tallywatt.workflows.close_gap import hear_answer
from tallywatt.workflows.command_station import CommandAnswered
from tallywatt.workflows.hear_notice import hear_notice
from tallywatt.workflows.hear_report import hear_report, hear_security_event
from tallywatt.workflows.keep_reservation import hear_reservation_update
from tallywatt.workflows.keep_tariff import tariffs_after_return
from tallywatt.workflows.move_profile import profile_shown
from tallywatt.workflows.replace_key import key_shown
from tallywatt.workflows.settle_terminal import settle_terminal

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    import msgspec

    from tallywatt.adapters.ocpp.facts import Dialect
    from tallywatt.adapters.ocpp.logbook import Logbook, Page
    from tallywatt.kernel.clock import Clock
    from tallywatt.kernel.identity import OperatorId, StationId
    from tallywatt.metering.facts import (
        Booted,
        Noticed,
        Reported,
        ReservationTold,
        Sampled,
        SecurityTold,
        SigningAsked,
        Started,
        StatusChanged,
        Stopped,
        TerminalSettled,
        TokenAnswer,
        TokenShown,
        TransactionAnswer,
        Unreadable,
    )
    from tallywatt.stations.command import StationCommand
    from tallywatt.stations.key_change import KeyChange
    from tallywatt.stations.profile_change import ProfileChange
    from tallywatt.workflows.keep_tariff import Returned
    from tallywatt.workflows.move_profile import ProfileShown
    from tallywatt.workflows.ports import LinkAnswer, UnitOfWork
    from tallywatt.workflows.replace_key import KeyShown

log = structlog.get_logger(__name__)

MOST_UNANSWERED = 32
"""Calls of one station on their way through the writer; beyond that its socket is not read. OCPP allows a station one."""
MOST_HELD = 16
"""Messages that a station in quarantine may send before its knock is written down."""
PATIENCE_SECONDS = 15.0
"""How long a message without money or energy waits for a busy writer before it gets an InternalError."""
BOOT_AGAIN_SECONDS = 30
"""When a station boots again whose boot could not be written down."""
CLOSING_SECONDS = 1.0
"""How long a station has to close its side after we have closed ours."""
_MESSAGE = (WSMsgType.TEXT, WSMsgType.BINARY)
_TEXT = WSMsgType.TEXT


@dataclass(frozen=True, slots=True)
class Intake:
    """The workflows that take in what stations tell."""

    boot: Callable[[UnitOfWork, Booted], BootAnswer]
    status: Callable[[UnitOfWork, StatusChanged], None]
    authorize: Callable[[UnitOfWork, TokenShown], TokenAnswer]
    start: Callable[[UnitOfWork, Started], TransactionAnswer]
    sample: Callable[[UnitOfWork, Sampled], TransactionAnswer | None]
    stop: Callable[[UnitOfWork, Stopped], TransactionAnswer]
    unreadable: Callable[[UnitOfWork, Unreadable], TransactionAnswer | None]
    """For a StartTransaction of 1.6 it must give an answer with a transaction id: nothing else acknowledges one."""
    knock: Callable[[UnitOfWork, Knocked], StationCredential | None]
    report: Callable[[UnitOfWork, Reported], None] = hear_report
    security: Callable[[UnitOfWork, SecurityTold], None] = hear_security_event
    notice: Callable[[UnitOfWork, Noticed], None] = hear_notice
    sign: Callable[[UnitOfWork, SigningAsked], bool] = hear_signing_request
    answer: Callable[[UnitOfWork, CommandAnswered], StationCommand] = hear_answer
    """An answer that came after nobody waited for it any more."""
    reservation: Callable[[UnitOfWork, ReservationTold], None] = hear_reservation_update
    settle: Callable[[UnitOfWork, TerminalSettled], None] = settle_terminal
    key_shown: Callable[[UnitOfWork, KeyShown], KeyChange | None] = key_shown
    returned: Callable[[UnitOfWork, Returned], int] = tariffs_after_return
    profile_shown: Callable[[UnitOfWork, ProfileShown], ProfileChange | None] = profile_shown


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every connection of a gateway shares."""

    intake: Intake
    clock: Clock
    loop: asyncio.AbstractEventLoop
    handover: Handover
    registry: Registry[Connection]
    largest_message: int
    logbook: Logbook | None = None
    """None: no message log is kept."""
    settled: Callable[[StationCredential, str, int], None] | None = None
    """Told of every adopted station that has connected, and in which version."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who has knocked, as far as the upgrade request says."""

    operator_id: OperatorId
    identity: str
    credential: StationCredential | None
    """None: nobody knows this station yet."""
    key_hash: str | None
    """Of the key that it showed."""
    find_again: Callable[[], StationCredential | None]
    """The credential now, if it was adopted meanwhile and the key shown opens it."""
    by_certificate: bool = False
    """It must have shown a certificate that is its own; without one its socket is closed before anything is heard."""
    profile: int = 0
    """The security profile with which it comes; 0: nobody has looked."""

    @property
    def is_adopted(self) -> bool:
        """Whether it was let in by its key."""
        return self.credential is not None and self.credential.state is StationState.ADOPTED


class Question(NamedTuple):
    """A CALL as it came."""

    text: bytes
    message_id: str
    reply_id: str | bytes
    """The id for the answer; in bytes, as the station wrote it, when the frame is not well formed."""
    action: str


class Connection(WSListener):
    """One socket."""

    __slots__ = (
        "_around",
        "_connected_at",
        "_dialect",
        "_fragments",
        "_fragments_size",
        "_held",
        "_hushed",
        "_last_heard_at",
        "_line",
        "_outgoing",
        "_page",
        "_quarantined",
        "_reading_paused",
        "_refused_protocol",
        "_remote_address",
        "_transport",
        "_visitor",
        "closing",
        "heard_at",
        "operator_id",
        "pinged",
        "station_id",
        "unanswered",
    )

    def __init__(
        self, around: Surroundings, dialect: Dialect, visitor: Visitor, *, refused_protocol: bool = False
    ) -> None:
        self._around = around
        self._dialect = dialect
        self._visitor = visitor
        self._refused_protocol = refused_protocol
        self._transport: WSTransport | None = None
        self._line = Line(around.handover)
        self._outgoing: Outgoing | None = None
        self._page: Page | None = None
        self._fragments: list[bytes] | None = None
        self._fragments_size = 0
        self._held: list[bytes] | None = None
        self._quarantined = not visitor.is_adopted
        self._reading_paused = False
        self._hushed = False
        self._remote_address = ""
        self._connected_at = self._last_heard_at = around.clock.now()
        self.heard_at = around.loop.time()
        self.pinged = False
        self.closing = False
        self.unanswered = 0
        self.operator_id = visitor.operator_id
        self.station_id: StationId | None = None

    # --- what the socket tells ---

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The upgrade is done."""
        self._transport = transport
        peer = transport.underlying_transport.get_extra_info("peername")
        self._remote_address = str(peer[0]) if peer else ""
        if self._refused_protocol:
            # OCPP-J: answer the handshake without a subprotocol, then close at once.
            self.close(WSCloseCode.PROTOCOL_ERROR, "no subprotocol that is spoken here")
            return
        if self._visitor.by_certificate and not self._has_shown_its_own(transport):
            log.warning("ocpp.no_certificate", identity=self._visitor.identity)
            self.close(WSCloseCode.POLICY_VIOLATION, "a certificate of this station is needed")
            return
        self._around.registry.arrive(self, quarantined=self._quarantined)
        credential = self._visitor.credential
        if credential is not None and (not self._quarantined or self._same_key(credential)):
            self._settle_in(credential)
        else:
            self._held = []
            self._line.send(_Knock(self, self._visitor))

    def _has_shown_its_own(self, transport: WSTransport) -> bool:
        credential = self._visitor.credential
        shown = shown_certificate(transport.underlying_transport.get_extra_info("ssl_object"))
        if credential is None or shown is None:
            return False
        name, fingerprint = shown
        return name == credential.identity and fingerprint in credential.certificates

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame; whatever happens with it, no exception leaves here, for it would end the socket."""
        try:
            self._take_frame(transport, frame)
        except Exception:  # a bug in the handling of one message must not cut off the station
            log.exception("ocpp.frame_failed", identity=self._visitor.identity)

    def on_ws_disconnected(self, _: WSTransport) -> None:
        """The socket is gone. What is on its way to the writer stays there."""
        self.closing = True
        self._around.registry.leave(self)
        if self._outgoing is not None:
            self._outgoing.lost()
        if self._page is not None and self._around.logbook is not None:
            self._around.logbook.turn(self._page)

    def pause_writing(self) -> None:
        """The station does not take our answers: do not hear its questions until it does."""
        self._pause_reading()

    def resume_writing(self) -> None:
        """The station has caught up."""
        if self.unanswered < MOST_UNANSWERED:
            self._resume_reading()

    # --- frames to messages ---

    def _take_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self.heard_at = self._around.loop.time()
        self._last_heard_at = self._around.clock.now()
        self.pinged = False
        if self.closing and frame.msg_type != WSMsgType.CLOSE:
            return
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            # Compression was not agreed on: nothing of ours sets these bits.
            self.close(WSCloseCode.PROTOCOL_ERROR, "no extension was agreed on")
            return
        kind = frame.msg_type
        if kind in _MESSAGE and frame.fin and self._fragments is None:
            self._take_text(frame.get_payload_as_bytes())
        elif kind in _MESSAGE or kind == WSMsgType.CONTINUATION:
            self._take_fragment(frame, first=kind != WSMsgType.CONTINUATION)
        elif kind == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif kind == WSMsgType.CLOSE:
            self.close(WSCloseCode.OK)
            transport.disconnect()

    def _take_fragment(self, frame: WSFrame, *, first: bool) -> None:
        if first is (self._fragments is not None):
            self.close(WSCloseCode.PROTOCOL_ERROR, "fragments out of order")
            return
        if self._fragments is None:
            self._fragments, self._fragments_size = [], 0
        self._fragments.append(frame.get_payload_as_bytes())
        # Each fragment counts for something, so that a million empty ones do not slip through.
        self._fragments_size += frame.payload_size + 1
        if self._fragments_size > self._around.largest_message:
            self._fragments = None
            self.close(WSCloseCode.MESSAGE_TOO_BIG, "the message is larger than 1 MiB")
        elif frame.fin:
            text, self._fragments = b"".join(self._fragments), None
            self._take_text(text)

    # --- messages ---

    def _take_text(self, text: bytes) -> None:
        if self._held is not None:
            self._hold(text)
            return
        if self._page is not None:
            self._page.note(self._last_heard_at, Direction.IN, text)
        match rpc.read(text):
            case rpc.Call(message_id, action, payload):
                self._take_call(Question(text, message_id, message_id, action), payload)
            case rpc.CallResult() | rpc.CallError() as answer:
                self._take_answer(answer)
            case rpc.Send(message_id, action, payload):
                self._take_send(Question(text, message_id, message_id, action), payload)
            case rpc.CallResultError(message_id, code):
                log.warning(
                    "ocpp.answer_not_understood",
                    identity=self._visitor.identity,
                    message_id=message_id[:LONGEST_TEXT],
                    code=code[:LONGEST_TEXT],
                )
            case rpc.Broken() as broken:
                self._take_broken(text, broken)

    def _take_answer(self, answer: rpc.CallResult | rpc.CallError) -> None:
        taken = None if self._outgoing is None else self._outgoing.take(answer)
        if taken is None:
            log.info("ocpp.late_answer_dropped", identity=self._visitor.identity)
        elif taken.outcome == "no_answer" and self._dialect.answers_bad_results:
            self.send(rpc.bad_result(answer.message_id, self._dialect.malformed, "this answers nothing"))

    def _take_send(self, told: Question, payload: msgspec.Raw) -> None:
        """What wants no answer gets none, whatever it is. Money and energy that come this way are taken all the same."""
        make = self._dialect.facts.get(told.action)
        if self._quarantined or not self._dialect.sends or make is None or told.action not in self._dialect.weighty:
            log.info("ocpp.send_taken", identity=self._visitor.identity, action=told.action[:LONGEST_TEXT])
            return
        incoming = self._incoming(told)
        self._submit(_Answering(self, incoming, make(incoming, payload), None))

    def _take_call(self, asked: Question, payload: msgspec.Raw) -> None:
        if self._quarantined and not self._may_in_quarantine(asked):
            return
        if asked.action == "Heartbeat":
            self.send(rpc.answer(asked.reply_id, heartbeat(self._around.clock.now())))
            return
        make = self._dialect.facts.get(asked.action)
        if make is None:
            self._answer_at_once(asked, payload)
            return
        broken = (
            schemas.violation(self._dialect, asked.action, payload) if asked.action in self._dialect.checked else None
        )
        if broken is not None:
            self.send(rpc.refusal(asked.reply_id, *broken))
            return
        incoming = self._incoming(asked)
        try:
            fact = make(incoming, payload)
        except NoObject:
            why = "what it must say is missing or cannot be read"
            self.send(rpc.refusal(asked.reply_id, self._dialect.malformed, why))
            return
        self._submit(_Answering(self, incoming, fact, asked.reply_id))

    def _answer_at_once(self, asked: Question, payload: msgspec.Raw) -> None:
        dialect = self._dialect
        constant = dialect.at_once.get(asked.action)
        if constant is None:
            known = schemas.knows(dialect, asked.action)
            self.send(rpc.refusal(asked.reply_id, "NotSupported" if known else "NotImplemented"))
            return
        broken = schemas.violation(dialect, asked.action, payload)
        self.send(rpc.answer(asked.reply_id, constant) if broken is None else rpc.refusal(asked.reply_id, *broken))

    def _take_broken(self, text: bytes, broken: rpc.Broken) -> None:
        """A message that is not well formed: with money or energy in it, it is kept; else the station hears why not."""
        dialect = self._dialect
        if broken.kind == rpc.CALL and broken.id_text is not None:
            asked = Question(text, broken.message_id, broken.id_text, broken.action or "")
            if broken.payload is not None:
                self._take_call(asked, broken.payload)
            elif asked.action not in dialect.weighty:
                self.send(rpc.refusal(broken.id_text, dialect.no_message, "this is not a message of OCPP-J"))
            elif not self._quarantined:
                incoming = self._incoming(asked)
                fact = dialect.unreadable(incoming, "it is not JSON", None)
                self._submit(_Answering(self, incoming, fact, asked.reply_id))
        elif broken.kind in (rpc.CALL_RESULT, rpc.CALL_ERROR):
            if self._outgoing is None or not self._outgoing.spoil(broken.message_id):
                log.info("ocpp.unreadable_answer_dropped", identity=self._visitor.identity)
            elif broken.kind == rpc.CALL_RESULT and dialect.answers_bad_results:
                self.send(rpc.bad_result(broken.message_id, dialect.no_message, "this is not a message of OCPP-J"))
        elif broken.kind in (None, rpc.CALL) and dialect.answers_unknown_id:
            self.send(rpc.refusal(rpc.UNKNOWN_ID, dialect.no_message, "this is not a message of OCPP-J"))
        else:
            # A SEND is never answered, and any other type is nobody's. The socket stays.
            log.info("ocpp.message_ignored", identity=self._visitor.identity, type=broken.kind)

    def _incoming(self, asked: Question) -> Incoming:
        assert self.station_id is not None, "messages are held until the station has an id"
        message_id = asked.message_id[:LONGEST_TEXT]
        noticed = (SCHEMA,) if isinstance(asked.reply_id, bytes) else ()
        return Incoming(
            self.station_id, self._dialect.protocol, asked.action, message_id, asked.text, self._last_heard_at, noticed
        )

    def _submit(self, submission: Submission) -> None:
        self.unanswered += 1
        self._line.send(submission)
        if self.unanswered >= MOST_UNANSWERED:
            self._pause_reading()

    def submit_again(self, submission: Submission) -> None:
        """Hand another command in, in place of one that failed; it counts as the same question."""
        self._line.send(submission)

    # --- the quarantine ---

    def _same_key(self, credential: StationCredential) -> bool:
        return credential.key_hash == self._visitor.key_hash

    def _hold(self, text: bytes) -> None:
        assert self._held is not None, "only called while messages are held"
        if len(self._held) >= MOST_HELD:
            self.close(WSCloseCode.TRY_AGAIN_LATER, "too much before the boot was answered")
            return
        self._held.append(text)

    def knocked(self, credential: StationCredential | None) -> None:
        """The knock is written down: the station has an id, or nobody wants it here."""
        held, self._held = self._held or [], None
        if self.closing:
            return
        if credential is None:
            self.close(WSCloseCode.POLICY_VIOLATION, "not known here")
            return
        self._settle_in(credential)
        for text in held:
            self._take_text(text)

    def _settle_in(self, credential: StationCredential) -> None:
        self.station_id = credential.station_id
        self.operator_id = credential.operator_id
        if self._around.logbook is not None:
            if self._page is not None:
                self._around.logbook.turn(self._page)
            self._page = self._around.logbook.page_of(
                credential.operator_id, credential.station_id, is_known=not self._quarantined
            )
        before = self._around.registry.take_place(credential.station_id, self)
        if before is not None:
            before.close(WSCloseCode.POLICY_VIOLATION, "a newer connection of this station has taken over")
        if self._around.settled is not None and not self._quarantined:
            self._around.settled(credential, self._dialect.protocol, self._visitor.profile)

    def _may_in_quarantine(self, asked: Question) -> bool:
        """Before its adoption a station may boot and be alive. Its facts are not taken, so they are not acknowledged either:
        it keeps them, and tells them when it is accepted.
        """
        if asked.action == "BootNotification":
            self._look_again()
            return True
        if asked.action == "Heartbeat":
            return True
        if asked.action not in self._dialect.weighty:
            self.send(rpc.refusal(asked.reply_id, "SecurityError", "this station has not been adopted yet"))
        return False

    def _look_again(self) -> None:
        adopted = self._visitor.find_again()
        if adopted is not None:
            self._quarantined = False
            self._around.registry.admit(self)
            self._settle_in(adopted)

    @property
    def is_quarantined(self) -> bool:
        """Whether nobody has adopted this station yet."""
        return self._quarantined

    # --- answers and the end ---

    def answered(self) -> None:
        """One question less on its way."""
        self.unanswered -= 1
        if self._reading_paused and self.unanswered <= MOST_UNANSWERED // 2:
            self._resume_reading()

    def send(self, text: bytes) -> None:
        """Send a message, if the socket is still there."""
        if self._transport is not None and not self.closing:
            self._transport.send(_TEXT, text)
            if self._page is not None:
                self._page.note(self._around.clock.now(), Direction.OUT, text)

    @property
    def outgoing(self) -> Outgoing:
        """Our calls to this station."""
        if self._outgoing is None:
            self._outgoing = Outgoing(self._around.loop, self.send)
        return self._outgoing

    def hide(self, secret: str) -> None:
        """From now on this text stands in no log of this socket."""
        if self._page is not None:
            self._page.secret = secret.encode()

    def answered_late(self, command: StationCommand, answer: LinkAnswer) -> None:
        """What a station says to a command of which nobody waits for the answer any more: written down all the same."""
        self._line.send(_Late(self, command, answer))

    def ping(self) -> None:
        """Ask whether it is still there."""
        self.pinged = True
        if self._transport is not None:
            self._transport.send_ping()

    def close(self, code: WSCloseCode, why: str = "") -> None:
        """Say goodbye, and cut the line if the station does not."""
        transport = self._transport
        if transport is None or self.closing:
            return
        self.closing = True
        self._hushed = False
        self._resume_reading()
        transport.send_close(code, why.encode())
        self._around.loop.call_later(CLOSING_SECONDS, transport.underlying_transport.abort)

    def cut(self) -> None:
        """End it without a word: nobody is there."""
        self.closing = True
        if self._transport is not None:
            self._transport.underlying_transport.abort()

    def _pause_reading(self) -> None:
        if self._transport is not None and not self._reading_paused and not self.closing:
            self._reading_paused = True
            self._transport.underlying_transport.pause_reading()

    def hush(self) -> None:
        """Hear nothing new; what is on its way is still answered."""
        self._pause_reading()
        self._hushed = True

    def _resume_reading(self) -> None:
        if self._transport is not None and self._reading_paused and not self._hushed:
            self._reading_paused = False
            self._transport.underlying_transport.resume_reading()

    def seen(self) -> Seen:
        """This station as the snapshot shows it."""
        assert self.station_id is not None, "only stations with an id are in the snapshot"
        return Seen(
            self.station_id,
            self.operator_id,
            self._visitor.identity,
            self._dialect.protocol,
            self._remote_address,
            self._connected_at,
            self._last_heard_at,
        )

    @property
    def around(self) -> Surroundings:
        """What all connections share."""
        return self._around

    @property
    def dialect(self) -> Dialect:
        """The version it speaks."""
        return self._dialect


class _Answering(Submission):
    """A fact on its way through the writer, and its answer on the way back."""

    __slots__ = ("_born_at", "_connection", "_fact", "_incoming", "_is_weighty", "_reply_id", "_second_try")

    def __init__(self, connection: Connection, incoming: Incoming, fact: Fact, reply_id: str | bytes | None) -> None:
        around = connection.around
        super().__init__(around.handover, getattr(around.intake, fact.verb), fact.command)
        self._connection = connection
        self._incoming = incoming
        self._fact = fact
        self._reply_id = reply_id
        self._is_weighty = incoming.action in connection.dialect.weighty
        self._born_at = around.loop.time()
        self._second_try = False

    @property
    def operator(self) -> str:
        return self._connection.operator_id

    @property
    def actor(self) -> str:
        return f"station:{self._incoming.station_id}"

    @property
    def cause(self) -> str:
        return self._incoming.message_id

    def is_too_old(self, now: float) -> bool:
        return not self._is_weighty and now - self._born_at > PATIENCE_SECONDS

    def give_up(self) -> None:
        self._connection.answered()
        self._put_off("too much to do; say it again")

    def settle(self) -> None:
        result = self.result
        if isinstance(result, Exception):
            self._failed(result)
            return
        around = self._connection.around
        around.handover.calls.take(int((around.loop.time() - self._born_at) * 1_000_000), self._incoming.action)
        self._connection.answered()
        if self._connection.is_quarantined and isinstance(result, BootAnswer):
            # The answer of the workflow counts only for a station that has shown its key.
            result = BootAnswer("Pending", result.interval_seconds)
        payload = self._fact.conclude(result, self._connection.around.clock.now())
        if payload is None:
            log.error("ocpp.nothing_to_answer", action=self._incoming.action, station=self._incoming.station_id)
            self._refuse(self._connection.dialect.malformed, "it cannot be read")
        else:
            self._reply(payload)

    def _reply(self, payload: bytes) -> None:
        if self._reply_id is not None:  # nobody waits for an answer to a SEND
            self._connection.send(rpc.answer(self._reply_id, payload))

    def _failed(self, error: Exception) -> None:
        """A workflow that fails is a bug or a broken world. Money and energy then go to the inbox; if even that fails, no
        answer is given, for an acknowledged fact that is nowhere would be lost, and the station will say it again.
        """
        problem = error.code if isinstance(error, TallywattError) else type(error).__name__
        log.error("ocpp.fact_failed", action=self._incoming.action, station=self._incoming.station_id, problem=problem)
        if not self._is_weighty:
            self._connection.answered()
            self._put_off()
        elif self._second_try or isinstance(error, Busy):
            # Nothing is wrong with the fact itself when the disk is full: no inbox could take it in either.
            self._connection.answered()
        else:
            self._second_try = True
            command: Any = self._fact.command
            transaction_id = getattr(command, "transaction_id", None)
            self._fact = self._connection.dialect.unreadable(self._incoming, f"it failed: {problem}", transaction_id)
            self.workflow = self._connection.around.intake.unreadable
            self.command = self._fact.command
            self._connection.submit_again(self)

    def _put_off(self, why: str = "") -> None:
        """Nothing of it has happened. Of a boot the protocol says when to try again; after an error a station may wait
        for ever, with all that it has to tell.
        """
        if self._incoming.action != "BootNotification":
            self._refuse("InternalError", why)
            return
        later = self._fact.conclude(BootAnswer("Pending", BOOT_AGAIN_SECONDS), self._connection.around.clock.now())
        assert later is not None, "a boot is always answered"
        self._reply(later)

    def _refuse(self, code: str, why: str = "") -> None:
        if self._reply_id is not None:
            self._connection.send(rpc.refusal(self._reply_id, code, why))


class _Late(Submission):
    """An answer that came after its time, on its way to its command."""

    __slots__ = ("_born_at", "_connection")

    def __init__(self, connection: Connection, command: StationCommand, answer: LinkAnswer) -> None:
        around = connection.around
        super().__init__(around.handover, around.intake.answer, CommandAnswered(command.command_id, answer))
        self._connection = connection
        self._born_at = around.loop.time()

    @property
    def operator(self) -> str:
        return self._connection.operator_id

    @property
    def actor(self) -> str:
        return f"station:{self._connection.station_id}"

    def is_too_old(self, now: float) -> bool:
        return now - self._born_at > PATIENCE_SECONDS

    def give_up(self) -> None:
        log.warning("ocpp.late_answer_lost", station=self._connection.station_id)

    def settle(self) -> None:
        if isinstance(self.result, Exception):
            log.error("ocpp.late_answer_failed", problem=type(self.result).__name__)


class _Knock(Submission):
    """An unknown station, on its way into the quarantine."""

    __slots__ = ("_born_at", "_connection")

    def __init__(self, connection: Connection, visitor: Visitor) -> None:
        around = connection.around
        knocked = Knocked(visitor.identity, visitor.key_hash, around.clock.now())
        super().__init__(around.handover, around.intake.knock, knocked)
        self._connection = connection
        self._born_at = around.loop.time()

    @property
    def operator(self) -> str:
        return self._connection.operator_id

    @property
    def actor(self) -> str:
        return "station:unknown"

    def is_too_old(self, now: float) -> bool:
        return now - self._born_at > PATIENCE_SECONDS

    def give_up(self) -> None:
        self._connection.close(WSCloseCode.TRY_AGAIN_LATER, "too much to do")

    def settle(self) -> None:
        if isinstance(self.result, Exception):
            log.error("ocpp.knock_failed", problem=type(self.result).__name__)
            self._connection.close(WSCloseCode.TRY_AGAIN_LATER, "the knock could not be written down")
        else:
            self._connection.knocked(self.result)
