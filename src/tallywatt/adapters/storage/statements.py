"""Statements written in SQLAlchemy Core, compiled once per dialect, and run on the driver's cursor with plain tuples.

Core at run time costs 9–10 ms a session, the compiled text 0.7 ms; see `docs/decisions/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

if TYPE_CHECKING:
    from sqlalchemy.sql import ClauseElement

_DIALECTS = {
    "sqlite": SQLiteDialect(paramstyle="qmark"),
    "postgresql": PGDialect(paramstyle="format"),  # type: ignore[no-untyped-call]  # SQLAlchemy left it without types
}


class Statement:
    """A compiled statement: its text, and the order of its parameters."""

    __slots__ = ("_fixed", "names", "sql")

    def __init__(self, clause: ClauseElement, dialect: str) -> None:
        compiled = clause.compile(dialect=_DIALECTS[dialect])
        self.sql = str(compiled)
        self.names: tuple[str, ...] = tuple(compiled.positiontup or ())  # type: ignore[attr-defined]  # every SQL compiler has it
        self._fixed: dict[str, Any] = dict(compiled.params)
        self._write_out_lists("?" if dialect == "sqlite" else "%s")

    def _write_out_lists(self, mark: str) -> None:
        """Core leaves lists of IN open until it runs a statement; ours are known when it is compiled."""
        names: list[str] = []
        for name in self.names:
            place = f"__[POSTCOMPILE_{name}]"
            if place not in self.sql:
                names.append(name)
                continue
            items = self._fixed.pop(name)
            own = [f"{name}_{number}" for number in range(len(items))]
            self._fixed.update(zip(own, items, strict=True))
            names += own
            self.sql = self.sql.replace(place, ", ".join([mark] * len(items)), 1)
        self.names = tuple(names)

    def bind(self, values: dict[str, Any]) -> tuple[Any, ...]:
        """The parameters in order; literals of the statement keep their own value."""
        fixed = self._fixed
        return tuple(values[name] if name in values else fixed[name] for name in self.names)


_COMPILED: dict[tuple[int, str], tuple[ClauseElement, Statement]] = {}


def compiled(clause: ClauseElement, dialect: str) -> Statement:
    """The compiled form of a clause that lives as long as the program (a module's constant)."""
    found = _COMPILED.get((id(clause), dialect))
    if found is None:
        # The clause is kept beside its statement, so that its id cannot be given to another one.
        found = _COMPILED[id(clause), dialect] = (clause, Statement(clause, dialect))
    return found[1]
