"""Two thousand stations on the real gateway, writer and database: they come back at once, and then say what stations say.

Both engines; with TLS what it costs in memory and time. Their certificate is of P-256, as most are.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop

from benchmarks.figure import Figure
from benchmarks.gateway import (
    IDLE_STATIONS,
    AtOnce,
    Everybody,
    furnished,
    kilobytes_a_connection,
    listening,
    load_of,
    while_loaded,
)
from tallywatt.adapters.machine import MachineClock, WorldDraws
from tallywatt.adapters.storage.migrations import upgrade
from tallywatt.adapters.storage.store import Store
from tallywatt.entrypoints.cli.lean import settled

if TYPE_CHECKING:
    from collections.abc import Iterator

MIX_CALLS = 30_000
MIX_A_SECOND = 2_000
"""Thirty times what a fleet says that sends values every half a minute; the budget's own pace."""
FEW_CALLS = 15_000
FEW_A_SECOND = 1_000
"""Where fewer speak fewer share a commit."""


def measure() -> list[Figure]:
    """All of it, in about three minutes."""
    settled()  # as a server does once all is loaded
    with tempfile.TemporaryDirectory(prefix="tallywatt-bench-") as folder:
        shown = certificate(Path(folder))
        figures = uvloop.run(_with_tls(shown))
        figures += uvloop.run(_fleet("SQLite", f"sqlite:///{Path(folder) / 'bench.db'}", shown))
    with _postgresql() as url:
        if url is not None:
            figures += uvloop.run(_fleet("PostgreSQL", url, None))
    return figures


async def _with_tls(shown: tuple[Path, Path]) -> list[Figure]:
    writer = AtOnce()
    async with listening(writer, Everybody(), shown) as url:
        kilobytes, _ = await kilobytes_a_connection(url, "--trust", str(shown[0]))
    writer.stop()
    return [Figure("an idle station's connection by TLS", kilobytes, "kB", 70)]


async def _fleet(engine: str, url: str, shown: tuple[Path, Path] | None) -> list[Figure]:
    upgrade(url)
    store = Store(url, WorldDraws().draw, b"k" * 32)
    store.start()
    named = f"{engine}, {IDLE_STATIONS:,} stations"
    try:
        directory = furnished(store, IDLE_STATIONS)
        async with listening(store.writer, directory) as gateway:
            figures = await _back(f"{named}: all back and booted", gateway)
            figures += await _mix(named, gateway, FEW_CALLS, FEW_A_SECOND)
            figures += await _mix(named, gateway, MIX_CALLS, MIX_A_SECOND)
            us, seen = await load_of(gateway, MIX_CALLS, "mixed", stations=IDLE_STATIONS)
        what = f"{named}: mix as fast as it is answered"
        figures += [
            Figure(f"{what}; calls a second", seen["calls"] / seen["seconds"], ""),
            Figure(f"{what}; CPU a call", us, "µs", 333),
        ]
        if shown is not None:
            async with listening(store.writer, directory, shown) as gateway:
                trusted = ("--trust", str(shown[0]))
                figures += await _back(f"{named}: all back and booted by TLS", gateway, *trusted)
    finally:
        store.close()
    return figures


async def _mix(named: str, url: str, calls: int, a_second: int) -> list[Figure]:
    us, seen = await load_of(url, calls, "mixed", "--a-second", str(a_second), stations=IDLE_STATIONS)
    what, budgeted = f"{named}: mix at {a_second:,} calls a second", a_second == MIX_A_SECOND
    return [
        Figure(f"{what}; CPU a call", us, "µs", 333 if budgeted else None),
        Figure(f"{what}; p50", seen["p50_ms"], "ms"),
        Figure(f"{what}; p99", seen["p99_ms"], "ms", 100 if budgeted else None),
    ]


async def _back(what: str, url: str, *more: str) -> list[Figure]:
    cpu, seen = await while_loaded(url, "--stations", str(IDLE_STATIONS), "--come-back", *more)
    return [
        Figure(what, seen["seconds"], "s"),
        Figure(f"{what}; tried again", seen["again"], "times"),
        Figure(f"{what}; CPU a station", cpu / IDLE_STATIONS * 1e6, "µs"),
    ]


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of `localhost` that vouches for itself, and its key, as files."""
    from cryptography import x509  # noqa: PLC0415  # only where somebody measures TLS
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415  # the same
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415  # the same

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.fromtimestamp(MachineClock().now() / 1000, UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    told, kept = folder / "gateway.pem", folder / "gateway.key"
    told.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    nothing: Any = serialization.NoEncryption()
    kept.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, nothing))
    return told, kept


@contextmanager
def _postgresql() -> Iterator[str | None]:
    from tests.parts import PARTS  # noqa: PLC0415  # where the parts of a machine are found
    from tests.postgresql import fresh_database, postgresql_server  # noqa: PLC0415  # as above, and only here

    initdb = PARTS["postgresql"].find()
    if initdb is None:
        yield None
        return
    with postgresql_server(initdb) as server, fresh_database(server, "bench") as url:
        yield url
