"""A day of real charging sessions, normalised: the rows that the simulated site plays."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, fields
from importlib.resources import files
from typing import TYPE_CHECKING

from tallywatt.kernel.clock import Instant, parse_instant, rfc3339
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DUNDEE = "dundee-2018-08-24"


@dataclass(frozen=True, slots=True)
class Row:
    """One session as it was: who, where, when, how much. `driver` is a pseudonym; None paid without being known."""

    id: str
    driver: str | None
    station: str
    connector: int
    started_at: Instant
    ended_at: Instant
    milliwatt_hours: int
    site: str
    model: str
    current: str
    max_kw: int

    def __post_init__(self) -> None:
        assert self.started_at < self.ended_at, "a session takes time"
        assert self.milliwatt_hours > 0, "a session without energy is no session to play"
        assert self.current in ("ac", "dc"), "current is ac or dc"


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows in the order in which they started, under a name."""

    name: str
    rows: tuple[Row, ...]

    @property
    def drivers(self) -> tuple[str, ...]:
        """The drivers that are known by a pseudonym, each once."""
        return tuple(sorted({row.driver for row in self.rows if row.driver is not None}))

    @property
    def connectors(self) -> tuple[tuple[str, int], ...]:
        """Every connector that the rows use, as station and number."""
        return tuple(sorted({(row.station, row.connector) for row in self.rows}))

    @property
    def milliwatt_hours(self) -> int:
        """The energy of all rows."""
        return sum(row.milliwatt_hours for row in self.rows)


def read(path: Path | None = None) -> Sample:
    """The sample in that file, or the day in Dundee that comes with the package."""
    if path is None:
        text = files(__package__).joinpath("samples").joinpath(f"{DUNDEE}.csv").read_text("utf-8")
        return parse(DUNDEE, text)
    try:
        return parse(path.stem, path.read_text("utf-8"))
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise BadInput(msg, code="sample.unreadable") from error


def parse(name: str, text: str) -> Sample:
    """The sample that a normalised CSV text holds."""
    lines = csv.DictReader(io.StringIO(text))
    columns = [field.name for field in fields(Row)]
    if lines.fieldnames != columns:
        msg = f"A normalised sample has the columns {', '.join(columns)}"
        raise BadInput(
            msg, code="sample.columns", remedy="Make one with `python -m tallywatt.simulators.site.normalise`."
        )
    rows = [_row(line) for line in lines]
    return Sample(name, tuple(sorted(rows, key=lambda row: (row.started_at, row.station, row.connector))))


def _row(line: dict[str, str]) -> Row:
    return Row(
        id=line["id"],
        driver=line["driver"] or None,
        station=line["station"],
        connector=int(line["connector"]),
        started_at=parse_instant(line["started_at"]),
        ended_at=parse_instant(line["ended_at"]),
        milliwatt_hours=int(line["milliwatt_hours"]),
        site=line["site"],
        model=line["model"],
        current=line["current"],
        max_kw=int(line["max_kw"]),
    )


def write(rows: Iterable[Row]) -> str:
    """The rows as normalised CSV text; `parse` reads it back."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(field.name for field in fields(Row))
    for row in rows:
        lines.writerow(
            (
                row.id,
                row.driver or "",
                row.station,
                row.connector,
                rfc3339(row.started_at),
                rfc3339(row.ended_at),
                row.milliwatt_hours,
                row.site,
                row.model,
                row.current,
                row.max_kw,
            )
        )
    return text.getvalue()
