"""Pure: why a row is not of its shape, in sentences and codes of ours: a library changes its own."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, get_type_hints

import msgspec
from msgspec.inspect import (
    DateTimeType,
    DecimalType,
    EnumType,
    IntType,
    LiteralType,
    Metadata,
    NoneType,
    StrType,
    UnionType,
    type_info,
)

from tallywatt.adapters.imports.rows import Finding

if TYPE_CHECKING:
    from msgspec.inspect import StructType, Type

NOT_JSON: Final = Finding("row.not_json", "The line is no JSON.")
NOT_STORABLE: Final = Finding("row.not_storable", "The line holds text that cannot be stored.")
LONGEST_NAME: Final = 40
WANTED: Final = {
    "email": "an e-mail address",
    "language": "the code of a language, like en or de-AT",
    "evses": "how many EVSEs there are, from 1 to 64, or a list of them with number, current, max_watts and code",
}
"""What a member has to be, where its type does not say it in words."""

IN_WORDS: Final = {
    StrType: "a text",
    IntType: "a whole number",
    DecimalType: "a figure, with a point before its decimals",
    DateTimeType: "a moment with its date, time and zone, like 2026-01-01T08:30:00Z",
}


def why_not(value: Any, shape: type[msgspec.Struct], *, strict: bool) -> Finding:
    """The first reason why this is no row of that shape. Only names are repeated, nothing of what a file says about people."""
    if not isinstance(value, dict):
        return Finding("row.not_an_object", "The line is no JSON object, with names and values in braces.")
    fields = {field.encode_name: field for field in _shape(shape).fields}
    for name in value:
        if name not in fields:
            told = name if len(name) <= LONGEST_NAME and name.isprintable() else "that is there"
            return Finding("row.member_unknown", f"Nobody reads the member {told}; there are {', '.join(fields)}.")
    for name, field in fields.items():
        if name not in value:
            if field.required:
                return Finding("row.member_missing", f"The member {name} is missing.")
            continue
        try:
            msgspec.convert(value[name], get_type_hints(shape, include_extras=True)[name], strict=strict)
        except (msgspec.ValidationError, ValueError, OverflowError, RecursionError):
            return Finding("row.member_unfit", f"The member {name} has to be {WANTED.get(name) or wanted(field.type)}.")
    return Finding("row.member_unfit", f"This is no {shape.__name__.removesuffix('Row').lower()}.")


@cache
def _shape(shape: type[msgspec.Struct]) -> StructType:
    found = type_info(shape)
    assert isinstance(found, msgspec.inspect.StructType), "rows are structs"
    return found


def wanted(kind: Type) -> str:
    """What a value of a type has to be, in words."""
    if isinstance(kind, Metadata):
        return wanted(kind.type)
    if isinstance(kind, UnionType):
        return " or ".join(wanted(one) for one in kind.types if not isinstance(one, NoneType))
    if isinstance(kind, (LiteralType, EnumType)):
        values = kind.values if isinstance(kind, LiteralType) else [one.value for one in kind.cls]
        return f"one of {', '.join(map(str, values))}"
    if isinstance(kind, StrType) and kind.max_length is not None:
        return f"a text of {f'{kind.min_length} to' if kind.min_length else 'at most'} {kind.max_length} characters"
    if isinstance(kind, IntType) and kind.ge is not None and kind.le is not None:
        return f"a whole number from {kind.ge} to {kind.le}"
    return IN_WORDS.get(type(kind), "of another kind")
