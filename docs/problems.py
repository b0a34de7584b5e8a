"""The list of all problems, read from the code that raises them: `python -m docs.problems` writes it.

It writes docs/reference/problems.md, and problems.json for the page at `/problems`; a test keeps them and the code together.
"""

from __future__ import annotations

import ast
import json
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from tallywatt.adapters.storage.unit import MAPPINGS
from tallywatt.entrypoints.http.problems import status_of
from tallywatt.kernel import errors
from tallywatt.rating import fields
from tallywatt.settings import Settings
from tallywatt.workflows import ports

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE: Final = Path(errors.__file__).parents[1]
MANUAL: Final = Path(__file__).parent / "reference/problems.md"
DATA: Final = SOURCE / "entrypoints/http/problems.json"
KINDS: Final = {
    name: kind
    for module in (errors, ports, fields)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, errors.TallywattError)
}
"""The classes of errors by their names in the code."""
POSITIONS: Final = {"BadField": {"says": 2, "code": 1, "remedy": 3}}
"""What stands where in the calls of classes that are not called as the root of the tree is."""
INSIDE: Final = {"Undone"}
"""Classes that nobody is told: whoever tried something without doing it catches them."""
ON_THE_WAY: Final = {
    "adapters/socket/words.py": "what a server raised, for the command line that asked it",
    "entrypoints/cli/rating.py": "what the room said of a record",
    "entrypoints/cli/metering.py": "what the room said of a line",
    "entrypoints/http/telling.py": "`found`, whose callers are read instead",
    "kernel/errors.py": "the root hands its code on",
}
"""Files that raise what was said elsewhere, and why there is nothing to read."""
AT_LAST: Final[dict[type[errors.TallywattError], str]] = {
    errors.BadInput: "send what the detail asks for",
    errors.NotSignedIn: "sign in again, or send a key that holds",
    errors.NotAllowed: "ask an owner of the operator for a role or a key that may",
    errors.NotFound: "check the id or reference: it is looked for among this operator's things alone",
    errors.Conflict: "look at how the thing stands now, and decide anew",
    errors.ChangedMeanwhile: "read it again, and decide anew",
    errors.TooMany: "wait as long as Retry-After says",
    errors.Busy: "send the same request again, with the same Idempotency-Key",
    errors.Broken: "look at the log of the server; what was asked may be sent again with the same Idempotency-Key",
    errors.TallywattError: "look at the log of the server",
}
"""What to do where a problem says nothing of its own."""
HEAD = """# Problems

This page is made from the code that raises them (`python -m docs.problems`), and a test keeps the two together. A running
server shows the same list at `/problems`, open to everybody: the `type` of each problem leads to its line there.

Errors of the API are problem details (RFC 9457): `code` is stable and made for programs, `detail` and `remedy` are sentences
for people (in German, where `Accept-Language` asks for it), in which `…` below stands for what it is about. The command line
says the same codes in brackets. Status 500 tells nothing more than its code: what broke is in the server's log.
"""
LINE: Final = "| `{code}` | {statuses} | {meaning} | {remedy} |"


@dataclass(frozen=True)
class Place:
    """Where something is raised: in which file, in which function, among which statements."""

    name: str
    module: ast.Module
    function: ast.AST
    block: list[ast.stmt]


@dataclass
class Found:
    """What was found about a code: with which statuses it is told, in which words, and with which advice."""

    kinds: set[type[errors.TallywattError]] = field(default_factory=set)
    statuses: set[int] = field(default_factory=set)
    meanings: dict[str, None] = field(default_factory=dict)
    remedies: dict[str, None] = field(default_factory=dict)


Problems = defaultdict[str, Found]


@cache
def problems() -> list[dict[str, Any]]:
    """Every problem that is raised anywhere, by code."""
    found: Problems = defaultdict(Found)
    for path in sorted(SOURCE.rglob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        for place in _places(path.relative_to(SOURCE).as_posix(), module):
            for statement in place.block:
                _read(found, place, statement)
    _read_computed(found)
    return [_told(code, found[code]) for code in sorted(found)]


def _places(name: str, module: ast.Module) -> Iterator[Place]:
    """Every list of statements, with the innermost function or module that holds it."""

    def walk(node: ast.AST, function: ast.AST) -> Iterator[Place]:
        function = node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else function
        for _, value in ast.iter_fields(node):
            inner = value if isinstance(value, list) else [value]
            statements = [one for one in inner if isinstance(one, ast.stmt)]
            if statements:
                yield Place(name, module, function, statements)
            for one in inner:
                if isinstance(one, ast.AST):
                    yield from walk(one, function)

    yield from walk(module, module)


def _read(found: Problems, place: Place, statement: ast.stmt) -> None:
    """What one statement raises or tells; the statements inside of it come by themselves."""
    if isinstance(statement, ast.ClassDef) and {getattr(base, "id", "") for base in statement.bases} & set(KINDS):
        assert statement.name in KINDS, f"{place.name} has a class of errors that docs/problems.py does not know"
    waiting: list[ast.AST] = [one for one in ast.iter_child_nodes(statement) if not isinstance(one, ast.stmt)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            _read_call(found, place, node)
        waiting += [one for one in ast.iter_child_nodes(node) if not isinstance(one, ast.stmt)]


def _read_call(found: Problems, place: Place, call: ast.Call) -> None:
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if called == "found" and len(call.args) > 2:
        _, what, code = call.args[:3]
        _keep(found, _text(code), errors.NotFound, [f"there is no such {_text(what)}"], [])
    elif called == "problem" and len(call.args) > 2 and isinstance(call.args[1], ast.Constant):
        status, code, detail = call.args[:3]
        one = found[_text(code)]
        one.statuses.add(int(_text(status)))
        one.meanings |= dict.fromkeys(_texts(detail, place))
        one.remedies |= dict.fromkeys(_texts(call.args[3], place) if len(call.args) > 3 else [])
    elif called in KINDS and called not in INSIDE and (call.args or call.keywords):
        _read_error(found, place, call, KINDS[called])


def _read_error(found: Problems, place: Place, call: ast.Call, kind: type[errors.TallywattError]) -> None:
    given = _given(call, kind.__name__)
    if "says" not in given:
        return  # something else of that name: every error is told in words
    code = given.get("code")
    if code is not None and not isinstance(code, ast.Constant):
        handed_on = (
            isinstance(code, ast.Attribute) and code.attr == "code"
        )  # of another problem, which is read elsewhere
        known = handed_on or place.name in ON_THE_WAY or (place.name, ast.unparse(code)) in COMPUTED
        assert known, (
            f"{place.name} raises the code {ast.unparse(code)}: say in docs/problems.py which ones that may be"
        )
        return
    remedy = given.get("remedy")
    remedies = _texts(remedy, place) if remedy is not None else []
    _keep(found, kind.code if code is None else _text(code), kind, _texts(given["says"], place), remedies)


def _given(call: ast.Call, kind: str) -> dict[str, ast.expr]:
    own = POSITIONS.get(kind, {"says": 0})
    given = {name: call.args[at] for name, at in own.items() if at < len(call.args)}
    return given | {one.arg: one.value for one in call.keywords if one.arg is not None}


def _keep(
    found: Problems, code: str, kind: type[errors.TallywattError], meanings: list[str], remedies: list[str]
) -> None:
    one = found[code]
    one.kinds.add(kind)
    one.statuses.add(status_of(kind.__new__(kind)))
    one.meanings |= dict.fromkeys(meanings)
    one.remedies |= dict.fromkeys(remedies)


def _texts(node: ast.expr, place: Place) -> list[str]:
    """The sentences that an expression may be; a name stands for what it was given, the nearest first."""
    if isinstance(node, ast.IfExp):
        return _texts(node.body, place) + _texts(node.orelse, place)
    if isinstance(node, ast.BinOp):
        return [_text(node)]
    if isinstance(node, ast.Name):
        before = [one.value for one in place.block if _gives(one, node.id) and one.lineno <= node.lineno][-1:]
        within = (place.function, place.module)
        given = next((found for one in within if (found := [g.value for g in ast.walk(one) if _gives(g, node.id)])), [])
        return [text for value in before or given for text in _texts(value, place)]
    if isinstance(node, ast.Call):
        returned = [
            one.value
            for function in place.module.body
            if isinstance(function, ast.FunctionDef) and function.name == getattr(node.func, "id", "")
            for one in ast.walk(function)
            if isinstance(one, ast.Return) and isinstance(one.value, ast.Constant | ast.JoinedStr)
        ]
        return [text for value in returned for text in _texts(value, place)]
    plain = isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [_text(node)] if plain and _text(node) else []


def _gives(node: ast.AST, name: str) -> TypeGuard[ast.Assign | ast.NamedExpr]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.NamedExpr) else []
    return any(isinstance(one, ast.Name) and one.id == name for one in targets)


def _text(node: ast.expr) -> str:
    """A text of the code, with … for what is filled in."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(one) for one in node.values)
    if isinstance(node, ast.BinOp):
        return _text(node.left) + _text(node.right)
    return "…"


# --- codes that are put together while the house runs ---


COMPUTED: Final = {
    ("rating/read.py", "f'tariff.{what}'"),
    ("rating/index.py", "f'tariff.{what}'"),
    *(
        ("rating/fields.py", f"f'{{kind}}.{what}'")
        for what in ("not_a_number", "out_of_range", "missing", "not_a_time")
    ),
    ("workflows/change_operator.py", "f'operators.bad_{what}'"),
    ("entrypoints/http/limits.py", "f\"limits.{policy.name.replace('-', '_')}\""),
    ("adapters/storage/backup.py", "f'backup.no_{name}'"),
    ("adapters/storage/backup.py", "failed"),
    ("adapters/storage/rows.py", "f'{self._name}.not_found'"),
}
"""Where: `_read_computed` says which codes these are."""


def _read_computed(found: Problems) -> None:
    put_together = (
        ("rating/read.py", "tariff."),
        ("rating/index.py", "tariff."),
        ("workflows/change_operator.py", "operators.bad_"),
    )
    for name, start in put_together:
        for call in _calls(name, "_bad"):
            given = {one.arg: one.value for one in call.keywords}
            place = Place(name, ast.Module([], []), call, [])
            remedies = _texts(given["remedy"], place) if "remedy" in given else []
            for what in _texts(given["what"], place):
                _keep(found, f"{start}{what}", errors.BadInput, _texts(given["says"], place), remedies)
    _read_fields(found)
    for name in Settings.model_fields:
        if name.startswith("limit_"):
            code = f"limits.{name.removeprefix('limit_')}"
            _keep(found, code, errors.TooMany, ["more than … requests in … seconds"], [])
    for call in _calls("adapters/storage/backup.py", "_program"):
        program = _text(call.args[0])
        meaning = f"{program} is not here, and PostgreSQL is backed up and restored by it"
        remedy = "install PostgreSQL's client programs, of the server's version or newer: apt install postgresql-client"
        _keep(found, f"backup.no_{program}", errors.BadInput, [meaning], [remedy])
    for call in _calls("adapters/storage/backup.py", "_run"):
        code = next(_text(one.value) for one in call.keywords if one.arg == "failed")
        remedy = "the sentence is PostgreSQL's own; mend that and run the command again"
        _keep(found, code, errors.Broken, ["… failed: …"], [remedy])
    for name in MAPPINGS:
        _keep(found, f"{name}.not_found", errors.NotFound, [f"none of the {name.replace('_', ' ')} has the id …"], [])
    for status, code in ((404, "not_found"), (405, "request.method_not_allowed"), (400, "request.refused")):
        one = found[code]
        one.statuses.add(status)
        one.meanings |= {HTTPStatus(status).description.lower() or HTTPStatus(status).phrase.lower(): None}
    found["request.unreadable"].statuses.add(HTTPStatus.UNPROCESSABLE_ENTITY)


def _read_fields(found: Problems) -> None:
    """Fields of a tariff, a record or whatever is read with the same functions: each under the name that they are told."""
    module = ast.parse((SOURCE / "rating/fields.py").read_text(encoding="utf-8"))
    calls = [call for path in (SOURCE / "rating").glob("*.py") for call in _calls(f"rating/{path.name}")]
    for function in [one for one in module.body if isinstance(one, ast.FunctionDef)]:
        names = [one.arg for one in function.args.args]
        if "kind" not in names:
            continue
        at = names.index("kind")
        kinds = {_text(function.args.defaults[at - len(names)])}
        for call in calls:
            if getattr(call.func, "id", "") == function.name:
                told = call.args[at : at + 1] + [one.value for one in call.keywords if one.arg == "kind"]
                kinds |= {_text(one) for one in told}
        place = Place("rating/fields.py", module, function, [])
        for one in ast.walk(function):
            given = _given(one, "BadField") if isinstance(one, ast.Call) else {}
            if isinstance(code := given.get("code"), ast.JoinedStr):
                for kind in kinds - {"…"}:
                    own = f"{kind}.{_text(code).removeprefix('….')}"
                    _keep(found, own, errors.BadInput, _texts(given["says"], place), [])


def _calls(name: str, called: str | None = None) -> list[ast.Call]:
    tree = ast.parse((SOURCE / name).read_text(encoding="utf-8"))
    calls = [one for one in ast.walk(tree) if isinstance(one, ast.Call)]
    return [one for one in calls if called is None or getattr(one.func, "id", "") == called]


# --- telling ---


def _told(code: str, one: Found) -> dict[str, Any]:
    kind = min(one.kinds, key=status_of_kind, default=errors.BadInput)
    own = [sentence(text) for text in one.remedies if text != "…"]
    return {
        "code": code,
        "statuses": sorted(one.statuses),
        "meanings": [sentence(text) for text in one.meanings]
        or [sentence((kind.__doc__ or "").splitlines()[0].rstrip("."))],
        "remedies": own or [sentence(next(text for known, text in AT_LAST.items() if issubclass(kind, known)))],
    }


def status_of_kind(kind: type[errors.TallywattError]) -> int:
    """The status of a class."""
    return status_of(kind.__new__(kind))


def sentence(text: str) -> str:
    """What the code says in the middle of a line, as a sentence."""
    text = text.strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('?') else '.'}"


def manual() -> str:
    """The page of the documentation."""
    lines = ["| code | status | meaning | what to do |", "|---|---|---|---|"]
    lines += [
        LINE.format(
            code=one["code"],
            statuses=", ".join(map(str, one["statuses"])),
            meaning=_cell(one["meanings"]),
            remedy=_cell(one["remedies"]),
        )
        for one in problems()
    ]
    return HEAD + "\n" + "\n".join(lines) + "\n"


def _cell(texts: list[str]) -> str:
    return " ".join(texts).replace("|", "\\|").replace("\n", " ")


def data() -> str:
    """What the page at `/problems` is made of."""
    return json.dumps(problems(), ensure_ascii=False, indent=0) + "\n"


if __name__ == "__main__":
    MANUAL.write_text(manual(), encoding="utf-8")
    DATA.write_text(data(), encoding="utf-8")
