"""The simulated provider as a process: its API, its hosted pages, and the switches that make it misbehave."""

from __future__ import annotations

import asyncio
import hashlib
import json
import signal
import time
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from tallywatt.kernel.errors import Broken
from tallywatt.simulators.psp import adyen_reports, afterwards, checkout, disputes, page, payouts, readers, stand
from tallywatt.simulators.psp.adyen import Adyen, psp_of
from tallywatt.simulators.psp.book import Book, Change, Reply
from tallywatt.simulators.psp.call import Call, shown
from tallywatt.simulators.psp.delivery import Delivery
from tallywatt.simulators.psp.dialects import Dialect, Stripe, account_of
from tallywatt.simulators.psp.faults import Fault, Faults
from tallywatt.simulators.psp.intents import close
from tallywatt.simulators.psp.mollie import Mollie
from tallywatt.simulators.psp.options import HOST, Options
from tallywatt.simulators.psp.refusals import (
    Refusal,
    bad_request,
    broken,
    key_in_use,
    key_reused,
    rate_limited,
)
from tallywatt.simulators.psp.settling import Settling
from tallywatt.simulators.psp.wire import Request, Response, serve_connection

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_KEY: Final = 255
BY_ITSELF: Final = (
    "/_change_card",
    "/_correct",
    "/_decide",
    "/_dispute",
    "/_expire_holds",
    "/_invent",
    "/_later",
    "/_lose_capture",
    "/_pay_out",
    "/_readers",
    "/_settling",
    "/_several_captures",
    "/_tap",
)
SWITCHES: Final = ("/_health", "/_faults", *BY_ITSELF)
_BEFORE: Final = frozenset({"hang_up", "refuse", "rate_limit", "error_500"})
_AFTER: Final = frozenset({"lost_answer", "error_500_after_work"})


def machine_seconds() -> int:
    """The simulator's own clock: it stands outside of the house, and has one like any provider."""
    return int(time.time())  # noqa: TID251 - a provider's clock is its own


class Psp:
    """One simulated provider. Requests are carried out one after the other, each on the disk before it is answered."""

    def __init__(self, options: Options, now: Callable[[], int] = machine_seconds) -> None:
        self.options = options
        self._machine = now
        self.ahead = 0
        """By how many seconds its clock goes ahead of the machine's: what the switch `/_later` adds to."""
        self.book = Book(options.state)
        self.faults = Faults(options.faults)
        self.delivery = Delivery(options, self.book, self.faults, now)
        self.port = options.port
        self.settling = Settling()
        self.several_captures = False
        """What support of a provider switches on for an account; here for all of those where it is so."""
        self._in_use: set[tuple[str, str]] = set()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()
        self._reopening: asyncio.Task[None] | None = None
        self._requests = 0
        self._dialects: tuple[Dialect, ...] = (Stripe(), Mollie(), Adyen(options))

    def now(self) -> int:
        """Its own clock."""
        return self._machine() + self.ahead

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    async def start(self) -> None:
        """Listen, and deliver."""
        await self._listen()
        self.delivery.start()

    async def stop(self) -> None:
        """Stop listening and let go of the file."""
        if self._reopening is not None:
            self._reopening.cancel()
        self._hang_up()
        await self.delivery.stop()
        self.book.close()

    async def _listen(self) -> None:
        try:
            self._server = await asyncio.start_server(self._serve, HOST, self.port)
        except OSError as error:
            msg = f"{HOST}:{self.port} cannot be opened: {error.strerror}"
            raise Broken(msg, code="simulate.port_taken", remedy="stop what listens there, or give --port") from error
        self.port = self._server.sockets[0].getsockname()[1]

    def _hang_up(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._connections):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            # Connections that still wait for a request when the process ends are simply let go.
            with suppress(asyncio.CancelledError):
                await serve_connection(reader, writer, self.answer)
        finally:
            self._connections.discard(writer)

    async def answer(self, request: Request) -> Response | None:
        """The answer to any request; None hangs up."""
        dialect = self._dialect_of(request.path)
        if dialect is not None:
            return await self._answer_api(request, dialect)
        if request.path.startswith("/c/pay/"):
            return self._answer_page(request)
        if request.path.startswith(adyen_reports.PREFIX):
            return self._answer_report(request)
        if request.path.startswith(stand.PREFIX):
            return self._answer_reader(request)
        if request.path.startswith("/_"):
            return self._answer_switch(request)
        return _json(404, {"error": {"type": "invalid_request_error", "message": "Unrecognized request URL."}})

    # The API

    def _dialect_of(self, path: str) -> Dialect | None:
        return next((one for one in self._dialects if path.startswith(one.prefix)), None)

    async def _answer_api(self, request: Request, dialect: Dialect) -> Response | None:
        self._requests += 1
        request_id = f"req_{self._requests:014d}"
        fault = self.faults.strike(request.method, request.path, _BEFORE | {"latency"} | _AFTER)
        try:
            account = dialect.account(request)
            key = request.headers.get("idempotency-key") if request.method == "POST" else None
            if fault is not None and fault.kind in ("hang_up", "refuse", "rate_limit"):
                return self._misbehave(dialect, fault, request_id)
            return await self._carry_out_once(dialect, request, account, key, request_id, fault)
        except Refusal as refusal:
            return _refused(dialect, refusal, request_id)

    def _misbehave(self, dialect: Dialect, fault: Fault, request_id: str) -> Response | None:
        if fault.kind == "rate_limit":
            return _refused(dialect, rate_limited(), request_id, ("retry-after", str(fault.seconds)))
        if fault.kind == "refuse":
            self._hang_up()
            self._reopening = asyncio.get_running_loop().create_task(self._reopen(fault.milliseconds / 1000))
        return None

    async def _reopen(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._listen()

    async def _carry_out_once(
        self, dialect: Dialect, request: Request, account: str, key: str | None, request_id: str, fault: Fault | None
    ) -> Response | None:
        if key is None:
            return await self._carry_out(dialect, request, account, None, request_id, fault)
        if len(key) > LONGEST_KEY:
            msg = f"Idempotency keys may be at most {LONGEST_KEY} characters."
            raise bad_request(msg)
        if (account, key) in self._in_use:
            raise key_in_use(key)
        kept = self.book.reply(account, key)
        if kept is not None and self.now() - kept.at < dialect.key_seconds:
            if kept.asked != _asked(request):
                raise key_reused(key)
            headers = dialect.headers(request_id, key, replayed=True)
            return Response(kept.status, kept.body.encode(), dialect.content_type, headers)
        self._in_use.add((account, key))
        try:
            return await self._carry_out(dialect, request, account, key, request_id, fault)
        finally:
            self._in_use.discard((account, key))

    async def _carry_out(
        self, dialect: Dialect, request: Request, account: str, key: str | None, request_id: str, fault: Fault | None
    ) -> Response | None:
        kind = None if fault is None else fault.kind
        if fault is not None and kind == "latency":
            await asyncio.sleep(fault.milliseconds / 1000)
        handler, id_, params = dialect.read(request)
        change = Change(account, self.now())
        call = Call(
            self.book, change, change.at, self.base_url, self.options.hold_seconds, params, id_, key, request_id
        )
        call.settling, call.several_captures = self.settling, self.several_captures
        status, body = dialect.refused(broken())
        if kind != "error_500":
            done = dialect.perform(call, handler)
            if kind != "error_500_after_work":
                status, body = done
        text = "" if body is None else json.dumps(shown(body), indent=2)
        if key is not None and (kind != "error_500" or dialect.keeps_errors):
            change.key, change.reply = key, Reply(change.at, _asked(request), status, text)
        self._commit(change)
        if kind == "lost_answer":
            return None
        return Response(status, text.encode(), dialect.content_type, dialect.headers(request_id, key))

    def _speaker(self, account: str) -> Dialect:
        """Whose words an account speaks: its name begins with them."""
        return next(one for one in self._dialects if account.startswith(one.account_prefix))

    def _commit(self, change: Change) -> None:
        change.events = self._speaker(change.account).tell(self.book, change)
        self.book.commit(change)
        self.delivery.announce(change.events)

    # Report files

    def _answer_report(self, request: Request) -> Response:
        key = adyen_reports.key_behind(request.headers.get("authorization", ""))
        if key is None:
            return Response(401, b"", "text/plain", (("www-authenticate", 'Basic realm="reports"'),))
        change = Change(account_of(Adyen.account_prefix, key), self.now())
        call = Call(self.book, change, change.at, self.base_url, self.options.hold_seconds)
        text = adyen_reports.report(call, request.path, psp_of)
        return Response(404, b"", "text/plain") if text is None else Response(200, text.encode(), "text/csv")

    # The hosted page

    def _answer_page(self, request: Request) -> Response:
        session_id = request.path.removeprefix("/c/pay/")
        account = self.book.account_of(session_id)
        if account is None:
            return _html(404, page.closed({"status": "expired"}))
        change = Change(account, self.now())
        call = Call(self.book, change, change.at, self.base_url, self.options.hold_seconds, id=session_id)
        session = checkout.current_session(call, session_id)
        response = (
            self._show(call, session, request) if session["status"] == "open" else _html(200, page.closed(session))
        )
        self._commit(change)
        return response

    def _show(self, call: Call, session: dict[str, Any], request: Request) -> Response:
        if request.method != "POST":
            return _html(200, page.choose_card(session))
        form = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
        token = form.get("card", "")
        approved = {"yes": True, "no": False}.get(form.get("approve", ""))
        try:
            checkout.pay(call, session, token, approved)
        except checkout.Approval:
            return _html(200, page.approve(session, token))
        except Refusal as refusal:
            if self._speaker(call.account).declined_for_good(call, session):
                back = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
                return Response(303, b"", "text/plain", (("location", back), *page.SECURITY))
            return _html(402, page.choose_card(session, refusal.error["message"]))
        back = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
        return Response(303, b"", "text/plain", (("location", back), *page.SECURITY))

    # A reader, as whoever stands before it sees it

    def _answer_reader(self, request: Request) -> Response:
        id_ = request.path.removeprefix(stand.PREFIX)
        account = self.book.account_of(id_)
        if account is None:
            return _html(404, stand.nobody())
        change = Change(account, self.now())
        call = Call(self.book, change, change.at, self.base_url, self.options.hold_seconds, id=id_)
        if request.method == "POST":
            form = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
            stand.act(call, form)
            self._commit(change)
            back = (("location", request.path), *page.SECURITY)
            return Response(303, b"", "text/plain", back)
        shown_now = stand.show(call)
        self._commit(change)
        return _html(200, shown_now)

    # The switches

    def _answer_switch(self, request: Request) -> Response:
        match request.method, request.path:
            case "GET", "/_health":
                return _json(200, {"ok": True})
            case "GET", "/_faults":
                return _json(200, [asdict(one) for one in self.faults.active])
            case "POST", "/_faults":
                asked = json.loads(request.body or b"[]")
                self.faults.active += [Fault(**one) for one in (asked if isinstance(asked, list) else [asked])]
                return _json(200, [asdict(one) for one in self.faults.active])
            case "DELETE", "/_faults":
                self.faults.active = []
                return _json(200, [])
            case "POST", path if path in BY_ITSELF:
                return _json(200, self._act(path, json.loads(request.body or b"{}")))
            case _:
                return _json(404, {"switches": SWITCHES})

    def _act(self, path: str, asked: dict[str, Any]) -> Any:
        """What the provider does by itself, in every account."""
        if path == "/_expire_holds":
            return {"expired": self._expire_holds()}
        if path == "/_later":
            self.ahead += int(asked["seconds"])
            return {"ahead_seconds": self.ahead}
        if path == "/_settling":
            self.settling = Settling(**asked)
            return asdict(self.settling)
        if path == "/_several_captures":
            self.several_captures = bool(asked["on"])
            return asked
        acts: dict[str, Callable[..., list[dict[str, Any]]]] = {
            "/_pay_out": payouts.pay_out,
            "/_invent": payouts.invent,
            "/_correct": payouts.correct,
            "/_dispute": disputes.open_dispute,
            "/_decide": disputes.decide,
            "/_lose_capture": afterwards.lose_capture,
            "/_change_card": afterwards.change_card,
            "/_readers": readers.set_up,
            "/_tap": readers.tap,
        }
        return self._in_every_account(lambda call: acts[path](call, **asked))

    def _in_every_account(self, do: Callable[[Call], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        """Something that the provider does by itself, for every account."""
        done: list[dict[str, Any]] = []
        for account in self.book.accounts():
            change = Change(account, self.now())
            call = Call(self.book, change, change.at, self.base_url, self.options.hold_seconds)
            call.settling = self.settling
            done += do(call)
            self._commit(change)
        told: list[dict[str, Any]] = shown(done)
        return told

    def _expire_holds(self) -> int:
        """Let every open hold expire, as if its time had passed."""
        count = 0
        for account in self.book.accounts():
            change = Change(account, self.now())
            call = Call(self.book, change, change.at, self.base_url, self.options.hold_seconds)
            held = [one["id"] for one in call.all_of("payment_intent") if one["status"] == "requires_capture"]
            for id_ in held:
                close(call, call.get("payment_intent", id_), "automatic")
            self._commit(change)
            count += len(held)
        return count


def _asked(request: Request) -> str:
    """What a request asks, as far as the same idempotency key must come with the same."""
    asked = f"{request.method} {request.path}\n".encode() + request.body
    return hashlib.blake2b(asked, digest_size=16).hexdigest()


def _refused(dialect: Dialect, refusal: Refusal, request_id: str, *headers: tuple[str, str]) -> Response:
    status, body = dialect.refused(refusal)
    text = json.dumps(shown(body), indent=2).encode()
    return Response(status, text, dialect.content_type, (*dialect.headers(request_id), *headers))


def _json(status: int, value: Any) -> Response:
    return Response(status, json.dumps(value).encode())


def _html(status: int, text: str) -> Response:
    return Response(status, text.encode(), "text/html; charset=utf-8", page.SECURITY)


async def serve(options: Options, ready: Callable[[Psp], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM."""
    psp = Psp(options)
    await psp.start()
    if ready is not None:
        ready(psp)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            loop.add_signal_handler(one, ended.set)
    await ended.wait()
    await psp.stop()


def run(options: Options, ready: Callable[[Psp], None] | None = None) -> None:
    """Serve in this process until it is told to stop: what `tallywatt simulate psp` does."""
    asyncio.run(serve(options, ready))
