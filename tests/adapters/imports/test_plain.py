"""Our own rows: what the API's shapes take and nothing else, in both of their writings, whatever a file holds."""

from __future__ import annotations

from typing import Any

import pytest

from tallywatt.adapters.imports import plain
from tallywatt.adapters.imports.upload import read_upload
from tallywatt.entrypoints.http import shapes
from tallywatt.kernel.errors import BadInput
from tallywatt.workflows.imports import ImportKind, UserIs

SHAPES: dict[ImportKind, type[shapes.Shape]] = {
    ImportKind.SESSIONS: shapes.NewSession,
    ImportKind.CUSTOMERS: shapes.NewCustomer,
    ImportKind.TOKENS: shapes.NewToken,
    ImportKind.STATIONS: shapes.NewStation,
}
IN_TABLES_ALONE = {ImportKind.STATIONS: {"current", "max_watts"}}
"""A table cannot hold a list: these are of all EVSEs that are counted there."""


def read(kind: ImportKind, text: str) -> list[Any]:
    """The rows of a file: command, or code."""
    found = read_upload(kind, text.encode(), "file", UserIs.TOKEN, lambda key: f"hash of {key}")
    return [one.command or one.code for one in found.rows]


@pytest.mark.parametrize("kind", ImportKind)
def test_a_row_has_the_members_of_the_api(kind: ImportKind) -> None:
    """One shape, written down twice: whoever adds a member to one of them reads of it here."""
    body = SHAPES[kind].model_fields

    assert set(plain.columns_of(kind)) - IN_TABLES_ALONE.get(kind, set()) == set(body)
    assert set(plain.required_of(kind)) == {name for name, field in body.items() if field.is_required()}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ('{"reference": "C1"', "row.not_json"),
        ('["C1"]', "row.not_an_object"),
        ('{"reference": 7}', "row.member_unfit"),
        ('{"reference": "C1", "nmae": "x"}', "row.member_unknown"),
        ('{"reference": "C\\u0000"}', "row.not_storable"),
        ('{"reference": "\\ud800"}', "row.not_storable"),
        ('{"reference": "   "}', "row.member_unfit"),
        ('{"name": "x"}', "row.member_missing"),
        ('{"reference": NaN}', "row.not_json"),
        ('{"reference": ' + "[" * 100_000, "row.not_json"),
    ],
)
def test_a_row_that_cannot_be_meant_is_refused_and_the_next_one_is_read(row: str, code: str) -> None:
    """Nothing that somebody writes into a file stops the others."""
    found = read(ImportKind.CUSTOMERS, f'{{"reference": "C0"}}\n{row}\n{{"reference": "C2"}}')

    assert found[1] == code
    assert [found[0].reference, found[2].reference] == ["C0", "C2"]


def test_figures_are_read_as_they_are_written() -> None:
    """A float would have lost digits before anybody could look; a figure that is none is refused."""
    row = '{"upstream_id": "%s", "started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T01:00:00Z", "energy_wh": %s}'
    texts = ["0.1", '"12057.5"', "8420", "1e400", '"NaN"', "-1"]
    found = read(ImportKind.SESSIONS, "\n".join(row % pair for pair in enumerate(texts)))

    assert [getattr(one, "milliwatt_hours", one) for one in found] == [
        100, 12_057_500, 8_420_000, *["sessions.energy_not_credible"] * 3,
    ]  # fmt: skip


def test_a_local_time_without_a_zone_is_refused() -> None:
    """Nobody can say when it was."""
    header = "upstream_id,started_at,ended_at,energy_wh,evse"

    assert read(ImportKind.SESSIONS, f"{header}\n1,2026-01-01T00:00:00,2026-01-01T01:00:00,1000,X\n") == [
        "row.member_unfit"
    ]


def test_a_station_has_its_evses_as_a_list_or_by_their_number() -> None:
    """And its key goes no further than its hash."""
    rows = [
        '{"identity": "A", "key": "sixteen-letters!", "evses": [{"number": 3, "current": "dc"}]}',
        '{"identity": "B"}',
    ]
    listed, one = read(ImportKind.STATIONS, "\n".join(rows))
    [counted] = read(ImportKind.STATIONS, "identity,evses,current,max_watts\nC,2,ac,22000\n")

    assert listed.key_hash == "hash of sixteen-letters!"
    assert [(evse.number, evse.current.value) for evse in listed.evses] == [(3, "dc")]
    assert [evse.number for evse in one.evses] == [1]
    assert [(evse.number, evse.max_watts) for evse in counted.evses] == [(1, 22_000), (2, 22_000)]


@pytest.mark.parametrize("header", ["reference,reference", "name", "reference,", "reference;name"])
def test_a_header_that_nobody_can_mean_is_refused(header: str) -> None:
    """A column that is misspelt would be lost in silence."""
    with pytest.raises(BadInput) as refused:
        read(ImportKind.CUSTOMERS, f"{header}\nC1,x\n")
    assert refused.value.code == "import.unknown_shape"
