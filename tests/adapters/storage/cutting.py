"""A TCP proxy in front of PostgreSQL that cuts the line within a COMMIT: before it arrives, or before its answer does."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from types import TracebackType

BEFORE = "before it arrives"
AFTER = "before its answer arrives"
LARGEST = 1 << 16
SAYS_COMMIT = b"COMMIT\0"
"""The statement, whole: the driver's BEGIN names READ COMMITTED."""


class CuttingProxy:
    """Passes everything on until it is armed; then it cuts the connection that says COMMIT next, once."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._server = (parts.hostname, parts.port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        user = parts.netloc.rpartition("@")[0]
        self.url = urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{port}"))
        self._armed: str | None = None
        self.cuts = 0
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._accepting.join(5)

    def arm(self, moment: str) -> None:
        """Cut the next COMMIT."""
        self._armed = moment

    def disarm(self) -> None:
        """Cut nothing more."""
        self._armed = None

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._server)
            except OSError:
                client.close()  # the database is not there at the moment
                continue
            threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        # Passed on as it comes: else what follows a small packet waits 40 ms, and so does each pipeline of a writer.
        for line in (client, server):
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Whoever is killed at either end resets its line: that is the end of the other one, too.
        with client, server, suppress(ConnectionError):
            while True:
                readable, _, _ = select.select([client, server], [], [])
                if client in readable:
                    said = client.recv(LARGEST)
                    if not said or (SAYS_COMMIT in said and self._cuts(said, server)):
                        return
                    server.sendall(said)
                if server in readable:
                    said = server.recv(LARGEST)
                    if not said:
                        return
                    client.sendall(said)

    def _cuts(self, said: bytes, server: socket.socket) -> bool:
        moment, self._armed = self._armed, None
        if moment is None:
            return False
        self.cuts += 1
        if moment == AFTER:
            server.sendall(said)
            server.recv(LARGEST)  # it is durable now; its answer goes no further
        return True
