"""A list in pages: in the order of a key that never changes, so that what is added meanwhile moves nothing."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Text, bindparam, tuple_

from tallywatt.adapters.storage.views.asking import Question, Row
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Column, ColumnElement, Select

    from tallywatt.adapters.storage.connections import Connection

LARGEST = 2**63 - 1
SHAPES = 256
"""More combinations of filters than a list has are compiled for nobody."""


class Listing:
    """A select, the columns of its order (the last one tells rows apart), and what it may be narrowed by."""

    def __init__(
        self,
        clause: Select[Any],
        order: Sequence[Column[Any]],
        filters: Mapping[str, ColumnElement[bool]] | None = None,
        *,
        newest_first: bool = False,
    ) -> None:
        self._order = tuple(order)
        self._keys = tuple(f"key_{place}" for place in range(len(order)))
        labels = [column.label(name) for name, column in zip(self._keys, order, strict=True)]
        self._clause = clause.add_columns(*labels)
        self._filters = dict(filters or {})
        self._newest_first = newest_first
        self._question = lru_cache(maxsize=SHAPES)(self.question)

    def question(self, names: tuple[str, ...], *, on: bool) -> Question:
        """The page that is narrowed by these filters; `on`: it goes on behind a cursor."""
        tests = [self._filters[name] for name in names]
        if on:
            own, given = tuple_(*self._order), tuple_(*(bindparam(f"behind_{key}") for key in self._keys))
            tests.append(own < given if self._newest_first else own > given)
        ordered = [column.desc() if self._newest_first else column for column in self._order]
        return Question(self._clause.where(*tests).order_by(*ordered).limit(bindparam("most")))

    def page(
        self, connection: Connection, operator_id: str, most: int, cursor: str | None = None, **filters: Any
    ) -> Row:
        """`items`, and `next`: the cursor of the page behind, None on the last one. Filters that are None do not narrow."""
        given = {name: value for name, value in filters.items() if value is not None}
        behind = {} if cursor is None else self._read(cursor)
        question = self._question(tuple(sorted(given)), on=cursor is not None)
        found = question.rows(connection, operator=operator_id, most=most + 1, **given, **behind)
        keys = [[row.pop(name) for name in self._keys] for row in found]
        more = msgspec.json.encode(keys[most - 1]).decode() if len(found) > most else None
        return {"items": found[:most], "next": more}

    def _read(self, cursor: str) -> dict[str, str | int]:
        try:
            values = msgspec.json.decode(cursor)
        except msgspec.MsgspecError:
            values = None
        kinds = [str if isinstance(column.type, Text) else int for column in self._order]
        if not isinstance(values, list) or [type(value) for value in values] != kinds:
            raise bad_cursor()
        if not all(value.isprintable() if isinstance(value, str) else abs(value) <= LARGEST for value in values):
            raise bad_cursor()
        return {f"behind_{key}": value for key, value in zip(self._keys, values, strict=True)}


def bad_cursor() -> BadInput:
    """A cursor that no page of this list has given."""
    msg = "this cursor is not one of this list"
    return BadInput(msg, code="request.bad_cursor", remedy="use what `next` said, or leave it out for the first page")
