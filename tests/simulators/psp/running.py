"""How tests run the simulated provider: as its own process, like everybody does."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

import httpx
import stripe

from tallywatt.simulators.psp import Options, run

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path
    from types import TracebackType

    from stripe._v1_services import V1Services

    from tallywatt.simulators.psp.server import Psp

KEY = "sk_test_tallywatt"
_SPAWN = multiprocessing.get_context("fork")


def _run(options: Options, tell: Connection) -> None:
    def ready(psp: Psp) -> None:
        tell.send(psp.port)

    run(options, ready)


class RunningPsp:
    """A provider process on a free port."""

    def __init__(self, state: Path, **options: Any) -> None:
        self.state = state
        self._options = options
        self._process: Any = None
        self.port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start, on the port that it had before if there was one."""
        hear, tell = _SPAWN.Pipe(duplex=False)
        options = Options(port=self.port, state=self.state, **self._options)
        self._process = _SPAWN.Process(target=_run, args=(options, tell), daemon=True)
        self._process.start()
        assert hear.poll(10), "the simulated provider does not start"
        self.port = hear.recv()

    def stop(self) -> None:
        """End it as an operator would."""
        if self._process is not None:
            self._process.terminate()
            self._process.join(5)
            self._process = None

    def kill(self) -> None:
        """End it as a power cut would."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.join(5)
        self._process = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, key: str = KEY, timeout: float = 5.0) -> V1Services:
        """The official SDK, pointed here, without retries."""
        made = stripe.StripeClient(
            key,
            base_addresses={"api": self.url},
            http_client=stripe.HTTPXClient(timeout=timeout, allow_sync_methods=True),
            max_network_retries=0,
        )
        return made.v1

    def fault(self, kind: str, **settings: Any) -> None:
        """Switch a fault on."""
        httpx.post(f"{self.url}/_faults", json={"kind": kind, **settings}).raise_for_status()


class Endpoint:
    """Somebody who takes webhooks."""

    def __init__(self, answers: list[int] | None = None) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self._answers = answers or []
        self._came = threading.Condition()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status = endpoint._answers.pop(0) if endpoint._answers else 200
                with endpoint._came:
                    endpoint.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
                    endpoint._came.notify_all()
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/webhooks"

    def wait_for(self, count: int, seconds: float = 10) -> list[tuple[dict[str, str], bytes]]:
        """The first so many webhooks."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.taken) >= count, seconds), (
                f"only {len(self.taken)} of {count} came"
            )
            return list(self.taken)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
