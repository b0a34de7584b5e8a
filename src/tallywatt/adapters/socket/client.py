"""Asking the running server: one connection a request."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import msgspec

from tallywatt.adapters.socket.place import address_of
from tallywatt.adapters.socket.words import Request, read_reply, write_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 60.0
_PIECE = 65536


class NobodyAnswers(Exception):
    """No server listens at the control socket: nothing was asked of anybody."""


def ask(path: Path, operator: str, workflow: Callable[..., Any], command: object, actor: str) -> Any:
    """Let the running server run a workflow; its result as JSON-like data. NobodyAnswers when there is no server."""
    request = Request(workflow.__name__, msgspec.to_builtins(command), operator, actor)
    return read_reply(_exchange(path, write_line(request)))


def answers(path: Path) -> bool:
    """Whether a server listens there."""
    try:
        _connect(path).close()
    except NobodyAnswers:
        return False
    return True


def _exchange(path: Path, line: bytes) -> bytes:
    with _connect(path) as connection:
        connection.settimeout(ANSWER_SECONDS)
        received = bytearray()
        try:
            connection.sendall(line)
            while not received.endswith(b"\n") and (piece := connection.recv(_PIECE)):
                received += piece
        except OSError:
            return b""  # it may have been done: read_reply says so
        return bytes(received)


def _connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(CONNECT_SECONDS)
    try:
        with address_of(path) as address:
            connection.connect(address)
    except OSError as error:
        connection.close()
        raise NobodyAnswers from error
    return connection
