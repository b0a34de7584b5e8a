"""Bulk uploads through the API: taken in parts, followed, each row with its outcome; the same file twice changes nothing."""

from __future__ import annotations

import csv
import gzip
import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.entrypoints.http import uploads
from tallywatt.entrypoints.worker import LANES, Workers
from tests.entrypoints.http.test_sessions import SESSION
from tests.entrypoints.scene import Scene
from tests.migrated import copy_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx2 import Response
    from starlette.testclient import TestClient

EXPORT = """Charging event,User ID,CP ID,Connector,Start Date,Start Time,End Date,End Time,Total kWh,Cost,Site,Group,Model
1001,CARD1,CP1,1,06/09/2018,12:00,06/09/2018,13:00,7.5,0,Square,Group,APT 22kW
1002,4711,CP1,1,06/09/2018,14:00,06/09/2018,15:00,3,0,Square,Group,APT 22kW
1003,CARD2,CP404,1,06/09/2018,14:00,06/09/2018,15:00,3,0,Square,Group,APT 22kW
1004,CARD2,CP2,1,06/09/2018,14:00,06/09/2018,15:00,-3,0,Square,Group,APT 22kW
1001,CARD1,CP1,1,06/09/2018,12:00,06/09/2018,13:00,7.5,0,Square,Group,APT 22kW
"""


class Desk:
    """Somebody with a key who uploads files, and the worker that takes them."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.client: TestClient = scene.client()
        self.headers = scene.key()
        self.workers = Workers(scene.house, ())

    def send(self, kind: str, content: str | bytes, key: str | None = None, **choices: Any) -> Response:
        """Upload a file."""
        headers = self.headers | ({} if key is None else {"Idempotency-Key": key})
        body = content.encode() if isinstance(content, str) else content
        return self.client.post("/imports", params={"kind": kind, **choices}, content=body, headers=headers)

    def work(self, most: int = 100) -> int:
        """Let the worker go on, at most so many stretches; how many there were."""
        return sum(1 for _ in range(most) if self.workers.step(LANES["imports"]))

    def get(self, path: str, **asked: Any) -> Any:
        """What a resource says."""
        answer = self.client.get(path, params=asked, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def taken(self, kind: str, content: str | bytes, **choices: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """An upload that was worked off: the import, and its rows."""
        answer = self.send(kind, content, **choices)
        assert answer.status_code == 202, answer.text
        self.work()
        place = answer.headers["location"]
        return self.get(place), self.get(f"{place}/rows", limit=200)["items"]


@pytest.fixture
def desk(scene: Scene) -> Desk:
    """A furnished house and somebody who uploads."""
    return Desk(scene)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Desk]:
    """The same for tests that do not disturb each other."""
    folder = tmp_path_factory.mktemp("imports")
    scene = Scene.open(folder, copy_of(migrated_file, folder)).furnish()
    yield Desk(scene)
    scene.close()


def lines(*rows: dict[str, Any]) -> str:
    """JSON lines."""
    return "\n".join(json.dumps(row) for row in rows)


def figures(upload: dict[str, Any]) -> dict[str, int]:
    """What became of the rows of an import."""
    return {name: upload[name] for name in ("rows", "done", "taken", "already_there", "held", "refused")}


def test_an_export_is_taken_row_by_row_and_each_row_says_what_became_of_it(desk: Desk) -> None:
    """Billed, held for nobody known who owes, refused with the reason: nothing is only counted."""
    upload, rows = desk.taken("sessions", EXPORT, name="september.csv")

    assert (upload["state"], upload["shape"], upload["name"]) == ("done", "dundee", "september.csv")
    assert figures(upload) == {"rows": 5, "done": 5, "taken": 1, "already_there": 0, "held": 1, "refused": 3}
    assert [(row["line"], row["outcome"], row["code"]) for row in rows] == [
        (2, "taken", None),
        (3, "held", "sessions.held"),
        (4, "refused", "evses.not_found"),
        (5, "refused", "energy.negative"),
        (6, "refused", "row.duplicate"),
    ]
    session = desk.get(f"/sessions/{rows[0]['subject_id']}")
    assert (session["source"], session["upstream_id"], session["state"]) == ("csv", "dundee:1001", "billed")


def test_the_same_file_again_finds_everything_there(desk: Desk) -> None:
    """Whoever is not sure sends it again."""
    desk.taken("sessions", EXPORT)
    upload, rows = desk.taken("sessions", EXPORT)

    assert figures(upload) == {"rows": 5, "done": 5, "taken": 0, "already_there": 2, "held": 0, "refused": 3}
    assert [row["outcome"] for row in rows][:2] == ["already_there", "already_there"]


def test_a_session_told_one_by_one_is_there_already_in_a_file(desk: Desk) -> None:
    """A JSON line is a body of `POST /sessions`: the same upstream id is the same session, whichever way it came."""
    desk.client.post("/sessions", json=SESSION, headers=desk.headers)
    upload, rows = desk.taken("sessions", lines(SESSION, {**SESSION, "energy_wh": "1"}, {**SESSION, "odd": 1}))

    assert upload["shape"] == "jsonl"
    assert [(row["outcome"], row["code"]) for row in rows] == [
        ("already_there", None),
        ("refused", "sessions.brought_differently"),
        ("refused", "row.member_unknown"),
    ]


@pytest.mark.parametrize(
    ("kind", "header", "row", "other"),
    [
        ("customers", "reference,name,email,address,language", "C9,Nine,,,de", "C9,Ten,,,de"),
        ("tokens", "uid,customer", "CARD9,C1", "CARD9,C2"),
        ("stations", "identity,location,evses,max_watts", "CP9,greenmarket,2,22000", "CP9,queen-street,2,22000"),
        (
            "sessions",
            "upstream_id,started_at,ended_at,energy_wh,evse,token",
            "x,2026-11-20T10:00:00Z,2026-11-20T11:00:00Z,8420.5,GB*TWA*ECP3*1,CARD1",
            "x,2026-11-20T10:00:00Z,2026-11-20T11:00:00Z,8420,GB*TWA*ECP3*1,CARD1",
        ),
    ],
)
def test_every_kind_comes_as_a_table_with_the_names_of_the_api(
    shared: Desk, kind: str, header: str, row: str, other: str
) -> None:
    """Taken once, there the second time, refused where the same name says something else."""
    upload, rows = shared.taken(kind, f"{header}\n{row}\n{row}\n{other}")

    assert upload["shape"] == "csv"
    assert [one["outcome"] for one in rows] == ["taken", "already_there", "refused"]
    assert rows[0]["subject_id"] == rows[1]["subject_id"]
    assert rows[0]["subject_kind"] == kind[:-1]


def test_a_dry_run_says_what_would_come_of_it_and_leaves_nothing(shared: Desk) -> None:
    """The rows are really tried: a station that is missing is found before anything is billed."""
    before = shared.get("/sessions")
    upload, rows = shared.taken("sessions", EXPORT, dry_run="true")

    assert (upload["taken"], upload["held"], upload["refused"]) == (1, 1, 3)
    assert rows[0]["subject_id"] is None
    assert shared.get("/sessions") == before


def test_the_same_request_under_the_same_key_is_one_import(desk: Desk) -> None:
    """The answer was lost on its way: asked again, it is the import of the first time, and the second copy is forgotten."""
    first, again = (desk.send("sessions", EXPORT, key="k1") for _ in range(2))
    other = desk.send("sessions", EXPORT + "\n", key="k1")

    assert (again.json(), again.headers["location"]) == (first.json(), first.headers["location"])
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "request.idempotency_mismatch")
    assert len(desk.get("/imports")["items"]) == 1
    assert len(desk.scene.do(lambda work, _: work.imports.by(), None)) == 1


def test_a_file_comes_in_parts_that_end_with_a_line_and_are_gone_when_it_is_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is uploaded is personal: sealed while it waits, deleted as soon as its rows are known."""
    monkeypatch.setattr(uploads, "PART_BYTES", 100)
    rows = [{"reference": f"P{number}", "name": "Somebody Special"} for number in range(20)]
    packed = gzip.compress(lines(*rows).encode())
    answer = desk.send("customers", packed)

    parts = desk.scene.do(lambda work, _: work.import_parts.by(), None)
    assert len(parts) > 5, "a line or two in each"
    assert not any(b"Special" in part.sealed for part in parts)
    desk.work(1)
    staged = desk.scene.do(lambda work, _: work.import_rows.by(), None)
    assert not any(b"Special" in row.sealed for row in staged)
    desk.work()
    assert desk.get(answer.headers["location"])["taken"] == 20
    assert desk.scene.do(lambda work, _: work.import_parts.by(), None) == []
    assert {row.sealed for row in desk.scene.do(lambda work, _: work.import_rows.by(), None)} == {None}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "import.empty"),
        (b"\x1f\x8bnot packed", "import.unreadable"),
        (gzip.compress(b"{}" * 1000)[:-9], "import.unreadable"),
        (gzip.compress(bytes(uploads.MOST_BYTES + 1)), "import.too_long"),
    ],
    ids=["empty", "damaged", "cut off", "a bomb"],
)
def test_what_cannot_be_taken_is_refused_at_once_and_nothing_is_kept(
    shared: Desk, content: str | bytes, code: str
) -> None:
    """Whoever sends it can mend it."""
    answer = shared.send("sessions", content)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    kept = shared.scene.do(lambda work, _: (work.imports.by(state="receiving"), work.import_parts.by()), None)
    assert kept == ([], [])


def test_a_longer_body_than_any_file_may_have_is_refused(shared: Desk) -> None:
    """Before it is read."""
    assert shared.send("sessions", b"x" * (uploads.MOST_BYTES + 1)).status_code == 413


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("a,b\n1,2\n", "import.unknown_shape"),
        ("reference,name\n", "import.empty"),
        ("reference,nam\nC1,x\n", "import.unknown_shape"),
    ],
)
def test_a_file_that_cannot_be_read_fails_and_says_why(shared: Desk, content: str, code: str) -> None:
    """It was taken in good faith; the import says what is wrong with it."""
    upload, rows = shared.taken("customers", content)

    assert (upload["state"], upload["code"], rows) == ("failed", code, [])
    assert shared.scene.do(lambda work, _: work.import_parts.by(), None) == []


def test_a_cancelled_import_takes_no_further_row(desk: Desk) -> None:
    """What was taken stays, and the report says which rows were not."""
    rows = [{"reference": f"P{number}"} for number in range(210)]
    place = desk.send("customers", lines(*rows)).headers["location"]
    desk.work(2)  # read, and one stretch of its rows
    answer = desk.client.post(f"{place}/cancel", headers=desk.headers)
    desk.work()
    upload = desk.get(place)

    assert (answer.status_code, upload["state"], upload["taken"]) == (202, "cancelled", 200)
    left = desk.get(f"{place}/rows", outcome="cancelled")["items"]
    assert [row["line"] for row in left] == list(range(201, 211))
    assert {row.sealed for row in desk.scene.do(lambda work, _: work.import_rows.by(), None)} == {None}
    again = desk.client.post(f"{place}/cancel", headers=desk.headers)
    assert (again.status_code, again.json()["state"]) == (202, "cancelled")


def test_one_that_has_ended_is_not_cancelled(shared: Desk) -> None:
    """There is nothing left to stop."""
    upload, _ = shared.taken("sessions", EXPORT)
    answer = shared.client.post(f"/imports/{upload['id']}/cancel", headers=shared.headers)

    assert (answer.status_code, answer.json()["code"]) == (409, "imports.ended")


def test_the_report_is_fetched_as_a_file_in_which_nothing_computes(shared: Desk) -> None:
    """A message may repeat what a stranger wrote; a spreadsheet must not take it for a formula."""
    upload, _ = shared.taken("tokens", lines({"uid": "A1", "customer": "=1+1"}, {"uid": "A2"}))
    answer = shared.client.get(f"/imports/{upload['id']}/rows.csv", headers=shared.headers)
    shared.scene.do(
        lambda work, _: work.import_rows.put(replace(work.import_rows.get(upload["id"], 1), message="=1+1")),
        None,
    )
    computed = shared.client.get(f"/imports/{upload['id']}/rows.csv?outcome=refused", headers=shared.headers)

    assert answer.headers["content-type"].startswith("text/csv")
    table = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["line"], row["outcome"], row["code"]) for row in table] == [
        ("1", "refused", "customers.not_found"),
        ("2", "taken", ""),
    ]
    assert [row["message"] for row in csv.DictReader(io.StringIO(computed.text))] == ["'=1+1"]


def test_who_may_bring_sessions_may_not_add_customers_by_a_file(desk: Desk) -> None:
    """The kind decides what a caller must be allowed to."""
    desk.headers = desk.scene.key("sessions")

    assert desk.send("sessions", EXPORT).status_code == 202
    assert desk.send("customers", "reference\nC9\n").status_code == 403
    desk.headers = desk.scene.key("sessions", "sell")
    assert desk.send("customers", "reference\nC9\n").status_code == 202


def test_what_a_row_does_is_recorded_as_done_by_whoever_uploaded_it(shared: Desk) -> None:
    """A file is no way around the record of actions."""
    shared.taken("customers", lines({"reference": "recorded"}))
    actions = shared.get("/actions")["items"]

    assert [one["action"] for one in actions[:2]] == ["customer.add", "import.add"]
    assert len({(one["caller_kind"], one["caller_id"]) for one in actions[:2]}) == 1
    assert actions[0]["caller_kind"] == "key"
