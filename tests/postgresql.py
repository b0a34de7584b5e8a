"""A PostgreSQL server for tests: in a folder of its own, gone afterwards, one second in all.

The server refuses to run as root and pytest's own folders are closed to others, so its folder is made with mkdtemp and
given to the user `postgres` when root runs the tests. Nothing of it survives, so nothing waits for the disk.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from tests.in_memory import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 60
STOP_SECONDS = 60
OWNER = "postgres"
FAST_AND_FORGETFUL = (
    "fsync=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_size=96MB",
    "min_wal_size=32MB",
    "max_wal_senders=0",
    "shared_buffers=32MB",
    "max_connections=60",
    "unix_socket_directories=",
    "listen_addresses=127.0.0.1",
    "log_min_messages=fatal",
    "timezone=UTC",
)


@contextmanager
def postgresql_server(initdb: Path) -> Iterator[str]:
    """A running server; yields the address to which a database name is appended."""
    folder = Path(tempfile.mkdtemp(prefix="tallywatt-postgresql-", dir=os.environ.get(ROOT)))
    try:
        _give_to_owner(folder)
        _run(initdb, "-D", str(folder / "data"), "-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        server, port = _start(initdb.with_name("postgres"), folder)
        try:
            yield f"postgresql://{OWNER}@127.0.0.1:{port}/"
        finally:
            _stop(server, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def create_database(connection: psycopg.Connection, name: str, template: str) -> None:
    """Copy a template; by files where the server can (15 and newer), which costs half of copying through its log."""
    strategy = "STRATEGY FILE_COPY" if connection.info.server_version >= 150_000 else ""
    connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" {strategy}')


@contextmanager
def fresh_database(server: str, name: str) -> Iterator[str]:
    """An empty database on a server; yields its URL and drops it afterwards, whoever is still connected."""
    with psycopg.connect(f"{server}postgres", autocommit=True) as connection:
        create_database(connection, name, "template0")
    try:
        yield f"{server}{name}"
    finally:
        with psycopg.connect(f"{server}postgres", autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _as_owner() -> list[str]:
    return ["runuser", "-u", OWNER, "--"] if os.geteuid() == 0 else []


def _give_to_owner(folder: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(folder, OWNER)


def _run(program: Path, *arguments: str) -> None:
    done = subprocess.run(
        [*_as_owner(), str(program), *arguments], cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{program.name} failed:\n{done.stdout}{done.stderr}"


def _start(postgres: Path, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server on a free port; another process may take the port first, so try three times."""
    settings = [part for setting in FAST_AND_FORGETFUL for part in ("-c", setting)]
    log = folder / "log"
    for _ in range(3):
        port = _free_port()
        command = [*_as_owner(), str(postgres), "-D", str(folder / "data"), "-p", str(port), *settings]
        with log.open("ab") as output:
            server = subprocess.Popen(command, cwd="/", stdout=output, stderr=output, start_new_session=True)
        if _answers(server, port):
            return server, port
    msg = f"PostgreSQL did not start:\n{log.read_text(errors='replace')}"
    raise RuntimeError(msg)


def _answers(server: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(f"postgresql://{OWNER}@127.0.0.1:{port}/postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return True
    return False


def _stop(server: subprocess.Popen[bytes], folder: Path) -> None:
    """Interrupt the server itself (SIGINT: fast shutdown); runuser in front of it would only pass on SIGTERM."""
    pid = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGINT)
    server.wait(STOP_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
