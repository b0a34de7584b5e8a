"""Real dirty rows of two networks, and what the importer makes of each."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tallywatt.adapters.imports.read import import_text, read_sessions
from tallywatt.adapters.imports.rows import Import, Verdict
from tallywatt.kernel.clock import rfc3339
from tallywatt.kernel.errors import BadInput

DATA = Path(__file__).parent / "data"
DUNDEE_HEADER = (
    "Charging event,User ID,CP ID,Connector,Start Date,Start Time,End Date,End Time,Total kWh,Cost,Site,Group,Model,,,"
)
PERTH_HEADER = "_id,CP ID,Connector,Start Date,Start Time,End Date,End Time,Total kWh,Site,Model"


@pytest.fixture(scope="module")
def dundee() -> Import:
    return read_sessions(DATA / "dundee-dirty.csv")


@pytest.fixture(scope="module")
def perth() -> Import:
    return read_sessions(DATA / "perth-dirty.csv")


def verdicts(file: Import) -> dict[int, tuple[str, str]]:
    return {row.line: (row.verdict.value, row.code) for row in file.rows}


def a_dundee_row(**texts: str) -> str:
    """One believable row; a test says what is different about its own."""
    row = {
        "number": "1",
        "user": "601838",
        "connector": "1",
        "start": "06/09/2018,12:00",
        "end": "06/09/2018,13:00",
        "kwh": "7.5",
    } | texts
    return (
        f"{row['number']},{row['user']},50914,{row['connector']},{row['start']},{row['end']},{row['kwh']},0,"
        '"Lochee Charging Hub, Dundee",APT Controls,APT 22kW Dual Outlet,,,'
    )


def of_dundee(*rows: str) -> Import:
    return import_text("\n".join((DUNDEE_HEADER, *rows)) + "\n")


@pytest.mark.parametrize("name", ["dundee", "perth"])
def test_nothing_is_lost(name: str, request: pytest.FixtureRequest) -> None:
    """Accepted, repaired and refused add up to the rows of the file: dropped rows are lost money."""
    file: Import = request.getfixturevalue(name)
    lines = (DATA / f"{name}-dirty.csv").read_text().splitlines()
    assert len(file.rows) == len(lines) - 1 == sum(file.counts.values())
    assert [row.line for row in file.rows] == list(range(2, len(lines) + 1))
    assert len(file.sessions) == file.counts[Verdict.ACCEPTED] + file.counts[Verdict.REPAIRED]


def test_every_kind_of_dirt_of_dundee_has_its_code(dundee: Import) -> None:
    """These rows were published; each is refused or remarked for its own reason."""
    assert dundee.shape == "dundee"
    assert verdicts(dundee) == {
        2: ("accepted", "text.stray"),
        3: ("accepted", "text.stray"),
        4: ("accepted", "ok"),
        5: ("refused", "session.too_long"),
        6: ("refused", "session.no_duration"),
        7: ("refused", "energy.zero"),
        8: ("refused", "end.blank"),
        9: ("accepted", "user.text"),
        10: ("refused", "energy.negative"),
        11: ("accepted", "user.blank"),
        12: ("refused", "session.too_strong"),
    }


def test_a_row_becomes_a_session_in_our_units(dundee: Import) -> None:
    """Local summer time becomes UTC, kWh become milliwatt-hours, the free text becomes a note."""
    session = dundee.sessions[0]
    assert session.upstream_id == "dundee:7751157"
    assert (session.station, session.connector, session.user) == ("50914", 1, "601838")
    assert rfc3339(session.started_at) == "2018-09-06T22:55:00.000Z"
    assert rfc3339(session.ended_at) == "2018-09-07T06:03:00.000Z"
    assert session.milliwatt_hours == 22_287_000
    assert session.notes == ("Multiple vehicles available",)
    assert dundee.sessions[-1].user is None


def test_the_order_of_the_file_repairs_swapped_days_and_months(perth: Import) -> None:
    """Perth's days 1 to 12 have day and month exchanged; newest first, only one reading holds."""
    starts = [session.started_at for session in perth.sessions]
    assert starts == sorted(starts, reverse=True)
    assert perth.counts == {Verdict.ACCEPTED: 23, Verdict.REPAIRED: 23, Verdict.REFUSED: 8}
    swapped = next(row for row in perth.rows if row.line == 29)
    assert swapped.code == "date.swapped"
    assert "2019-12-08 is 12 August 2019" in swapped.sentence
    assert swapped.session is not None
    assert rfc3339(swapped.session.started_at) == "2019-08-12T21:45:00.000Z"


def test_an_end_is_repaired_apart_from_its_start(perth: Import) -> None:
    """A session over the end of August has a good start and a swapped end."""
    over_month_end = next(row for row in perth.rows if row.line == 4)
    assert over_month_end.session is not None
    assert rfc3339(over_month_end.session.ended_at) == "2019-09-01T07:58:00.000Z"


@pytest.mark.parametrize(
    ("line", "code"), [(45, "end.before_start"), (48, "end.before_start"), (42, "session.too_strong")]
)
def test_what_no_reading_can_mend_is_refused(perth: Import, line: int, code: str) -> None:
    """An end in 1970 or before the start stays wrong with day and month exchanged."""
    assert verdicts(perth)[line] == ("refused", code)


def test_gzip_and_plain_read_the_same(tmp_path: Path, perth: Import) -> None:
    """Open data portals hand out both."""
    packed = tmp_path / "export.csv.gz"
    packed.write_bytes(gzip.compress((DATA / "perth-dirty.csv").read_bytes()))
    assert read_sessions(packed) == perth


def test_the_same_file_gives_the_same_upstream_ids(perth: Import) -> None:
    """Perth numbers its rows anew with every export, so the number is no part of the id."""
    lines = (DATA / "perth-dirty.csv").read_text().splitlines()
    renumbered = [f"{9_000 + i},{line.partition(',')[2]}" for i, line in enumerate(lines[1:])]
    again = import_text("\n".join((lines[0], *renumbered)))
    assert [s.upstream_id for s in again.sessions] == [s.upstream_id for s in perth.sessions]


def test_a_file_whose_order_holds_is_read_as_it_is_written() -> None:
    """Ambiguous dates alone are no evidence of an error."""
    rows = [
        f"{i},50245,1,2019-0{month}-05T00:00:00,10:00,2019-0{month}-05T00:00:00,11:00,5,Site,Model"
        for i, month in enumerate((9, 8, 7))
    ]
    file = import_text("\n".join((PERTH_HEADER, *rows)))
    assert file.counts[Verdict.ACCEPTED] == 3


def test_the_same_row_twice_counts_once() -> None:
    """Exports overlap."""
    file = of_dundee(a_dundee_row(), a_dundee_row(), a_dundee_row(kwh="7.6"))
    assert [row.code for row in file.rows] == ["ok", "row.duplicate", "row.contradiction"]
    assert "line 2" in file.rows[1].sentence


def test_the_hour_that_spring_leaves_out_is_read_as_winter_time() -> None:
    """Half past one did not exist in London on 31 March 2019: the station's clock had not been put forward."""
    row = of_dundee(a_dundee_row(start="31/03/2019,01:30", end="31/03/2019,03:00")).rows[0]
    assert (row.verdict, row.code) == (Verdict.REPAIRED, "time.gap")
    assert row.session is not None
    assert rfc3339(row.session.started_at) == "2019-03-31T01:30:00.000Z"
    assert rfc3339(row.session.ended_at) == "2019-03-31T02:00:00.000Z"


def test_an_end_in_the_doubled_hour_lies_after_its_start() -> None:
    """01:50 summer time to 01:10 winter time is twenty minutes, not a session that ends before it starts."""
    row = of_dundee(a_dundee_row(start="28/10/2018,01:50", end="28/10/2018,01:10")).rows[0]
    assert [finding.code for finding in row.findings] == ["time.twice", "time.twice"]
    assert row.session is not None
    assert row.session.ended_at - row.session.started_at == 20 * 60_000


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ({"connector": "left"}, "connector.unreadable"),
        ({"connector": "0"}, "connector.unreadable"),
        ({"connector": "1" * 5000}, "connector.unreadable"),
        ({"start": "31/02/2018,12:00"}, "start.unreadable"),
        ({"end": "06/09/2018,25:00"}, "end.unreadable"),
        ({"end": ","}, "end.blank"),
        ({"end": "06/09/2018,11:00"}, "end.before_start"),
        ({"kwh": ""}, "energy.blank"),
        ({"kwh": "NaN"}, "energy.unreadable"),
        ({"kwh": "1E400"}, "energy.unreadable"),
        ({"kwh": "a lot"}, "energy.unreadable"),
        ({"number": ""}, "row.no_number"),
    ],
)
def test_an_unreadable_text_refuses_its_row_alone(texts: dict[str, str], code: str) -> None:
    """One bad cell costs one row, with the cell named."""
    file = of_dundee(a_dundee_row(**texts), a_dundee_row(number="2", start="06/09/2018,10:00", end="06/09/2018,11:00"))
    assert [row.code for row in file.rows] == [code, "ok"]


def test_a_row_with_missing_columns_is_refused_and_an_empty_line_is_no_row() -> None:
    """A file cut off in the middle of a line says so."""
    file = of_dundee(a_dundee_row(), "", "7751142,604982,50349")
    assert [(row.line, row.code) for row in file.rows] == [(2, "ok"), (4, "row.malformed")]


def test_an_unknown_header_says_what_is_missing() -> None:
    """The remedy is in the message."""
    with pytest.raises(BadInput, match="Model, Site") as raised:
        import_text(PERTH_HEADER.replace("Site,Model", "Place"))
    assert raised.value.code == "import.unknown_shape"


def test_a_missing_or_damaged_file_is_the_callers_to_mend(tmp_path: Path) -> None:
    """Not a traceback."""
    with pytest.raises(BadInput, match="cannot be read"):
        read_sessions(tmp_path / "none.csv")
    damaged = tmp_path / "half.csv.gz"
    damaged.write_bytes(gzip.compress(b"x" * 1000)[:20])
    with pytest.raises(BadInput, match="damaged"):
        read_sessions(damaged)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_spreadsheet_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    """A byte order mark must not hide the first column, nor an accented site spoil the file."""
    path = tmp_path / "export.csv"
    path.write_bytes("\n".join((DUNDEE_HEADER, a_dundee_row().replace("Lochee", "Café"))).encode(encoding))
    assert read_sessions(path).sessions[0].site == "Café Charging Hub, Dundee"
