"""Events: facts that are kept for ever."""

from __future__ import annotations

import dataclasses

import pytest

from tallywatt.kernel.events import Event


def test_an_event_cannot_be_edited() -> None:
    """What has happened has happened."""
    event = Event("session", "a-session", "SessionStarted")

    with pytest.raises(dataclasses.FrozenInstanceError):
        event.type = "SessionNeverStarted"  # type: ignore[misc]  # the type checker forbids it as well


def test_an_event_has_a_schema_version_from_its_first_day() -> None:
    """Old events are read for ever, so every one says by which rules it was written."""
    assert Event("session", "a-session", "SessionStarted").schema_version == 1


def test_events_do_not_share_their_data() -> None:
    """A default that is shared would let one fact change another."""
    first, second = Event("a", "1", "Happened"), Event("a", "2", "Happened")

    assert first.data == second.data == {}
    assert first.data is not second.data
