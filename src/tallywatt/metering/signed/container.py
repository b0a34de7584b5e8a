"""Pure: the SAFE XML container: what the official transparency software opens, read with care and written.

No document type, no entity, no processing of anything outside: such a text is refused before it can mean something.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from xml.parsers.expat import ExpatError, ParserCreate
from xml.sax.saxutils import escape, quoteattr

from tallywatt.metering.signed import octets

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME: Final = "SAFE_XML"
MOST_VALUES: Final = 1_000
_DEEPEST: Final = 16
_KEPT: Final = {"\r": "&#13;"}
"""A reader of XML would make a line end of another kind of it, and the signature would not fit any more."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a container."""

    data: str = ""
    format: str | None = None
    encoding: str | None = None
    key: str | None = None
    context: str | None = None
    transaction_id: str | None = None

    @property
    def text(self) -> str:
        """The record as its meter wrote it, out of the encoding around it."""
        read = {"hex": octets.from_hex, "base64": octets.from_base64, "base32": octets.from_base32}.get(
            (self.encoding or "").lower()
        )
        data = read(self.data) if read else None
        return self.data.strip() if data is None else data.decode("utf-8", "surrogateescape")


class NotAContainer(ValueError):
    """The text is no SAFE XML, or one that reaches for more than its own text."""


def read_container(text: str) -> tuple[Value, ...]:
    """The values of a container, in their order."""
    reader = _Reader()
    try:
        reader.parser.Parse(text.encode("utf-8", "surrogatepass"), True)
    except (ExpatError, ValueError, LookupError) as error:
        raise NotAContainer from error
    if not reader.is_container:
        raise NotAContainer
    return tuple(reader.values)


class _Reader:
    """Collects what stands in `signedData` and `publicKey`; everything else is passed over."""

    def __init__(self) -> None:
        # The text is UTF-8 by now, whatever its first line says.
        self.parser = ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.ExternalEntityRefHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.values: list[Value] = []
        self.is_container = False
        self._path: list[str] = []
        self._inside: list[str] = []
        self._current: Value | None = None
        self._outer: dict[str, str] = {}

    def _refuse(self, *_: object) -> int:
        raise NotAContainer

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        self._path.append(local)
        if len(self._path) > _DEEPEST or len(self.values) > MOST_VALUES:
            raise NotAContainer
        if len(self._path) == 1:
            self.is_container = local == "values"
            self._outer = attributes
        elif local == "value" and len(self._path) == 2:
            self._current = Value(
                context=attributes.get("context") or self._outer.get("context"),
                transaction_id=attributes.get("transactionId") or self._outer.get("transactionId"),
            )
        elif local == "signedData" and self._current is not None:
            self._inside = []
            self._current = replace(
                self._current,
                format=attributes.get("format"),
                encoding=attributes.get("encoding"),
                transaction_id=self._current.transaction_id or attributes.get("transactionId"),
            )
        elif local == "publicKey" and self._current is not None:
            self._inside = []

    def _end(self, _: str) -> None:
        local = self._path.pop()
        if self._current is None:
            return
        if local == "signedData":
            self._current = replace(self._current, data="".join(self._inside))
        elif local == "publicKey":
            self._current = replace(self._current, key="".join(self._inside).strip() or None)
        elif local == "value" and len(self._path) == 1:
            self.values.append(self._current)
            self._current = None

    def _text(self, text: str) -> None:
        if self._path and self._path[-1] in {"signedData", "publicKey"}:
            self._inside.append(text)


def write_container(values: Iterable[Value]) -> str:
    """A container with these values. Nothing stands around a record within its element: a blank would break its signature."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<values>"]
    for one in values:
        transaction = "" if one.transaction_id is None else f" transactionId={quoteattr(one.transaction_id)}"
        context = "" if one.context is None else f" context={quoteattr(one.context)}"
        about = f"format={quoteattr(one.format or 'OCMF')} encoding={quoteattr(one.encoding or 'plain')}{transaction}"
        lines += [
            f"  <value{transaction}{context}>",
            f"    <signedData {about}>{escape(one.data, _KEPT)}</signedData>",
        ]
        if one.key is not None:
            lines.append(f'    <publicKey encoding="plain">{escape(one.key)}</publicKey>')
        lines.append("  </value>")
    return "\n".join([*lines, "</values>", ""])
