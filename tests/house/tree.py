"""The project's own files, for the tests that look over the whole tree."""

from __future__ import annotations

import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "tallywatt"
NOT_ROOMS = {"adapters", "entrypoints", "simulators", "kernel", "workflows"}


@cache
def files(*suffixes: str) -> tuple[Path, ...]:
    """The files that belong to the project (tracked, or about to be), of these suffixes or all of them."""
    paths = _listed_by_git() if (ROOT / ".git").exists() else _found()
    return tuple(path for path in paths if path.is_file() and (not suffixes or path.suffix in suffixes))


def _listed_by_git() -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name]


def _found() -> list[Path]:
    """In an unpacked archive: everything in the folders that the project has."""
    folders = ("benchmarks", "docs", "requirements", "src", "tests")
    below = (path for folder in folders for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts)
    return [path for path in (*ROOT.glob("*"), *below) if path.suffix != ".pyc"]


def text_of(path: Path) -> str | None:
    """The text of a file, or None where it is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def rooms() -> list[str]:
    """The rooms: folders of the package that are neither kernel, workflows nor a border to the world."""
    folders = (path.parent.name for path in PACKAGE.glob("*/__init__.py"))
    return sorted(folder for folder in folders if folder not in NOT_ROOMS)


@cache
def pyproject() -> dict[str, Any]:
    """What pyproject.toml says."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def contract(identity: str) -> dict[str, Any]:
    """The import contract of that id."""
    contracts: list[dict[str, Any]] = pyproject()["tool"]["importlinter"]["contracts"]
    return next(one for one in contracts if one["id"] == identity)
