"""Pure: the shapes of export that we can read, told apart by their header."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tallywatt.kernel.errors import BadInput

WhenCandidates = Callable[[str, str], tuple[datetime, ...]]


@dataclass(frozen=True, slots=True)
class Shape:
    """Which column means what, and how the file writes its dates."""

    name: str
    upstream_id: str | None
    user: str | None
    candidates: WhenCandidates
    zone: str = "Europe/London"
    station: str = "CP ID"
    connector: str = "Connector"
    start_date: str = "Start Date"
    start_time: str = "Start Time"
    end_date: str = "End Date"
    end_time: str = "End Time"
    energy_kwh: str = "Total kWh"
    site: str = "Site"
    model: str = "Model"

    @property
    def required(self) -> frozenset[str]:
        """The columns without which a file is not of this shape."""
        named = (
            self.upstream_id,
            self.user,
            self.station,
            self.connector,
            self.start_date,
            self.start_time,
            self.end_date,
            self.end_time,
            self.energy_kwh,
            self.site,
            self.model,
        )
        return frozenset(name for name in named if name is not None)


def day_first(date_text: str, time_text: str) -> tuple[datetime, ...]:
    """06/09/2018 is the sixth of September, and nothing else."""
    return (datetime.strptime(f"{date_text.strip()} {time_text.strip()}", "%d/%m/%Y %H:%M"),)  # noqa: DTZ007 - dates.py joins the zone on


def iso_perhaps_swapped(date_text: str, time_text: str) -> tuple[datetime, ...]:
    """2019-12-08T00:00:00 as written, and with day and month exchanged where that is a date too."""
    written = datetime.strptime(f"{date_text.strip()[:10]} {time_text.strip()}", "%Y-%m-%d %H:%M")  # noqa: DTZ007 - see day_first
    if written.day > 12 or written.day == written.month:
        return (written,)
    return (written, written.replace(month=written.day, day=written.month))


DUNDEE = Shape("dundee", upstream_id="Charging event", user="User ID", candidates=day_first)
PERTH = Shape("perth", upstream_id=None, user=None, candidates=iso_perhaps_swapped)
SHAPES = (DUNDEE, PERTH)


def shape_of(header: list[str]) -> Shape:
    """The shape of a file with this header, or BadInput; the shape that names the most columns wins."""
    columns = {name.strip() for name in header}
    fitting = [shape for shape in SHAPES if shape.required <= columns]
    if not fitting:
        nearest = min(SHAPES, key=lambda shape: len(shape.required - columns))
        missing = ", ".join(sorted(nearest.required - columns))
        msg = f"The header fits no known export; of the shape {nearest.name!r} these columns are missing: {missing}"
        raise BadInput(msg, code="import.unknown_shape", remedy="Name the columns as the network's own export does.")
    return max(fitting, key=lambda shape: len(shape.required))
