"""The cost of running sessions: what is remembered says the same as what is read anew, whatever came in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.adapters.storage.views import running
from tallywatt.adapters.storage.views.running import Running
from tallywatt.kernel.clock import Instant
from tallywatt.rating.outlook import Limit
from tests.workflows.house_of import MINUTE, kwh

if TYPE_CHECKING:
    import pytest

    from tests.workflows.house_of import HouseOf


def cost(house: HouseOf, known: Running, session: Any, **more: Any) -> dict[str, Any]:
    """What one that remembers says; asserted to be what one says that has just been born."""
    told = known.cost_so_far(house.reader, house.operator, session.session_id, **more)
    assert told == Running().cost_so_far(house.reader, house.operator, session.session_id, **more)
    assert told is not None
    return told


def test_what_is_remembered_is_what_the_rows_say(house: HouseOf) -> None:
    """Readings in order, late ones, a status of the past, a register that fell, the end: the figure is never another one."""
    wire, known = house.wire(), Running()
    begun = house.now
    transaction = wire.start()
    session = house.session(transaction)
    assert cost(house, known, session)["gross_minor"] == 0
    told = []
    for minute, register in (
        (10, kwh(2)),
        (20, kwh(4)),
        (20, kwh(5)),
        (15, kwh(3)),
        (30, kwh(6)),
        (40, kwh(1)),
        (50, kwh(8)),
    ):
        house.now = Instant(max(house.now, begun + minute * MINUTE))
        wire.sample(transaction, (Instant(begun + minute * MINUTE), register))
        told.append(cost(house, known, session)["energy_wh"])
    # The register that fell was taken for a reset until the next one showed that it had dropped out.
    assert told == ["2000", "4000", "5000", "5000", "6000", "7000", "8000"]
    wire.report("SuspendedEV", at=Instant(begun + 25 * MINUTE))
    cost(house, known, session)
    wire.report("Charging", at=house.later(1))
    assert cost(house, known, session)["ahead"]["watts"] > 0
    house.later(5)
    wire.stop(transaction, kwh(9))
    assert cost(house, known, session)["ahead"] is None


def test_only_new_readings_are_read_again(house: HouseOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is looked at all night must not read the whole night at each look."""
    wire, known, read = house.wire(), Running(), []
    rows = running._rows  # what it asks of the database is the point

    def counted(*values: Any, **named: Any) -> list[Any]:
        found = rows(*values, **named)
        read.append(len(found) if values[2].table.name == "meter_readings" else 0)
        return found

    monkeypatch.setattr(running, "_rows", counted)
    transaction = wire.start()
    session = house.session(transaction)
    for energy in range(1, 20):
        wire.sample(transaction, (house.later(1), kwh(energy)))
        known.cost_so_far(house.reader, house.operator, session.session_id)
    assert max(read) <= 2


def test_those_that_nobody_asked_for_are_forgotten(house: HouseOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory does not grow with the number of sessions that ever ran."""
    monkeypatch.setattr(running, "KEPT", 1)
    known, wire = Running(), house.wire()
    first, second = (house.session(wire.start(evse=evse)) for evse in (1, 2))
    for session in (first, second, first):
        assert cost(house, known, session)["gross_minor"] == 0
    assert len(known._known) == 1  # what it keeps is the point


def test_a_limit_is_looked_for_when_somebody_asks(house: HouseOf) -> None:
    """`kWh` at the power of now."""
    wire, known = house.wire(), Running()
    transaction = wire.start()
    wire.sample(transaction, (house.later(60), kwh(10)))
    seen = cost(house, known, house.session(transaction), limit=Limit(milliwatt_hours=kwh(20)))["ahead"]
    assert seen["limit"] == {"at": "2026-03-02T11:00:00.000Z", "reached": "milliwatt_hours"}
    nothing = cost(house, known, house.session(transaction), limit=Limit(milliwatt_hours=kwh(2000)))["ahead"]
    assert nothing["limit"] is None
