"""The gateway: listens, lets stations in, keeps watch over their sockets, and carries commands to them."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from picows import (
    WSCloseCode,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

from tallywatt.adapters.ocpp import rpc, schemas, v16
from tallywatt.adapters.ocpp.connection import Connection, Intake, Surroundings, Visitor
from tallywatt.adapters.ocpp.handover import Handover
from tallywatt.adapters.ocpp.logbook import Logbook
from tallywatt.adapters.ocpp.messages import DIALECTS, unfit
from tallywatt.adapters.ocpp.outgoing import Ask
from tallywatt.adapters.ocpp.registry import Registry, Seen
from tallywatt.adapters.ocpp.saying import NO_ANSWER, NOT_CONNECTED
from tallywatt.adapters.ocpp.tls import Shield
from tallywatt.adapters.ocpp.upgrade import Address, address_of, basic_key, chosen_protocol, put_right
from tallywatt.kernel.errors import BadInput, Broken, Busy
from tallywatt.stations.certificates import BASIC, MUTUAL_TLS, TLS
from tallywatt.stations.command import Action
from tallywatt.stations.credentials import StationCredential, hash_key, opens
from tallywatt.stations.key_change import HIDES, without
from tallywatt.stations.messages import NEWEST
from tallywatt.stations.station import StationState
from tallywatt.workflows.keep_tariff import Returned
from tallywatt.workflows.move_profile import ProfileShown
from tallywatt.workflows.ports import LinkAnswer
from tallywatt.workflows.replace_key import KeyShown

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tallywatt.adapters.ocpp.facts import Dialect
    from tallywatt.kernel.clock import Clock
    from tallywatt.kernel.measures import Spread
    from tallywatt.stations.command import StationCommand
    from tallywatt.stations.credentials import Directory
    from tallywatt.workflows.ports import Writer

log = structlog.get_logger(__name__)

# An adapter instead of a logger: picows would make a child logger for every connection.
_SOCKET_LOG: logging.LoggerAdapter[logging.Logger] = logging.LoggerAdapter(
    logging.getLogger("tallywatt.ocpp.socket"), {}
)
_SOCKET_LOG.setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """What an operator may tune."""

    default_protocol: str = v16.PROTOCOL
    """Spoken with a station that names no subprotocol."""
    ping_after_seconds: float = 60.0
    """A station that was silent for so long is pinged."""
    silence_seconds: float = 120.0
    """A station that was silent for so long, also to the ping, is gone."""
    handshake_seconds: float = 10.0
    most_quarantined: int = 100
    """Sockets of unknown stations that are open at once."""
    largest_message: int = rpc.LARGEST_MESSAGE
    plain_is_shielded: bool = False
    """The plain port lies behind a proxy that ends TLS: what comes through it counts as security profile 2."""
    keeps_log: bool = False
    """Every message, both ways, goes into the message log."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Where the gateway listens with TLS, and what it shows."""

    port: int
    certificate: Path
    key: Path
    authorities: Callable[[], Iterable[str]] = tuple
    """Certificates of those who vouch for stations, in PEM; asked for again and again."""


class Gateway:
    """The OCPP-J server of one process. Ported as `workflows.ports.StationLink`."""

    def __init__(
        self,
        writer: Writer,
        intake: Intake,
        directory: Directory,
        clock: Clock,
        pepper: bytes,
        options: GatewayOptions | None = None,
    ) -> None:
        self._writer = writer
        self._intake = intake
        self._directory = directory
        self._clock = clock
        self._pepper = pepper
        self._options = options or GatewayOptions()
        self._registry: Registry[Connection] = Registry()
        self._servers: list[asyncio.Server] = []
        self._shield: Shield | None = None
        self._logbook = Logbook(writer) if self._options.keeps_log else None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._around: Surroundings | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._stopping = False
        self._numbers = count(1)

    # --- start and stop ---

    def live_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on everything happens on this loop, and answers are given through it."""
        self._loop = loop
        handover = Handover(self._writer, loop)
        self._around = Surroundings(
            self._intake,
            self._clock,
            loop,
            handover,
            self._registry,
            self._options.largest_message,
            self._logbook,
            self._settled,
        )
        if self._logbook is not None:
            self._logbook.live_on(loop)

    async def start(self, host: str = "0.0.0.0", port: int | None = 9000, tls: Tls | None = None) -> None:  # noqa: S104  # stations come from outside
        """Listen, inside the running event loop. Port 0 takes any free one; None: not without TLS."""
        self.live_on(asyncio.get_running_loop())
        if port is not None:
            self._servers.append(await self._listen(host, port, None))
        if tls is not None:
            self._shield = Shield(tls.certificate, tls.key, tls.authorities)
            self._servers.append(await self._listen(host, tls.port, self._shield.context))
        self._keep_watch()

    async def _listen(self, host: str, port: int, context: ssl.SSLContext | None) -> asyncio.Server:
        try:
            return await ws_create_server(
                self._welcome if context is None else self._welcome_shielded,
                host,
                port,
                ssl=context,
                websocket_handshake_timeout=self._options.handshake_seconds,
                max_frame_size=self._options.largest_message,
                read_buffer_init_size=4096,
                enable_auto_pong=False,  # a ping is a sign of life, which the connection wants to see itself
                logger_name=_SOCKET_LOG,
                backlog=2048,  # stations come back all at once
            )
        except OSError as error:
            msg = f"{host}:{port} cannot be opened for stations: {error.strerror}"
            setting = "TALLYWATT_OCPP_PORT" if context is None else "TALLYWATT_OCPP_TLS_PORT"
            remedy = f"stop what listens there, or set {setting} to a free port"
            raise Broken(msg, code="serve.port_taken", remedy=remedy) from error

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._port_of(0)

    @property
    def tls_port(self) -> int:
        """The port with TLS."""
        return self._port_of(-1)

    def _port_of(self, place: int) -> int:
        assert self._servers, "the gateway has not been started"
        port: int = self._servers[place].sockets[0].getsockname()[1]
        return port

    async def stop(self, grace_seconds: float = 5.0) -> None:
        """Take nothing new, answer what is on its way, say goodbye."""
        if not self._servers or self._around is None or self._loop is None:
            return
        self._stopping = True
        for server in self._servers:
            server.close()
        if self._watch is not None:
            self._watch.cancel()
        end = self._loop.time() + grace_seconds
        for one in self._registry.everyone():
            one.hush()
        await self._until(lambda: not any(one.unanswered for one in self._registry.everyone()), end)
        for one in self._registry.everyone():
            one.close(WSCloseCode.GOING_AWAY, "the platform restarts")
        await self._until(lambda: not self._registry.everyone(), end)
        for one in self._registry.everyone():
            one.cut()
        if self._logbook is not None:
            self._logbook.turn_all()
            await self._loop.run_in_executor(None, self._logbook.close)
        self._around.handover.close()
        self._servers = []

    async def _until(self, is_so: Callable[[], bool], end: float) -> None:
        assert self._loop is not None, "only a started gateway stops"
        while self._loop.time() < end and not is_so():  # noqa: ASYNC110  # once in a life; an event would cost every answer
            await asyncio.sleep(0.01)

    # --- who is there ---

    def connected(self) -> frozenset[str]:
        """Ids of the adopted stations that are connected here; from any thread."""
        return self._registry.adopted_ids()

    @property
    def calls(self) -> Spread:
        """How long stations waited for the answer to a CALL that was written down, by action."""
        assert self._around is not None, "measured while it listens"
        return self._around.handover.calls

    @property
    def refusals(self) -> int:
        """How often the writer was busy."""
        return 0 if self._around is None else self._around.handover.refusals

    @property
    def quarantined(self) -> int:
        """Sockets of unknown stations."""
        return self._registry.quarantined

    def seen(self) -> tuple[Seen, ...]:
        """Every connected station and when it was last heard; from any thread."""
        return self._registry.seen()

    @property
    def busy_refusals(self) -> int:
        """How often the writer was busy since the start."""
        return 0 if self._around is None else self._around.handover.refusals

    def disconnect(self, station_id: str) -> None:
        """End a station's socket, so that it comes back and proves itself anew: adopted, retired, another key. Any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._disconnect, station_id)

    def _disconnect(self, station_id: str) -> None:
        connection = self._registry.of(station_id)
        if connection is not None:
            connection.close(WSCloseCode.GOING_AWAY, "please connect again")

    def look_again(self) -> None:
        """Trust an authority that is new at once: a station may come with what it has signed a moment later. Any thread."""
        if self._loop is not None and self._shield is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._shield.look_again)

    def write_down(self, station_id: str) -> bool:
        """What a station has said and heard goes into the message log now, because somebody wants to read it. Blocks.

        False when it takes so long that whoever wants to read should rather see what is there.
        """
        return self._logbook is None or self._logbook.written_down(station_id)

    @property
    def messages_left_out(self) -> int:
        """How many are not in the message log, because it could not keep up."""
        return 0 if self._logbook is None else self._logbook.left_out

    # --- commands ---

    def call(self, station_id: str, command: StationCommand, timeout_seconds: float) -> LinkAnswer:
        """Send a command in the station's own dialect and wait for its answer. Blocks; never called on the event loop."""
        if self._loop is None or self._loop.is_closed():
            return NOT_CONNECTED
        answer: concurrent.futures.Future[LinkAnswer] = concurrent.futures.Future()
        try:
            self._loop.call_soon_threadsafe(self._begin_call, station_id, command, timeout_seconds, answer)
            # The loop ends it in time; the second more is for a loop that has much to do.
            return answer.result(timeout_seconds + 1)
        except concurrent.futures.TimeoutError:
            return NO_ANSWER
        except RuntimeError:
            return NOT_CONNECTED  # the loop was closed in between

    def _begin_call(
        self,
        station_id: str,
        command: StationCommand,
        timeout_seconds: float,
        answer: concurrent.futures.Future[LinkAnswer],
    ) -> None:
        connection = self._registry.of(station_id)
        if connection is None or connection.closing or connection.is_quarantined:
            answer.set_result(NOT_CONNECTED)
            return
        try:
            action, payload = connection.dialect.say(command)
        except (KeyError, TypeError, ValueError) as error:
            answer.set_result(LinkAnswer("rejected", str(error)))
            return
        problem = unfit(connection.dialect, action, payload) if command.action is Action.MESSAGE else None
        if problem is not None:
            answer.set_result(LinkAnswer("rejected", problem))
            return
        message_id = f"{self._clock.now():x}-{next(self._numbers)}"
        secret = str(command.payload.get(HIDES, "")) if command.action is Action.MESSAGE else ""
        if secret:
            connection.hide(secret)
        ask = Ask(
            message_id,
            rpc.request(message_id, action, msgspec.json.encode(payload)),
            lambda told: _tell(answer, _without(secret, told)),
            action=action,
            may_be_bare=schemas.may_be_bare(connection.dialect.schemas, action),
            late=lambda told: connection.answered_late(command, _without(secret, told)),
        )
        connection.outgoing.call(ask, timeout_seconds)

    # --- the door ---

    def _welcome(self, request: WSUpgradeRequest) -> Connection | WSUpgradeResponseWithListener:
        return self._answered(request, TLS if self._options.plain_is_shielded else BASIC)

    def _welcome_shielded(self, request: WSUpgradeRequest) -> Connection | WSUpgradeResponseWithListener:
        return self._answered(request, MUTUAL_TLS)

    def _answered(self, request: WSUpgradeRequest, most: int) -> Connection | WSUpgradeResponseWithListener:
        try:
            return self._let_in(request, most)
        except Exception:  # the library would tell the caller what went wrong inside
            log.exception("ocpp.upgrade_failed")
            return _refusal(503, {"Retry-After": "10"})

    def _let_in(self, request: WSUpgradeRequest, most: int) -> Connection | WSUpgradeResponseWithListener:
        address = address_of(request.path)
        if address is None:
            return _refusal(404)
        if self._stopping:
            return _refusal(503, {"Retry-After": "5"})
        put_right(request.headers)
        key = basic_key(request.headers.get("Authorization"), address.identity)
        visitor = self._visitor(address, key, most)
        if isinstance(visitor, WSUpgradeResponseWithListener):
            return visitor
        return self._connection(request, visitor)

    def _visitor(
        self, address: Address, key: bytes | None, most: int = BASIC
    ) -> Visitor | WSUpgradeResponseWithListener:
        """Who it is, or why not. `most`: the highest security profile that this port can be."""
        credential = self._directory.find(address.operator_slug, address.identity)
        if credential is not None and credential.state is StationState.RETIRED:
            return _refusal(404)
        if credential is not None and credential.state is StationState.ADOPTED:
            return self._known(credential, key, most)
        operator = (
            self._directory.operator_for_unknown(address.operator_slug)
            if credential is None
            else credential.operator_id
        )
        if operator is None:
            return _refusal(404)
        if self._registry.quarantined >= self._options.most_quarantined:
            return _refusal(503, {"Retry-After": "300"})

        def find_again() -> StationCredential | None:
            found = self._directory.find(address.operator_slug, address.identity)
            if found is None or key is None or found.state is not StationState.ADOPTED:
                return None
            return found if opens(key, found.key_hash, self._pepper) else None

        return Visitor(operator, address.identity, credential, _hash_of(key, self._pepper), find_again)

    def _known(
        self, credential: StationCredential, key: bytes | None, most: int
    ) -> Visitor | WSUpgradeResponseWithListener:
        """An adopted station: by its certificate, or by its key where that is enough."""
        profile = credential.security_profile
        if profile > most:
            return _refusal(403)
        by_certificate = profile == MUTUAL_TLS or (key is None and bool(credential.certificates))
        if most == MUTUAL_TLS and by_certificate:
            # Which certificate it has shown is known when its socket is open, and nothing is heard before.
            return Visitor(
                credential.operator_id, credential.identity, credential, None, lambda: None, by_certificate=True,
                profile=MUTUAL_TLS,
            )  # fmt: skip
        if key is None or not (opens(key, credential.key_hash, self._pepper) or self._is_next_key(credential, key)):
            return _refusal(401, {"WWW-Authenticate": 'Basic realm="OCPP", charset="UTF-8"'})
        shown = min(most, TLS)
        return Visitor(credential.operator_id, credential.identity, credential, None, lambda: None, profile=shown)

    def _is_next_key(self, credential: StationCredential, key: bytes) -> bool:
        """Whether it shows the key that was sent to it; then that is its key from now on."""
        expected = credential.next_key_hash
        if expected is None or not opens(key, expected, self._pepper):
            return False
        shown = KeyShown(credential.station_id, expected)

        def written(result: object) -> None:
            if isinstance(result, Exception):
                log.warning("ocpp.key_not_noted", identity=credential.identity, problem=type(result).__name__)

        try:
            self._writer.submit(credential.operator_id, self._intake.key_shown, shown, written, actor="gateway")
        except Busy:
            # Both keys open the door until it is written down: its next connection tells again.
            log.info("ocpp.key_not_noted", identity=credential.identity, problem="Busy")
        return True

    def _settled(self, credential: StationCredential, protocol: str, profile: int) -> None:
        """Stations of the newest version are told what they have missed: no boot says that a line has come back."""
        if credential.next_profile is not None and profile:
            self._note_profile(credential, profile)
        if protocol != NEWEST:
            return

        def written(result: object) -> None:
            if isinstance(result, Exception):
                log.warning("ocpp.return_not_noted", identity=credential.identity, problem=type(result).__name__)

        back = Returned(credential.station_id)
        try:
            self._writer.submit(credential.operator_id, self._intake.returned, back, written, actor="gateway")
        except Busy:
            # Its tariffs are looked at each night, too.
            log.info("ocpp.return_not_noted", identity=credential.identity, problem="Busy")

    def _note_profile(self, credential: StationCredential, profile: int) -> None:
        """With which profile a station comes that is being moved to another one."""

        def written(result: object) -> None:
            if isinstance(result, Exception):
                log.warning("ocpp.profile_not_noted", identity=credential.identity, problem=type(result).__name__)

        shown = ProfileShown(credential.station_id, profile)
        try:
            self._writer.submit(credential.operator_id, self._intake.profile_shown, shown, written, actor="gateway")
        except Busy:
            # The old profile stays the least until it is written down: its next connection tells again.
            log.info("ocpp.profile_not_noted", identity=credential.identity, problem="Busy")

    def _connection(self, request: WSUpgradeRequest, visitor: Visitor) -> Connection | WSUpgradeResponseWithListener:
        assert self._around is not None, "only a started gateway has visitors"
        offers = request.headers.getall("Sec-WebSocket-Protocol", [])
        chosen = chosen_protocol(offers, DIALECTS)
        preferred = None if visitor.credential is None else visitor.credential.preferred_protocol
        if preferred is not None:
            chosen = chosen_protocol(offers, [preferred]) or chosen
        name, spelling = chosen or (preferred or self._options.default_protocol, None)
        refused = chosen is None and any(offer.strip() for offer in offers)
        dialect: Dialect = DIALECTS[name]
        connection = Connection(self._around, dialect, visitor, refused_protocol=refused)
        if spelling is None:
            return connection
        response = WSUpgradeResponse.create_101_response({"Sec-WebSocket-Protocol": spelling})
        return WSUpgradeResponseWithListener(response, connection)

    # --- the watch ---

    def _keep_watch(self) -> None:
        """Ping the silent, cut off the dead. One timer for all sockets is lighter than a task for each."""
        assert self._loop is not None, "only a started gateway keeps watch"
        now = self._loop.time()
        for one in self._registry.everyone():
            silent = now - one.heard_at
            if silent > self._options.silence_seconds:
                one.cut()
            elif silent > self._options.ping_after_seconds and not one.pinged:
                one.ping()
        if self._shield is not None:
            self._shield.look_again()
        self._watch = self._loop.call_later(self._options.ping_after_seconds / 4, self._keep_watch)


def _without(secret: str, told: LinkAnswer) -> LinkAnswer:
    """The answer without what was sent: some repeat in their refusal what they refuse."""
    if not secret:
        return told
    return LinkAnswer(told.outcome, without(secret, told.detail), without(secret, told.told))


def _refusal(status: int, headers: dict[str, str] | None = None) -> WSUpgradeResponseWithListener:
    response: Any = WSUpgradeResponse.create_error_response(status, None, headers)
    return WSUpgradeResponseWithListener(response, None)


def _hash_of(key: bytes | None, pepper: bytes) -> str | None:
    try:
        return None if key is None else hash_key(key, pepper)
    except BadInput:
        return None


def _tell(answer: concurrent.futures.Future[LinkAnswer], told: LinkAnswer) -> None:
    if not answer.done():
        answer.set_result(told)
