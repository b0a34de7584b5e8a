"""Starting and stopping from a driver's own page: pressed twice at the same moment is asked once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from tallywatt.stations.command import Action
from tallywatt.workflows.start_own_session import StartOwnSession, start_own_session
from tallywatt.workflows.stop_own_session import StopOwnSession, stop_own_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.adapters.storage.writer import GroupWriter
    from tests.workflows.house_of import HouseOf


def twice_at_once(house: HouseOf, workflow: Callable[[Any, Any], Any], command: object) -> list[Any]:
    """What two processes answer, each on a connection of its own."""
    barrier = threading.Barrier(2)
    answers: list[Any] = []

    def press(writer: GroupWriter) -> None:
        barrier.wait()
        writer.submit(house.operator, workflow, command, answers.append, actor="test")
        writer.step()

    second = house.another_writer()
    threads = [threading.Thread(target=press, args=(one,)) for one in (house.writer, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second.stop()
    return answers


def test_two_presses_at_the_same_moment_are_one_start(house: HouseOf) -> None:
    """A second start would be refused by the station, and its refusal shown to a driver who is charging."""
    customer = house.rows.customers.one_by(reference="C1")
    [evse] = house.rows.evses.by(number=1)
    assert customer is not None
    answers = twice_at_once(house, start_own_session, StartOwnSession(evse.code, customer.customer_id))
    [command] = house.rows.station_commands.by(action=Action.START.value)
    assert [one.command_id for one in answers] == [command.command_id] * 2


def test_two_presses_at_the_same_moment_are_one_stop(house: HouseOf) -> None:
    """Both browsers read that it is being asked."""
    session = house.session(house.wire().start(meter=0))
    order = StopOwnSession(session.session_id, customers=(str(session.payer_id),))
    answers = twice_at_once(house, stop_own_session, order)
    [command] = house.rows.station_commands.by(action=Action.STOP.value)
    assert [one.command_id for one in answers] == [command.command_id] * 2
