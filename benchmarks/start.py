"""From the start of the process to the server's first answer, on an empty SQLite database that has to be made first."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from benchmarks.figure import Figure

GIVE_UP_SECONDS = 60


def measure() -> list[Figure]:
    """Start it twice: the first time it makes its database, the second time it finds one."""
    with tempfile.TemporaryDirectory(prefix="tallywatt-bench-") as folder:
        first, first_cpu, _ = _to_first_answer(Path(folder))
        again, again_cpu, page = _to_first_answer(Path(folder))
    return [
        Figure("first start to the first answer, database made; elapsed", first * 1000, "ms", budget=2000),
        Figure("of it CPU", first_cpu * 1000, "ms"),
        Figure("start to the first answer; elapsed", again * 1000, "ms", budget=2000),
        Figure("of it CPU", again_cpu * 1000, "ms"),
        Figure("start to the first page, built behind the open door; elapsed", page * 1000, "ms"),
    ]


def _cpu_seconds(process: int) -> float:
    """What a process has used so far, from the kernel."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _to_first_answer(folder: Path) -> tuple[float, float, float]:
    """Seconds from the start of the process to its first answer, elapsed and of CPU; and to its first page."""
    http, ocpp = free_port(), free_port()
    settings = {"DATA_DIR": str(folder / "data"), "HTTP_PORT": str(http), "OCPP_PORT": str(ocpp)}
    environment = {**os.environ, **{f"TALLYWATT_{name}": value for name, value in settings.items()}}
    environment.pop("TALLYWATT_DATABASE_URL", None)
    command = [str(Path(sys.executable).with_name("tallywatt")), "serve"]
    log = folder / "log"
    started = time.perf_counter()
    with log.open("wb") as output:
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=output, cwd=folder)
    try:
        while time.perf_counter() - started < GIVE_UP_SECONDS and server.poll() is None:
            if _answers(http, "/health"):
                answered, used = time.perf_counter() - started, _cpu_seconds(server.pid)
                _answers(http, "/console")
                return answered, used, time.perf_counter() - started
            time.sleep(0.01)
        msg = f"the server did not answer:\n{log.read_text(errors='replace')}"
        raise RuntimeError(msg)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def _answers(port: int, path: str) -> bool:
    try:
        urlopen(f"http://127.0.0.1:{port}{path}", timeout=30).close()
    except HTTPError:
        return True  # any answer is an answer; what it says is the tests' business
    except (URLError, OSError):
        return False
    return True


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
