"""The server's side of the control socket: whoever owns the data directory may ask for the workflows on the list."""

from __future__ import annotations

import os
import socketserver
import threading
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import structlog

from tallywatt.adapters.socket.place import address_of
from tallywatt.adapters.socket.words import LONGEST_LINE, Failure, Reply, Request, as_failure, read_request, write_line
from tallywatt.adapters.socket.workflows import ALLOWED
from tallywatt.kernel.errors import BadInput, TallywattError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tallywatt.adapters.socket.workflows import Allowed

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 10
"""How long somebody who has connected may take to say what is wanted."""


class WriteNow(Protocol):
    """The writer, for a thread that may block."""

    def __call__(self, operator: str, workflow: Callable[..., Any], command: Any, *, actor: str) -> Any:
        """Run the workflow and come back after its commit."""
        ...


class ControlServer:
    """Listens on a Unix socket that its owner alone can open (mode 0600), in a thread of its own."""

    def __init__(self, path: Path, write_now: WriteNow, allowed: dict[str, Allowed] | None = None) -> None:
        self.path = path
        self._write_now = write_now
        self._allowed = ALLOWED if allowed is None else allowed
        self._server: _Listener | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen. A socket that a killed server left behind is replaced: the caller owns writing, so nobody is on it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        with address_of(self.path) as address:
            self._server = _Listener(address, self.answer)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="control", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Listen no more; requests that are being worked on get their answer."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server = None
        self.path.unlink(missing_ok=True)

    def answer(self, line: bytes) -> bytes:
        """What one line asks, done; and the line that says how it went."""
        try:
            return write_line(Reply(result=msgspec.to_builtins(self._run(read_request(line)))))
        except TallywattError as error:
            return write_line(Reply(failure=as_failure(error)))
        except Exception as error:
            # A bug must reach the person who asked, and must not end the server.
            log.exception("control.failed")
            return write_line(Reply(failure=Failure("Broken", "control.failed", f"{type(error).__name__}: {error}")))

    def _run(self, request: Request) -> Any:
        allowed = self._allowed.get(request.workflow)
        if allowed is None:
            msg = f"{request.workflow!r} is not a workflow that may be asked for over the control socket"
            raise BadInput(msg, code="control.unknown_workflow", remedy="use a command line of the server's version")
        try:
            command = allowed.command(request.command)
        except msgspec.ValidationError as error:
            msg = f"the command of {request.workflow} does not fit: {error}"
            raise BadInput(msg, code="control.bad_command") from error
        log.info("control.asked", workflow=request.workflow, actor=request.actor)
        return self._write_now(request.operator, allowed.workflow, command, actor=request.actor)


class _Listener(socketserver.ThreadingUnixStreamServer):
    daemon_threads = False
    block_on_close = True

    def __init__(self, address: str, answer: Callable[[bytes], bytes]) -> None:
        self.answer = answer
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # Before it has a name, so that there is no moment in which others could open it.
        os.fchmod(self.socket.fileno(), 0o600)
        super().server_bind()
        assert isinstance(self.server_address, str), "a Unix socket is bound to a path"
        os.chmod(self.server_address, 0o600)  # noqa: PTH101 - the address is text, and may be the short name of the folder


class _Handler(socketserver.StreamRequestHandler):
    server: _Listener
    timeout = PATIENCE_SECONDS

    def handle(self) -> None:
        try:
            line = self.rfile.readline(LONGEST_LINE)
        except (TimeoutError, ConnectionError):
            return
        if not line:
            return  # somebody only looked whether we are here
        try:
            self.wfile.write(self.server.answer(line))
        except (TimeoutError, ConnectionError) as error:
            log.info("control.asker_left", error=str(error))
