"""Business time, the machine's time and the time of stations are never mixed: every moment in the tables is of one of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.adapters.storage.tables.clocks import CLOCK_OF, Clock
from tallywatt.adapters.storage.tables.schema import metadata
from tallywatt.customers.access import ALL_SCOPES
from tallywatt.customers.roles import Role
from tallywatt.kernel.clock import BusinessAnchor, Instant, rfc3339
from tallywatt.workflows.boot_station import boot_station
from tests.entrypoints.http import test_authorisation
from tests.entrypoints.http.test_authorisation import BODIES, FORMS, HARMLESS, new_world, routes_of
from tests.entrypoints.http.test_recorded import CHANGES_NOTHING, ENDS, FILLED, MADE
from tests.entrypoints.scene import Scene
from tests.workflows.house_of import Wire, yes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fastapi import FastAPI

    from tallywatt.metering.facts import Heard
    from tallywatt.wiring import House
    from tests.entrypoints.http.test_authorisation import World

YEAR = 365 * 86_400_000
AWAY = {Clock.MACHINE: 0, Clock.BUSINESS: 30 * YEAR, Clock.SOURCE: -10 * YEAR}
"""How far from the machine's clock each one is in this test."""
NEAR = 4 * YEAR
"""Deadlines and validity lie this near to the clock that they are of."""
MOMENT = ("_at", "_until", "_from", "_to", "_since", "_floor", "period_start", "period_end")
NO_MOMENTS = {"replay_to"}
"""A position of the event log."""
FEWEST = 60
"""So many columns hold a moment after the play; with fewer it would show little."""


class ApartWire(Wire):
    """A station whose clock is years behind; what it says is received when the machine says."""

    def heard(self, action: str, payload: dict[str, Any], flags: tuple[str, ...] = ()) -> Heard:
        """The frame of a message."""
        machine = self.house.house.machine.now()  # type: ignore[attr-defined]  # the house of this wire is a scene
        return replace(super().heard(action, payload, flags), received_at=machine)


class ApartScene(Scene):
    """A house whose business time is years ahead, with stations whose time is years behind."""

    def __init__(self, house: House, app: FastAPI, slug: str = "dundee") -> None:
        super().__init__(house, app, slug)
        self.now = Instant(self.now + AWAY[Clock.SOURCE])

    @classmethod
    def open(cls, folder: Path, url: str | None = None) -> Scene:
        """The business's clock is moved before anything is written."""
        made = super().open(folder, url)
        machine = made.house.machine.now()
        made.house.anchor = BusinessAnchor(machine, Instant(machine + AWAY[Clock.BUSINESS]))
        return made

    def wire(self, identity: str = "CP1", protocol: str = "ocpp1.6") -> Wire:
        """The wire of a station."""
        return ApartWire(self, self.station(identity)["id"], protocol)  # type: ignore[arg-type]  # as in Scene

    def collect(self, outcome: Callable[[Any], Any] = yes) -> None:
        """Workers speak with providers at the machine's time."""
        at_the_station, self.now = self.now, self.house.machine.now()
        super().collect(outcome)
        self.now = at_the_station


def moments() -> set[str]:
    """Every column that holds a moment: by its name, which the tables keep to."""
    return {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if column.name.endswith(MOMENT) and column.name not in NO_MOMENTS and column.type.python_type is int
    }


def test_every_moment_has_a_clock() -> None:
    """A new column says whose time it holds before anybody compares it with another one."""
    assert moments() == set(CLOCK_OF)


@pytest.fixture
def world(tmp_path: Path, migrated_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """One of each thing, made while the three clocks are years apart."""
    monkeypatch.setattr(test_authorisation, "Scene", ApartScene)
    for name, body in MADE.items():
        monkeypatch.setitem(BODIES, name, body)
    for name, form in FILLED.items():
        monkeypatch.setitem(FORMS, name, form)
    made = new_world(tmp_path, migrated_file)
    told = {"started_at": rfc3339(made.scene.now), "ended_at": rfc3339(made.scene.later(60))}
    monkeypatch.setitem(BODIES, "POST /sessions", {**MADE["POST /sessions"], **told})  # a partner's clock is not ours
    yield made
    made.scene.close()


def everything_done(world: World) -> None:
    """Every write of the API and of the console, once; what ends a thing comes last."""
    key, person = world.key(*ALL_SCOPES), Role.OWNER
    for route in sorted(routes_of(world.scene), key=lambda one: (one.method == "DELETE", one.path.endswith(ENDS))):
        if route.is_open or route.method in HARMLESS or route.name in CHANGES_NOTHING:
            continue
        by_person = route.path.startswith(("/console", "/account"))
        asker = world.person(person) if by_person else key
        if asker.may(route):
            asker.ask(route, route.filled(world.value(route, world.own)))


def test_with_the_clocks_years_apart_every_moment_lies_at_its_own(world: World) -> None:
    """A price of next winter is tested today; no lease, no deadline and no sign-in may follow it there."""
    scene = world.scene
    wire = scene.wire()
    scene.do(boot_station, wire.booted())
    wire.report("Preparing")
    everything_done(world)
    found, filled = wrong_moments(scene)
    assert found == {}
    assert len(filled) >= FEWEST, sorted(filled)


def wrong_moments(scene: Scene) -> tuple[dict[str, set[str]], set[str]]:
    """Columns with a moment that is not of their clock, and all that hold one. 0 is for ever, and of no clock."""
    machine = scene.house.machine.now()
    wrong: dict[str, set[str]] = defaultdict(set)
    filled = set()
    with scene.house.store.reading() as connection:
        for place, clock in CLOCK_OF.items():
            table, name = place.split(".")
            for (at,) in connection.execute(f'SELECT DISTINCT "{name}" FROM "{table}" WHERE "{name}" > 0'):
                filled.add(place)
                if abs(at - machine - AWAY[clock]) > NEAR:
                    near = min(AWAY, key=lambda one: abs(at - machine - AWAY[one]))
                    wrong[place].add(f"{near}, not {clock}")
        connection.rollback()
    return dict(wrong), filled
