"""Habits of the tree: what every file, name and comment keeps to, so that reviews are about ideas."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.house.tree import PACKAGE, ROOT, contract, files, rooms, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EMPTY_WORDS = {"utils", "util", "helpers", "helper", "manager", "managers", "service", "services", "common", "misc"}
REGISTRIES = ["pypi" + ".org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com", "--index" + "-url"]
SILENCED = re.compile(
    r"#\s*(?:type:\s*ignore|noqa)(?:\[[\w, -]+\]|:\s*[A-Z]+[0-9]+(?:,\s*[A-Z]+[0-9]+)*)?(?P<after>.*)"
)
LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)\s#]+)(?:#[^)]*)?\)")
DOCSTRING = re.compile(r'(?:#.*\n)*r?"""\S')
SCREEN_LINES = 70


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def python_of(*folders: str) -> list[Path]:
    return [path for path in files(".py") if path.relative_to(ROOT).parts[0] in folders]


def test_no_file_names_a_package_registry() -> None:
    """Parts come from whatever registry or mirror a machine is set up for; hashes, not addresses, say what they are."""
    named = [name(path) for path in files() if any(host in (text_of(path) or "") for host in REGISTRIES)]

    assert not named, "\n".join(named)


def test_no_file_has_an_empty_name() -> None:
    """A file is named after what it does; `utils` is where things go that nobody finds again."""
    paths = [path.relative_to(ROOT) for path in files()]
    empty = [str(path) for path in paths if EMPTY_WORDS & {part.rpartition(".")[0] or part for part in path.parts}]

    assert not empty, "\n".join(empty)


def test_every_file_says_in_its_first_line_what_it_is() -> None:
    """A listing of first lines is the shortest documentation there is."""
    every = python_of("src", "tests", "benchmarks", "docs")

    assert [name(path) for path in every if not DOCSTRING.match(path.read_text(encoding="utf-8"))] == []


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    waiting: list[ast.AST] = [tree_of(path)]
    while waiting:
        node = waiting.pop()
        # Statements alone: a walk through all expressions takes three times as long.
        waiting += [one for part in ("body", "orelse", "finalbody", "handlers", "cases") for one in _inside(node, part)]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _inside(node: ast.AST, part: str) -> list[ast.AST]:
    inside = getattr(node, part, [])
    return inside if isinstance(inside, list) else []


def test_functions_fit_a_screen() -> None:
    """One glance, one idea."""
    long = [
        f"{name(path)}:{function.lineno} {function.name}"
        for path in python_of("src")
        if "migrations" not in path.parts  # a list of tables, as long as there are tables
        for function in _functions(path)
        if (function.end_lineno or 0) - function.lineno >= SCREEN_LINES
    ]

    assert not long, "\n".join(long)


def test_every_silenced_check_says_why() -> None:
    """`type: ignore` and `noqa` are decisions; the next reader needs the reason, not the fact."""
    silent = [
        f"{name(path)}:{number}"
        for path in python_of("src", "tests", "benchmarks", "docs")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := SILENCED.search(line)) and not re.search(r"\w+\W+\w+", found["after"])
    ]

    assert not silent, "\n".join(silent)


def test_a_test_is_skipped_in_one_place_only() -> None:
    """A skip is a part of the machine that is missing, by name (tests/parts.py); all else is a test not written."""
    skip = re.compile(r"pytest\.(?:mark\.)?" + r"(?:skip|xfail|importorskip)\w*\b")
    skipping = [name(path) for path in python_of("tests") if skip.search(path.read_text(encoding="utf-8"))]

    assert skipping == ["tests/parts.py"]


@pytest.mark.parametrize("folder", ["workflows", "adapters", "entrypoints", "simulators"])
def test_what_is_no_room_has_its_page_too(folder: str) -> None:
    """What belongs there, and by which rules it lives."""
    assert (PACKAGE / folder / "README.md").is_file()


@pytest.mark.parametrize("room", ["kernel", *rooms()])
def test_every_room_says_what_it_owns_and_what_not(room: str) -> None:
    """Borders are friendlier than walls."""
    readme = PACKAGE / room / "README.md"

    assert readme.is_file(), f"src/tallywatt/{room} needs a README.md: what it owns, what it does not own"
    text = readme.read_text(encoding="utf-8")
    assert "**Owns**" in text
    assert "**Does not own**" in text


def test_every_room_is_kept_pure_by_contract_and_has_its_line_in_the_docs() -> None:
    """A new room must not slip past the contract that keeps the world out of it."""
    pure = set(contract("pure")["source_modules"])
    house = (ROOT / "docs" / "house.md").read_text(encoding="utf-8")

    assert {f"tallywatt.{room}" for room in [*rooms(), "kernel", "workflows"]} <= pure
    assert [room for room in rooms() if f"`{room}`" not in house] == []


def test_the_docs_say_of_each_room_what_the_room_says_of_itself() -> None:
    """Two descriptions of one thing drift apart."""
    house = (ROOT / "docs" / "house.md").read_text(encoding="utf-8")
    docstrings = {
        room: ast.get_docstring(tree_of(PACKAGE / room / "__init__.py")) or "" for room in ["kernel", *rooms()]
    }
    lines = {room: docstring.splitlines()[0].removeprefix("Pure: ") for room, docstring in docstrings.items()}

    assert [f"| `{room}` | {line} |" for room, line in lines.items() if f"| `{room}` | {line} |" not in house] == []


def test_rooms_and_workflows_know_no_floats() -> None:
    """0.1 + 0.2 is not 0.3: money is whole minor units, energy whole milliwatt-hours, prices decimals."""
    floats = [
        f"{name(path)}:{node.lineno}"
        for path in python_of("src")
        if path.relative_to(PACKAGE).parts[0] in {*rooms(), "kernel", "workflows"}
        for node in ast.walk(tree_of(path))
        if (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float")
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
    ]

    assert not floats, "\n".join(floats)


def test_links_between_documents_lead_somewhere() -> None:
    """A newcomer follows them in the first five minutes."""
    broken = [
        f"{name(path)}: {target}"
        for path in files(".md")
        for target in LINK.findall(path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]

    assert not broken, "\n".join(broken)


def test_every_decision_is_listed() -> None:
    """A record that nobody finds decides nothing."""
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text(encoding="utf-8")

    assert [one.name for one in sorted(folder.glob("[0-9]*.md")) if one.name not in listed] == []
