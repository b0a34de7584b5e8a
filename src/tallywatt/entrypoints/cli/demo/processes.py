"""The demonstration's processes: each writes to a file of its own, and none outlives the demonstration."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from tallywatt.kernel.errors import BadInput, Broken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

GOODBYE_SECONDS = 15.0
LOOK_SECONDS = 0.02
LAST_WORDS = 12


class Child:
    """A process of ours that runs `tallywatt` with these arguments."""

    def __init__(
        self,
        name: str,
        arguments: list[str],
        environment: Mapping[str, str],
        log: Path,
        hears: Callable[[str], None] | None = None,
    ) -> None:
        self.name = name
        self._arguments = arguments
        self._environment = environment
        self._log = log
        self._hears = hears
        self._process: subprocess.Popen[str] | None = None
        self._ear: threading.Thread | None = None

    def start(self) -> None:
        """Start it. Its words go to its log; `hears` gets each line of its output as well."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with undisturbed(), self._log.open("a", encoding="utf-8") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program, with our own arguments
                [sys.executable, "-m", "tallywatt", *self._arguments],
                env=dict(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=log if self._hears is None else subprocess.PIPE,
                stderr=log,
                text=True,
                # Ctrl-C is for the demonstration: it ends its children in order.
                start_new_session=True,
            )
        if self._hears is not None:
            assert self._process.stdout is not None, "it was asked for a pipe"
            self._ear = threading.Thread(target=self._listen, args=(self._process.stdout,), name=self.name, daemon=True)
            self._ear.start()

    def _listen(self, pipe: IO[str]) -> None:
        assert self._hears is not None, "only started with somebody who hears"
        with pipe, self._log.open("a", encoding="utf-8") as log:
            for line in pipe:
                log.write(line)
                self._hears(line)

    @property
    def runs(self) -> bool:
        """Whether it is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def succeeded(self) -> bool:
        """Whether it has ended by itself and all was well."""
        return self._process is not None and self._process.poll() == 0

    def kill(self) -> None:
        """SIGKILL: it has no chance to tidy up."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end; after a while, insist."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(number)
            try:
                self._process.wait(GOODBYE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._ear is not None:
            self._ear.join(GOODBYE_SECONDS)

    def require_answer(self, url: str, seconds: float) -> float:
        """Wait until it answers over HTTP; after how many seconds it did. Broken with its last words if it does not."""
        began = time.monotonic()
        while self.runs and time.monotonic() - began < seconds:
            if answers(url):
                return time.monotonic() - began
            time.sleep(LOOK_SECONDS)
        end = "does not answer" if self.runs else "has ended"
        msg = f"{self.name} {end}; its last words:\n{self.last_words()}"
        raise Broken(msg, code="demo.process_failed", remedy=f"read {self._log}")

    def last_words(self) -> str:
        """The end of its log."""
        try:
            lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return "  (none)"
        return "\n".join(f"  {line}" for line in lines[-LAST_WORDS:]) or "  (none)"


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let Ctrl-C wait until what has begun is known: a process whose start was interrupted would be nobody's to end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in usual:
        signal.signal(number, lambda one, _: pressed.append(one))
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
    if pressed:
        raise KeyboardInterrupt


def answers(url: str) -> bool:
    """Whether something speaks HTTP there."""
    host, _, rest = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=2)
    try:
        connection.request("GET", f"/{rest}")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a port can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(wanted: int | None = None) -> int:
    """The wanted port if it is free, else one that is."""
    if wanted is not None and is_free(wanted):
        return wanted
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def own_port(port: int, whose: str) -> int:
    """A port that was settled earlier and must be the same again."""
    if not is_free(port):
        msg = f"port {port}, which {whose} used when this data directory was made, is taken"
        raise BadInput(msg, code="demo.port_taken", remedy="stop what runs there, or use another --data-dir")
    return port


def environment_of(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of the children: ours, with the demonstration's settings and without those of another database."""
    inherited = {name: value for name, value in os.environ.items() if name != "TALLYWATT_DATABASE_URL"}
    return {**inherited, **{f"TALLYWATT_{name}": value for name, value in settings.items()}, "PYTHONUNBUFFERED": "1"}
