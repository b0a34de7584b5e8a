"""Setting up: the locks, the Makefile and what the build machine runs."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from tests.house.tree import ROOT, pyproject

PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)
TARGETS = ["help", "demo", "test", "check", "bench", "format", "screenshots"]
LOCKS = ["run.txt", "dev.txt", "uv.txt"]


def lock(file: str) -> str:
    return (ROOT / "requirements" / file).read_text(encoding="utf-8")


def pins(file: str) -> dict[str, str]:
    return {name.lower(): version for name, version in PIN.findall(lock(file))}


@pytest.mark.parametrize("file", LOCKS)
def test_every_locked_part_has_a_hash(file: str) -> None:
    """What is installed is what was chosen, wherever it was fetched from."""
    entries = [entry for entry in re.split(r"\n(?=\S)", lock(file).strip()) if not entry.startswith("#")]

    assert entries
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("file", LOCKS)
def test_locks_name_no_address(file: str) -> None:
    """A machine behind a mirror installs from its mirror."""
    assert "://" not in lock(file)
    assert not re.search(r"^-", lock(file), re.MULTILINE)


def test_developers_run_the_same_versions_as_everybody() -> None:
    """A test that passes with another version proves nothing."""
    developing = pins("dev.txt")

    assert {name: version for name, version in pins("run.txt").items() if developing.get(name) != version} == {}


def test_every_declared_part_is_locked() -> None:
    """A dependency added by hand is forgotten until somebody clones."""
    declared = pyproject()["project"]["dependencies"]
    names = [re.split(r"[\[<>=~! ;]", one)[0].lower() for one in declared]

    assert [name for name in names if name not in pins("run.txt")] == []
    assert names == sorted(names)


@pytest.mark.parametrize("target", TARGETS)
def test_make_knows_its_targets(target: str) -> None:
    """README, guide and build machine all speak of these."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert re.search(rf"^{target}:.*## \S", makefile, re.MULTILINE)


def test_make_alone_says_what_there_is_to_do() -> None:
    """The first command that a newcomer types is often just `make`."""
    said = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True, env=_plain()).stdout

    assert all(f"make {target}" in said for target in TARGETS)


def test_an_old_python_is_told_from_a_broken_set_up() -> None:
    """Somebody with Python 3.9 learns what to install, instead of reading a traceback."""
    command = ["make", "--always-make", ".venv/ready", "PYTHON=false"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=_plain())

    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stdout


def test_the_build_machine_allows_no_skip_and_runs_what_developers_run() -> None:
    """Green there means green here."""
    script = ROOT / ".ci" / "run"

    assert os.access(script, os.X_OK)
    assert "export TALLYWATT_REQUIRE_ALL=1" in script.read_text(encoding="utf-8")
    assert script.read_text(encoding="utf-8").rstrip().endswith("make check")


def _plain() -> dict[str, str]:
    """The environment without the flags of a make that may have started these tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
