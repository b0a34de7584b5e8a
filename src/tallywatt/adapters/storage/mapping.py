"""How a row of a table becomes a frozen dataclass of a room, and back: by order of columns, without an ORM."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum

    from sqlalchemy import Column, Table

T = TypeVar("T")
_json_encoder = msgspec.json.Encoder(order="sorted")
_json_decoder = msgspec.json.Decoder()


def to_json(value: object) -> str:
    """Canonical JSON: sorted keys, no spaces."""
    return _json_encoder.encode(value).decode()


def from_json(text: str) -> Any:
    """The value of a JSON text."""
    return _json_decoder.decode(text)


class Mapping(Generic[T]):
    """A table and the dataclass of its rows: the same names in the same order, `operator_id` left out."""

    def __init__(self, table: Table, row_class: type[T]) -> None:
        self.table = table
        self.row_class = row_class
        self.key: tuple[str, ...] = table.info["key"]
        self.names = tuple(field.name for field in fields(row_class))  # type: ignore[arg-type]  # T is always a dataclass
        columns = [column for column in table.columns if column.name != "operator_id"]
        own = tuple(column.name for column in columns)
        assert self.names == own, f"{table.name}: {own} is not {row_class.__name__}: {self.names}"
        self.versioned = "version" in self.names
        self._codecs = [
            (place, *_codec(column)) for place, column in enumerate(columns) if column.info.get("codec") is not None
        ]
        getter = attrgetter(*self.names)
        self._values: Callable[[T], tuple[Any, ...]] = getter if len(self.names) > 1 else lambda row: (getter(row),)

    def encode(self, row: T) -> tuple[Any, ...]:
        """The column values of a row, in order."""
        if not self._codecs:
            return self._values(row)
        values = list(self._values(row))
        for place, encode, _ in self._codecs:
            if values[place] is not None:
                values[place] = encode(values[place])
        return tuple(values)

    def decode(self, values: tuple[Any, ...]) -> T:
        """The row of column values (without the operator)."""
        if not self._codecs:
            return self.row_class(*values)
        changed = list(values)
        for place, _, decode in self._codecs:
            if changed[place] is not None:
                changed[place] = decode(changed[place])
        return self.row_class(*changed)


def _codec(column: Column[Any]) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    match column.info["codec"]:
        case "flag":
            return int, bool
        case "choice":
            kinds: type[StrEnum] = column.info["choices"]
            return (lambda one: one.value), {one.value: one for one in kinds}.__getitem__
        case "decimal":
            return (lambda one: format(one, "f")), Decimal
        case "texts":
            return (lambda one: to_json(list(one))), (lambda text: tuple(from_json(text)))
        case _:
            return to_json, from_json
