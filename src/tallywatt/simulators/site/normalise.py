"""Make a sample from Dundee's published export: `python -m tallywatt.simulators.site.normalise EXPORT DATE OUTPUT`.

It reads the file on its own, without the importer: a simulator stands outside of the house. What it drops is what the
importer refuses: rows without an end, without energy, longer than a day or stronger on average than 60 kW.
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
from collections import defaultdict
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from tallywatt.kernel.clock import instant
from tallywatt.kernel.energy import milliwatt_hours
from tallywatt.simulators.site.sample import Row, write

LONDON = ZoneInfo("Europe/London")
HOUR = 3_600_000
LONGEST = 24 * HOUR
STRONGEST_MEAN_KW = 60
STEPS_KW = (7, 22, 43, 50, 60)
"""The outlets that are sold; a connector that gave more than its model's name says gets the next one."""


def normalise(text: str, day: date) -> list[Row]:
    """The clean sessions of a day, oldest first, with drivers numbered in the order in which they first appear."""
    clean = [row for line in csv.DictReader(io.StringIO(text)) if (row := _clean(line, day)) is not None]
    clean.sort(key=lambda row: (row.started_at, int(row.id)))
    return _with_honest_outlets(_with_pseudonyms(clean))


def _clean(line: dict[str, str], day: date) -> Row | None:
    start = _moment(line["Start Date"], line["Start Time"])
    if start is None or start.date() != day:
        return None
    end = _moment(line["End Date"], line["End Time"])
    if end is None or not line["Total kWh"]:
        return None
    began, ended = instant(start), instant(end)
    energy = milliwatt_hours(Decimal(line["Total kWh"]), "kWh")
    if energy <= 0 or not 0 < ended - began <= LONGEST or _mean_kw(energy, ended - began) > STRONGEST_MEAN_KW:
        return None
    current, kw = outlet(line["Model"], int(line["Connector"]))
    return Row(
        id=line["Charging event"],
        driver=line["User ID"].strip() or None,
        station=line["CP ID"],
        connector=int(line["Connector"]),
        started_at=began,
        ended_at=ended,
        milliwatt_hours=energy,
        site=line["Site"],
        model=line["Model"],
        current=current,
        max_kw=kw,
    )


def outlet(model: str, connector: int) -> tuple[str, int]:
    """AC or DC and the power that the model's name promises; on a rapid charger for several plugs, 1 is the AC one."""
    if "Raption" in model:
        return "dc", 50
    if "Rapid" in model:
        return ("ac", 43) if connector == 1 else ("dc", 50)
    return ("ac", 22) if "22kW" in model else ("ac", 7)


def _mean_kw(energy: int, milliseconds: int) -> Decimal:
    return Decimal(energy) * HOUR / (Decimal(milliseconds) * 1_000_000)


def _moment(date_text: str, time_text: str) -> datetime | None:
    if not date_text or not time_text:
        return None
    return datetime.strptime(f"{date_text} {time_text}", "%d/%m/%Y %H:%M").replace(tzinfo=LONDON)


def _with_pseudonyms(rows: list[Row]) -> list[Row]:
    numbers: dict[str, str] = {}
    for row in rows:
        if row.driver is not None:
            numbers.setdefault(row.driver, f"driver-{len(numbers) + 1:03d}")
    return [row if row.driver is None else replace(row, driver=numbers[row.driver]) for row in rows]


def _with_honest_outlets(rows: list[Row]) -> list[Row]:
    """No connector may have given more on average than its outlet can."""
    seen: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for row in rows:
        key = row.station, row.connector
        seen[key] = max(seen[key], _mean_kw(row.milliwatt_hours, row.ended_at - row.started_at))
    return [replace(row, max_kw=_step(row.max_kw, seen[row.station, row.connector])) for row in rows]


def _step(promised_kw: int, seen_kw: Decimal) -> int:
    return next(step for step in STEPS_KW if step >= promised_kw and step >= seen_kw)


def main(arguments: list[str]) -> int:
    """Read the export (plain or gzip) and write the sample."""
    if len(arguments) != 3:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    source, day, target = arguments
    content = Path(source).read_bytes()
    text = (gzip.decompress(content) if source.endswith(".gz") else content).decode("utf-8-sig")
    rows = normalise(text, date.fromisoformat(day))
    Path(target).write_text(write(rows), "utf-8")
    sys.stdout.write(f"{len(rows)} sessions of {day} in {target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
