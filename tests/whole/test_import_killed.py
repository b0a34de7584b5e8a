"""The server is killed with SIGKILL while it takes an upload: every row gets its one outcome, and makes its one session."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from tallywatt.wiring import Views, looking
from tallywatt.workflows.imports import ImportKind
from tallywatt.workflows.take_import import BeginImport, KeepPart, OpenImport, begin_import, keep_part, open_import
from tests.whole.processes import Installation

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 96
PATIENCE_SECONDS = 60
REFUSED_EVERY = 12


def row(number: int) -> dict[str, Any]:
    """A session; now and then one at a place that nobody has."""
    evse = "GB*TWA*ENOWHERE*1" if number % REFUSED_EVERY == 0 else "DE*TWA*ECP1*1"
    return {
        "upstream_id": f"row-{number}",
        "started_at": f"2026-10-{number % 28 + 1:02}T10:00:00Z",
        "ended_at": f"2026-10-{number % 28 + 1:02}T11:00:00Z",
        "energy_wh": str(1000 + number),
        "evse": evse,
        "token": "CARD1",
    }


def uploaded(installation: Installation) -> str:
    """A file that is whole, before any server runs."""
    house = installation.house()
    station = house.ask_now(house.views.station, installation.operator, "CP1")
    assert station is not None, "it was furnished"
    code = station["evses"][0]["code"]
    text = "\n".join(json.dumps(row(number)).replace("DE*TWA*ECP1*1", code) for number in range(1, ROWS + 1))
    import_id = house.new_id("import")
    orders: list[tuple[Any, Any]] = [
        (open_import, OpenImport(import_id, ImportKind.SESSIONS)),
        (keep_part, KeepPart(import_id, 0, text.encode())),
        (begin_import, BeginImport(import_id)),
    ]
    for workflow, command in orders:
        house.write_now(installation.operator, workflow, command, actor="key:test")
    house.close()
    return import_id


def wait_for(installation: Installation, import_id: str, done: int) -> dict[str, Any]:
    """Until so many rows have their outcome."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with looking(installation.settings) as ask:
        while True:
            found: dict[str, Any] = ask(Views.import_of, installation.operator, import_id)
            if found["done"] >= done and (done < ROWS or found["state"] != "running"):
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.005)


def test_an_upload_goes_on_where_it_was_whenever_the_server_dies(tmp_path: Path) -> None:
    """Killed three times in the middle of it: nothing is lost, nothing is doubled, and the counts are those of the report."""
    installation = Installation(tmp_path / "data")
    installation.furnish()
    import_id = uploaded(installation)
    try:
        seen = []
        for done in (1, 30, 60):
            installation.start()
            seen.append(wait_for(installation, import_id, done)["done"])
            installation.kill()
        installation.start()
        end = wait_for(installation, import_id, ROWS)
        assert installation.stop() == [0]
    finally:
        installation.kill()

    assert all(1 <= done < ROWS for done in seen), f"killed when it was over: {seen}"
    refused = ROWS // REFUSED_EVERY
    assert (end["state"], end["rows"], end["taken"], end["refused"]) == ("done", ROWS, ROWS - refused, refused)
    house = installation.house()
    try:
        work = house.write_now(
            installation.operator,
            lambda work, _: (work.import_rows.by(), work.sessions.by(), work.invoices.by(), work.import_parts.by()),
            None,
            actor="test",
        )
        rows, sessions, invoices, parts = work
        assert house.audit(installation.operator).is_clean
    finally:
        house.close()
    assert sorted(one.line for one in rows) == list(range(1, ROWS + 1))
    assert sorted(str(one.upstream_id) for one in sessions) == sorted(
        f"row-{number}" for number in range(1, ROWS + 1) if number % REFUSED_EVERY
    )
    assert {one.subject_id for one in rows if one.subject_id} == {one.session_id for one in sessions}
    assert len(invoices) == len(sessions)
    assert parts == []
