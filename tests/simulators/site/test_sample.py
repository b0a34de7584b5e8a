"""The day in Dundee is what it says it is, and can be made again."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import pytest

from tallywatt.adapters.imports.read import read_sessions
from tallywatt.kernel.errors import BadInput
from tallywatt.simulators.site import sample
from tallywatt.simulators.site.normalise import main, normalise, outlet

DAY = sample.read()
HOUR = 3_600_000
DIRTY = Path(__file__).parents[2] / "adapters" / "imports" / "data" / "dundee-dirty.csv"


def test_the_day_has_the_sessions_drivers_and_connectors_that_the_source_tells_of() -> None:
    """249 sessions of 156 drivers, 13 of nobody known, on 72 connectors of 43 stations: what the demo counts against."""
    known = [row for row in DAY.rows if row.driver is not None]
    assert len(DAY.rows) == 262
    assert (len(known), len(DAY.drivers), len(DAY.rows) - len(known)) == (249, 156, 13)
    assert (len(DAY.connectors), len({row.station for row in DAY.rows})) == (72, 43)
    assert DAY.milliwatt_hours == 2_681_004_000
    assert len({row.id for row in DAY.rows}) == 262


def test_every_row_is_clean() -> None:
    """Energy above zero, at most 24 hours, at most 60 kW on average, and no more than its outlet can give."""
    for row in DAY.rows:
        lasted = row.ended_at - row.started_at
        assert 0 < lasted <= 24 * HOUR
        assert 0 < row.milliwatt_hours * HOUR <= min(60, row.max_kw) * 1_000_000 * lasted


def test_no_connector_serves_two_at_once() -> None:
    """A register belongs to one session at a time; that is what makes the readings follow from the rows."""
    ends: dict[tuple[str, int], int] = {}
    for row in DAY.rows:
        key = row.station, row.connector
        assert ends.get(key, 0) <= row.started_at
        ends[key] = row.ended_at


def test_up_to_34_charge_at_once_and_ten_end_after_midnight() -> None:
    """The figures by which the day was chosen."""
    changes = sorted([(r.started_at, 1) for r in DAY.rows] + [(r.ended_at, -1) for r in DAY.rows])
    charging = most = 0
    for _, change in changes:
        charging += change
        most = max(most, charging)
    midnight = 1_535_151_600_000  # 2018-08-25T00:00 in London
    assert most == 34
    assert sum(row.ended_at >= midnight for row in DAY.rows) == 10
    assert sum(row.milliwatt_hours < 100_000 for row in DAY.rows) == 12


def test_a_sample_reads_back_as_it_was_written(tmp_path: Path) -> None:
    """The file is the interface: anybody may bring a day of their own."""
    path = tmp_path / "a-day.csv"
    path.write_text(sample.write(DAY.rows))
    again = sample.read(path)
    assert (again.name, again.rows) == ("a-day", DAY.rows)


def test_the_normaliser_and_the_importer_read_the_same_rows(tmp_path: Path) -> None:
    """Two readers that share nothing agree on what is clean, when it was and how much."""
    imported = {session.upstream_id: session for session in read_sessions(DIRTY).sessions}
    days = {line["Start Date"] for line in csv.DictReader(io.StringIO(DIRTY.read_text()))}
    rows = [row for day in days for row in normalise(DIRTY.read_text(), _date(day))]
    assert {f"dundee:{row.id}" for row in rows} == set(imported)
    for row in rows:
        session = imported[f"dundee:{row.id}"]
        assert (row.started_at, row.ended_at) == (session.started_at, session.ended_at)
        assert row.milliwatt_hours == session.milliwatt_hours


def test_the_script_writes_a_sample(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file in the package was made by this and can be made again."""
    target = tmp_path / "day.csv"
    assert main([str(DIRTY), "2018-09-06", str(target)]) == 0
    assert [row.driver for row in sample.read(target).rows] == ["driver-001", "driver-002", "driver-003"]
    assert main([]) == 2
    assert "3 sessions" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("model", "connector", "expected"),
    [
        ("APT 50kW Raption", 1, ("dc", 50)),
        ("APT Triple Rapid Charger", 1, ("ac", 43)),
        ("APT Triple Rapid Charger", 2, ("dc", 50)),
        ("APT 22kW Dual Outlet", 2, ("ac", 22)),
        ("APT 7kW Single Outlet", 1, ("ac", 7)),
    ],
)
def test_the_model_tells_the_outlet(model: str, connector: int, expected: tuple[str, int]) -> None:
    """AC or DC decides the tariff, so it must not be guessed twice."""
    assert outlet(model, connector) == expected


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """The raw export is no sample."""
    with pytest.raises(BadInput, match="columns"):
        sample.read(DIRTY)
    with pytest.raises(BadInput, match="cannot be read"):
        sample.read(tmp_path / "none.csv")


def _date(text: str) -> date:
    day, month, year = (int(part) for part in text.split("/"))
    return date(year, month, day)
