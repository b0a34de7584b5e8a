"""Parts of a machine that are not Python packages: where they are found, and what to say when they are not there.

A test that needs one asks for it with `part("postgresql")`. On a machine without it the test is skipped, by name and
with the remedy; where `TALLYWATT_REQUIRE_ALL=1` is set (`.ci/run`), conftest.py turns every skip into a failure.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent.parent
REQUIRE_ALL = os.environ.get("TALLYWATT_REQUIRE_ALL") == "1"


@dataclass(frozen=True, slots=True)
class Part:
    """A program, or a script, that some tests need: its name for people, the files it may be, and how to get it."""

    title: str
    commands: tuple[str, ...]
    remedy: str
    elsewhere: str = ""
    """A glob below / for what no PATH holds; the newest version wins."""

    def find(self) -> Path | None:
        """The program, or None."""
        return next(self._places(), None)

    def _places(self) -> Iterator[Path]:
        for command in self.commands:
            if found := shutil.which(command):
                yield Path(found)
        if self.elsewhere:
            yield from sorted(Path("/").glob(self.elsewhere), key=_version, reverse=True)


def _version(program: Path) -> tuple[int, ...]:
    return tuple(int(name) for name in program.parts if name.isdecimal())


PARTS = {
    "postgresql": Part("PostgreSQL", ("initdb",), "apt install postgresql", "usr/lib/postgresql/*/bin/initdb"),
    "nats": Part("NATS", ("nats-server",), "apt install nats-server", "usr/sbin/nats-server"),
    "chromium": Part("Chromium", ("chromium", "chromium-browser", "google-chrome"), "apt install chromium"),
    "axe-core": Part("axe-core", (), "npm ci", str(HERE / "node_modules/axe-core/axe.min.js").lstrip("/")),
    "node": Part("Node.js", ("node",), "apt install nodejs"),
    "ocpp-rpc": Part("ocpp-rpc", (), "npm ci", str(HERE / "node_modules/ocpp-rpc/index.js").lstrip("/")),
    "pdftotext": Part("pdftotext", ("pdftotext",), "apt install poppler-utils"),
}


def part(name: str) -> Path:
    """The program of that part; without it the test that asks is skipped by name."""
    wanted = PARTS[name]
    found = wanted.find()
    if found is None:
        pytest.skip(f"{wanted.title} is not here ({wanted.remedy})")  # the one place where a test may be skipped
    return found
