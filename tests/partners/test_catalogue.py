"""The catalogue knows every event that a workflow can append, and tells none of them wrongly."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import jsonschema_rs
import pytest

import tallywatt
from tallywatt.kernel.errors import BadInput
from tallywatt.kernel.events import Event, RecordedEvent
from tallywatt.partners import catalogue
from tallywatt.partners.catalogue import EVENT_TYPES, INTERNAL, NAMES, EventType, body_of, read_event_types, wants
from tallywatt.stations.command import CommandState

WORKFLOWS = Path(tallywatt.__file__).parent / "workflows"
EVENT_NAME = re.compile(r"(?:[A-Z][a-z]+){2,}")
PUT_TOGETHER = {
    "Command": [state.value.capitalize() for state in CommandState],
    "Payment": ["Voided", "Expired", "Abandoned"],
    "Reservation": ["Accepted", "Refused", "Used", "Expired", "Cancelled", "Removed"],
}
"""Names that a workflow puts together: how they begin, and how they can end."""

NO_EVENTS = {
    "StartTransaction": "a message of OCPP 1.6",
    "NoTransaction": "a word of OCPP 2.1 about a reservation",
    "NotAtThisTime": "a word of OCPP 2.x about a token",
    "StopTransaction": "another one",
    "NoCredit": "a word of OCPP 2",
    **dict.fromkeys(("MeterValues", "StatusNotification", "TriggerMessage"), "messages of OCPP"),
    **dict.fromkeys(
        ("NotImplemented", "NotSupported", "SetChargingProfile", "TariffCostCtrlr", "TransactionEvent", "TxProfile"),
        "words of OCPP",
    ),
}
"""Words of workflows that look like the name of an event."""


def written_in_workflows() -> set[str]:
    """Every name of an event that stands in a workflow, or is put together there."""
    found: set[str] = set()
    for path in WORKFLOWS.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                begin = str(node.values[0].value)
                if re.fullmatch("[A-Z][a-z]+", begin) and len(node.values) == 2:
                    found |= {begin + end for end in PUT_TOGETHER[begin]}
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and EVENT_NAME.fullmatch(node.value):
                found.add(node.value)
    return (found - set(NO_EVENTS)) | {catalogue.TESTED}


def test_every_event_of_a_workflow_is_in_the_catalogue_or_named_as_internal() -> None:
    """A new event is told to partners, or somebody has said why not."""
    known = {one.stored for one in EVENT_TYPES} | set(INTERNAL)

    assert written_in_workflows() - known == set(), "add it to EVENT_TYPES or to INTERNAL in partners/catalogue.py"


def test_the_catalogue_promises_nothing_that_no_workflow_does() -> None:
    """A receiver that waits for an event must not wait for ever."""
    assert {one.stored for one in EVENT_TYPES} | set(INTERNAL) == written_in_workflows()


def test_no_event_is_both_told_and_internal() -> None:
    """One of the two lists would be a lie."""
    assert {one.stored for one in EVENT_TYPES} & set(INTERNAL) == set()
    assert all(INTERNAL.values())


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda kind: f"{kind.type}:{kind.schema_version}")
def test_every_schema_is_one_and_says_what_each_figure_means(kind: EventType) -> None:
    """Partners generate code from them."""
    jsonschema_rs.meta.validate(kind.schema)
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+", kind.type)
    assert kind.meaning.endswith(".")
    assert all(field.meaning for field in kind.fields)
    assert len({(one.type, one.schema_version) for one in EVENT_TYPES}) == len(EVENT_TYPES)


def test_what_the_catalogue_does_not_name_is_not_told() -> None:
    """Somebody may write anything into the reason of a refund; it stays inside."""
    event = Event("payment", "P1", "RefundIntended", {"minor": 500, "currency": "GBP", "reason": "A. Person asked"})
    kind = catalogue.told_as(event)
    assert kind is not None
    told = json.loads(body_of(RecordedEvent("E1", "O1", 7, event, 3, "person:1", "", 0, 0), kind))

    assert told["data"] == {"amount_minor": 500, "currency": "GBP"}
    assert told["aggregate"] == {"type": "payment", "id": "P1", "version": 3}
    assert "person" not in json.dumps(told).lower()


def test_energy_is_told_in_watt_hours() -> None:
    """As everywhere in the API: a decimal string, and no digit lost."""
    kind = catalogue.told_as(
        held := Event("session", "S1", "SessionHeld", {"reason": "lost_stop", "milliwatt_hours": 1500})
    )
    assert kind is not None
    assert kind.data(held)["energy_wh"] == "1.5"


def test_an_event_of_an_unknown_schema_version_is_not_told_as_another() -> None:
    """It was written by a version that this one does not know."""
    assert catalogue.told_as(Event("session", "S1", "SessionStarted", {}, schema_version=99)) is None


def test_event_types_are_chosen_one_by_one_by_family_or_all() -> None:
    """Nothing said means everything."""
    [billed] = [one for one in EVENT_TYPES if one.type == "session.billed"]
    assert read_event_types(()) == ("*",)
    assert read_event_types((" session.billed ", "session.billed", "payment.*")) == ("session.billed", "payment.*")
    assert wants(("session.*",), billed)
    assert wants(("*",), billed)
    assert not wants(("payment.*", "session.started"), billed)


@pytest.mark.parametrize("wrong", ["session", "session.exploded", "*.billed", "SessionBilled", "sess*"])
def test_an_event_type_that_does_not_exist_is_refused(wrong: str) -> None:
    """A misspelt one would be an endpoint that hears nothing."""
    with pytest.raises(BadInput) as caught:
        read_event_types((NAMES[0], wrong))
    assert caught.value.code == "webhooks.unknown_event_type"
