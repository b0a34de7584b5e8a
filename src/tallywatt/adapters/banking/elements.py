"""Pure: XML of banks as elements by their names alone, and the texts in them. What declares a document type is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import ParseError, TreeBuilder
from xml.parsers import expat

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree.ElementTree import Element

    from tallywatt.kernel.errors import TallywattError

DEEPEST: Final = 64
LONGEST: Final = 1000


def tree_of(content: bytes, unreadable: Callable[[str], TallywattError]) -> Element:
    """The elements of a file, without their namespaces; what `unreadable` makes of a reason is raised for what is none."""
    builder, depth = TreeBuilder(), 0
    reader = expat.ParserCreate(namespace_separator="}")

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            msg = "its elements lie too deep in one another"
            raise unreadable(msg)
        builder.start(name.rpartition("}")[2], attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name.rpartition("}")[2])

    def refuse(*_: object) -> None:
        msg = "it declares a document type, which no file of a bank does"
        raise unreadable(msg)

    reader.StartElementHandler, reader.EndElementHandler = start, end
    reader.CharacterDataHandler = builder.data
    reader.StartDoctypeDeclHandler = reader.EntityDeclHandler = refuse
    try:
        reader.Parse(content, True)
        return builder.close()
    except (expat.ExpatError, ParseError, AssertionError, ValueError, LookupError) as error:
        msg = f"it is no XML: {str(error)[:100]}"
        raise unreadable(msg) from error


def text_at(at: Element | None, *paths: str) -> str | None:
    """The text at the first of the paths at which there is any."""
    for path in paths:
        found = None if at is None else at.find(path)
        text = " ".join((found.text or "").split()) if found is not None else ""
        if text:
            return text[:LONGEST]
    return None
