"""The parts that tests may ask for, and what happens without them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.parts import Part

if TYPE_CHECKING:
    from pathlib import Path

A_SKIPPING_TEST = """
from tests.parts import PARTS, Part, part
PARTS["moon"] = Part("The moon", ("no-such-program",), "wait for the night")

def test_it():
    part("moon")
"""


def run(folder: Path, *, require_all: bool) -> subprocess.CompletedProcess[str]:
    """Run pytest with our conftest over a test that needs what nobody has."""
    (folder / "test_moon.py").write_text(A_SKIPPING_TEST)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-c",
        "pyproject.toml",
        "--rootdir",
        ".",
        str(folder),
    ]
    environment = {**os.environ, "TALLYWATT_REQUIRE_ALL": "1" if require_all else ""}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_a_missing_part_skips_by_name_and_names_the_remedy(tmp_path: Path) -> None:
    """Somebody without PostgreSQL sees what was left out and how to get it."""
    done = run(tmp_path, require_all=False)

    assert done.returncode == 0, done.stdout
    assert "The moon is not here (wait for the night)" in done.stdout


def test_where_all_parts_are_required_a_skip_is_a_failure(tmp_path: Path) -> None:
    """A build machine that lost its Chromium must not look green."""
    done = run(tmp_path, require_all=True)

    assert done.returncode == 1, done.stdout
    assert "allows no skip" in done.stdout


def test_a_fresh_database_knows_no_table(postgresql_url: str) -> None:
    """Every storage test starts from nothing, whatever ran before it on the same server."""
    with psycopg.connect(postgresql_url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()

    assert row == (0,)


def test_a_test_for_both_engines_runs_on_each(engine_url: str, request: pytest.FixtureRequest) -> None:
    """The same storage tests run on both engines."""
    assert engine_url.startswith(f"{request.node.callspec.params['engine_url']}://")


def test_the_newest_of_several_versions_is_taken(tmp_path: Path) -> None:
    """A machine may carry PostgreSQL 9 and 15 side by side; '9' sorts after '15' as text."""
    for version in ("9", "15"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "initdb").touch()
    here = str(tmp_path).lstrip("/")

    found = Part("It", ("no-such-program",), "", f"{here}/*/bin/initdb").find()

    assert found == tmp_path / "15" / "bin" / "initdb"
