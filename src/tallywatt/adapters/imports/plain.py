"""Pure: our own format: rows with the members of the API's shapes, as JSON lines or as CSV with those names as its header."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec

from tallywatt.adapters.imports.read import rows_of
from tallywatt.adapters.imports.rows import Finding
from tallywatt.adapters.imports.unfit import NOT_JSON, NOT_STORABLE, why_not
from tallywatt.kernel.clock import Instant, instant
from tallywatt.kernel.energy import milliwatt_hours
from tallywatt.kernel.errors import BadInput, TallywattError
from tallywatt.metering.session import Source
from tallywatt.stations.station import Current
from tallywatt.workflows.add_customer import AddCustomer, AddToken
from tallywatt.workflows.add_station import AddStation, NewEvse
from tallywatt.workflows.bring_session import BringSession
from tallywatt.workflows.imports import ImportKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    HashKey = Callable[[str], str]

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Text = Annotated[str, msgspec.Meta(max_length=200)]
Identity = Annotated[str, msgspec.Meta(min_length=1, max_length=48)]
Reference = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Code = Annotated[str, msgspec.Meta(max_length=48)]
LARGEST_WH: Final = 10_000_000


class Row(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What all have in common: a member that nobody reads is refused, so that a misspelt one is not ignored."""

    def command(self, hash_key: HashKey) -> Any:
        """What the row wants."""
        raise NotImplementedError  # a struct cannot be abstract: each kind of row says what it wants


class SessionRow(Row, frozen=True):
    """A finished session, as `POST /sessions` takes it."""

    upstream_id: Reference
    started_at: Moment
    ended_at: Moment
    energy_wh: Decimal
    evse: Code | None = None
    station: Identity | None = None
    evse_number: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    token: Annotated[str, msgspec.Meta(max_length=36)] | None = None
    customer: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    energy_ended_at: Moment | None = None
    occupancy_ended_at: Moment | None = None

    def command(self, hash_key: HashKey) -> BringSession:
        """Under the source `api`: told there as well, it is the same session."""
        del hash_key
        if not self.energy_wh.is_finite() or not 0 <= self.energy_wh <= LARGEST_WH:
            msg = "the energy is below zero, or more than any session takes"
            raise BadInput(msg, code="sessions.energy_not_credible", remedy="give it in watt-hours")
        return BringSession(
            source=Source.API,
            upstream_id=self.upstream_id,
            started_at=instant(self.started_at),
            ended_at=instant(self.ended_at),
            milliwatt_hours=milliwatt_hours(self.energy_wh, "Wh"),
            evse_code=self.evse,
            station=self.station,
            evse_number=self.evse_number,
            token_uid=self.token,
            customer_reference=self.customer,
            energy_ended_at=_when(self.energy_ended_at),
            occupancy_ended_at=_when(self.occupancy_ended_at),
        )


class CustomerRow(Row, frozen=True):
    """An account, as `POST /customers` takes it."""

    reference: Reference
    name: Text = ""
    email: Annotated[str, msgspec.Meta(max_length=254, pattern="^[^@ ]+@[^@ ]+$")] | None = None
    address: Text | None = None
    language: Annotated[str, msgspec.Meta(pattern="^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = "en"
    circles: Text | Annotated[list[Text], msgspec.Meta(max_length=20)] = ""
    """A table cannot hold a list: there they are divided by commas."""

    def command(self, hash_key: HashKey) -> AddCustomer:
        """The new account."""
        del hash_key
        told = self.circles.split(",") if isinstance(self.circles, str) else self.circles
        circles = tuple(one.strip() for one in told if one.strip())
        return AddCustomer(self.reference, self.name, self.email, self.address, self.language, circles)


class TokenRow(Row, frozen=True):
    """A card, as `POST /tokens` takes it."""

    uid: Annotated[str, msgspec.Meta(min_length=1, max_length=36)]
    customer: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    type: Literal["RFID", "APP_USER", "OTHER"] = "RFID"
    valid_until: Moment | None = None
    group: Annotated[str, msgspec.Meta(min_length=1, max_length=36)] | None = None

    def command(self, hash_key: HashKey) -> AddToken:
        """The new card."""
        del hash_key
        return AddToken(self.uid, self.customer, self.type, _when(self.valid_until), self.group)


class EvseRow(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An EVSE of a station."""

    number: Annotated[int, msgspec.Meta(ge=1, le=64)]
    current: Current = Current.AC
    max_watts: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] | None = None
    code: Code | None = None


class StationRow(Row, frozen=True):
    """A station, as `POST /stations` takes it; a table cannot hold a list, so there `evses` says how many alike it has."""

    identity: Identity
    location: Identity | None = None
    key: Annotated[str, msgspec.Meta(min_length=8, max_length=200)] | None = None
    evses: (
        Annotated[int, msgspec.Meta(ge=1, le=64)]
        | Annotated[list[EvseRow], msgspec.Meta(min_length=1, max_length=64)]
    ) = 1  # fmt: skip
    current: Current = Current.AC
    max_watts: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] | None = None

    def command(self, hash_key: HashKey) -> AddStation:
        """The new station; its key goes no further than this."""
        if isinstance(self.evses, int):
            evses = tuple(NewEvse(number + 1, self.current, self.max_watts) for number in range(self.evses))
        else:
            evses = tuple(NewEvse(one.number, one.current, one.max_watts, one.code) for one in self.evses)
        return AddStation(self.identity, self.location, None if self.key is None else hash_key(self.key), evses)


SHAPES: Final[dict[ImportKind, type[Row]]] = {
    ImportKind.SESSIONS: SessionRow,
    ImportKind.CUSTOMERS: CustomerRow,
    ImportKind.TOKENS: TokenRow,
    ImportKind.STATIONS: StationRow,
}


def columns_of(kind: ImportKind) -> tuple[str, ...]:
    """The names that a header may have."""
    return tuple(field.name for field in msgspec.structs.fields(SHAPES[kind]))


def required_of(kind: ImportKind) -> tuple[str, ...]:
    """The names that a header must have."""
    return tuple(field.name for field in msgspec.structs.fields(SHAPES[kind]) if field.required)


Judged = tuple[int, Any, Finding | None]
"""Line, command, and why there is none."""


def json_lines(text: str, kind: ImportKind, hash_key: HashKey) -> Iterator[Judged]:
    """A JSON object a line."""
    for line, written in enumerate(text.split("\n"), 1):
        if written.strip():
            yield _judged(line, partial(_of_json, written), kind, hash_key, strict=True)


def table(text: str, kind: ImportKind, hash_key: HashKey) -> Iterator[Judged]:
    """CSV with our names as its header; an empty cell is a member that is left out."""
    rows = rows_of(text)
    header = [name.strip() for name in next(rows, (1, []))[1]]
    for line, cells in rows:
        if any(cell.strip() for cell in cells):
            yield _judged(line, partial(_of_cells, header, cells), kind, hash_key, strict=False)


def require_known(header: list[str], kind: ImportKind) -> None:
    """Refuse a file whose header has a name that nobody reads, or lacks one that every row needs."""
    unknown = [name for name in header if name not in columns_of(kind)]
    missing = [name for name in required_of(kind) if name not in header]
    if unknown or missing or len(set(header)) != len(header):
        what = f"nobody reads the column {unknown[0]!r}" if unknown else "a column is there twice"
        msg = f"the column {missing[0]!r} is missing" if missing else what
        raise BadInput(msg, code="import.unknown_shape", remedy=f"name the columns: {', '.join(columns_of(kind))}")


def _judged(line: int, read: Callable[[], Any], kind: ImportKind, hash_key: HashKey, *, strict: bool) -> Judged:
    try:
        value = _stripped(read())
    except TallywattError as error:
        return line, None, Finding(error.code, error.message)
    except UnicodeEncodeError:
        return line, None, NOT_STORABLE
    except (ValueError, RecursionError):
        return line, None, NOT_JSON
    try:
        return line, msgspec.convert(value, SHAPES[kind], strict=strict).command(hash_key), None
    except TallywattError as error:
        return line, None, Finding(error.code, error.message)
    except (msgspec.ValidationError, ValueError, OverflowError, RecursionError):
        return line, None, why_not(value, SHAPES[kind], strict=strict)


def _of_json(written: str) -> Any:
    if "\\u0000" in written or "\0" in written:
        raise _not_storable()
    # Figures are read as they are written: a float would have lost digits before anybody could look.
    return json.loads(written, parse_float=Decimal, parse_constant=_no_figure)


def _no_figure(name: str) -> Any:
    msg = f"{name} is no figure"
    raise ValueError(msg)


def _not_storable() -> BadInput:
    return BadInput(NOT_STORABLE.sentence, code=NOT_STORABLE.code)


def _of_cells(header: list[str], cells: list[str]) -> dict[str, str]:
    if len(cells) != len(header):
        msg = "the row has not as many columns as the header"
        raise BadInput(msg, code="row.malformed")
    if any("\0" in cell for cell in cells):
        raise _not_storable()
    return {name: cell for name, cell in zip(header, cells, strict=True) if cell.strip()}


def _stripped(value: Any) -> Any:
    """Texts without blanks around them, as the API takes them; half of a surrogate pair is refused."""
    if isinstance(value, dict):
        return {name: _stripped(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_stripped(one) for one in value]
    if isinstance(value, str):
        value.encode()
        return value.strip()
    return value


def _when(at: datetime | None) -> Instant | None:
    return None if at is None else instant(at)
