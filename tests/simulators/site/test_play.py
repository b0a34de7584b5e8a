"""A play against a strict platform that can be cruel: every fact arrives, always with the same content."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from ocpp.v16 import call as call16
from ocpp.v201 import call as call201

from tallywatt.simulators.site import meters, plan, sample
from tallywatt.simulators.site.plan import Fault, Faults, Incident, Protocol
from tallywatt.simulators.site.play import Options, Result, perform, prepare
from tests.simulators.site.central import Central, Heard, OpenDoor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

DAY = sample.read()
INCIDENT_STATIONS = sorted(
    {row.station for row in DAY.rows if row.id in plan.choose_incidents(DAY).values()} | {"51427"}
)
MIXED = ["50349", "50911", "51427", "51429"]
"""Both protocols, several connectors, drivers with and without a contract."""


@dataclass
class Stage:
    """A platform, a door, and the options of a play against them."""

    options: Options
    central: Central
    door: OpenDoor
    lines: list[Mapping[str, object]]

    async def play(self, **changes: Any) -> Result:
        """Play the day, with these options changed."""
        return await perform(replace(self.options, **changes), self.lines.append, self.door)

    def told(self, event: str) -> list[Mapping[str, object]]:
        return [line for line in self.lines if line["event"] == event]


@asynccontextmanager
async def stage(path: Path, stations: list[str], **options: Any) -> AsyncIterator[Stage]:
    """A play of some stations' rows, as fast as it goes."""
    day = path / "some.csv"
    day.write_text(sample.write(row for row in DAY.rows if row.station in stations))
    chosen = Options(
        state=path / "site.jsonl", sample=day, seconds=0, second_try_seconds=1, answer_seconds=2, pause_seconds=0.02
    )
    chosen = replace(chosen, **options)
    central = Central({station.id: station.key for station in prepare(chosen).stations})
    await central.start()
    try:
        located = replace(chosen, gateway=f"ws://127.0.0.1:{central.port}")
        yield Stage(located, central, OpenDoor(central), [])
    finally:
        await central.stop()


def rows_of(stations: list[str]) -> list[sample.Row]:
    return [row for row in DAY.rows if row.station in stations]


def energy_of(stations: list[str]) -> int:
    return sum(row.milliwatt_hours for row in rows_of(stations))


def by_fact(heard: list[Heard]) -> dict[str, set[str]]:
    """The contents under which each fact arrived: one each, if resends tell the same."""
    facts = defaultdict(set)
    for one in heard:
        p = one.payload
        if one.action == "StartTransaction":
            facts[f"{one.station}/{p['connectorId']}/{p['timestamp']}/start"].add(one.content)
        elif one.action == "TransactionEvent":
            facts[f"{p['transactionInfo']['transactionId']}/{p['seqNo']}"].add(one.content)
        elif one.action == "StopTransaction":
            facts[f"{one.station}/{p['transactionId']}/stop"].add(one.content)
        else:
            facts[f"{one.station}/{p['transactionId']}/{p['meterValue'][0]['timestamp']}"].add(one.content)
    return facts


async def test_a_quiet_day_is_told_to_the_last_watt_hour(tmp_path: Path) -> None:
    """What the platform can read from the frames is what the meters say was delivered."""
    async with stage(tmp_path, MIXED) as here:
        result = await here.play()
        assert result.complete
        assert result.totals.delivered_milliwatt_hours == energy_of(MIXED)
        assert sum(here.central.metered().values()) == energy_of(MIXED)
        assert len(here.central.metered()) == len(rows_of(MIXED))
        assert meters.read(here.options.state) == result.totals
        assert {heard.socket for heard in here.central.heard} == {1}, "nobody lost a socket"
        assert here.told("done")[0]["complete"] is True


async def test_registers_follow_each_other_on_a_connector(tmp_path: Path) -> None:
    """Each session begins where the one before it ended: that is how a platform finds a lost stop."""
    async with stage(tmp_path, MIXED) as here:
        await here.play()
    lines = [line for line in _state(here) if line["kind"] == "delivered"]
    ends: dict[tuple[str, int], int] = {}
    for line in sorted(lines, key=lambda line: line["started_at"]):
        key = line["station"], line["connector"]
        assert line["register_at_start"] == ends.get(key, plan.first_register(*key))
        ends[key] = line["register_at_end"]


async def test_a_second_play_tells_the_same_facts_and_pays_nothing(tmp_path: Path) -> None:
    """The demo may be run again: not one new content, not one new payment."""
    async with stage(tmp_path, ["50269", "51427", "51429"], incidents=True) as here:
        await here.play()
        contents, paid = {heard.content for heard in here.central.facts()}, len(here.door.payments)
        before = len(here.central.facts())
        result = await here.play()
        assert result.complete
        assert len(here.central.facts()) > before
        assert {heard.content for heard in here.central.facts()} == contents
        assert len(here.door.payments) == paid
        assert result.totals == meters.read(here.options.state)


async def test_a_platform_that_is_killed_hears_everything_in_the_end(tmp_path: Path) -> None:
    """Three kills in one play: facts come at least once, resends say the same under new message ids."""
    async with stage(tmp_path, MIXED, seconds=2) as here:
        play = asyncio.create_task(here.play())
        for _ in range(3):
            await asyncio.sleep(0.5)
            here.central.kill()
            await asyncio.sleep(0.2)
            await here.central.start()
        result = await play
        assert result.complete
        assert sum(here.central.metered().values()) == energy_of(MIXED)
        assert all(len(contents) == 1 for contents in by_fact(here.central.facts()).values())
        ids = Counter(heard.message_id for heard in here.central.heard)
        assert max(ids.values()) == 1


async def test_an_answer_that_is_lost_brings_the_same_fact_again(tmp_path: Path) -> None:
    """Every third fact is heard and not answered: the socket is gone instead."""
    seen: Counter[str] = Counter()

    def every_third_once(heard: Heard) -> bool:
        seen[heard.content] += 1
        return (
            heard.action.endswith(("Transaction", "TransactionEvent"))
            and len(seen) % 3 == 0
            and seen[heard.content] == 1
        )

    async with stage(tmp_path, ["50349", "50269"], seconds=1) as here:
        here.central.swallow = every_third_once
        result = await here.play()
        assert result.complete
        assert sum(here.central.metered().values()) == energy_of(["50349", "50269"])
        assert max(seen.values()) > 1
        assert all(len(contents) == 1 for contents in by_fact(here.central.facts()).values())


@dataclass
class Played:
    """A play with all five incidents, long over."""

    result: Result
    central: Central
    door: OpenDoor
    lines: list[Mapping[str, object]]
    state: list[dict[str, Any]]

    def row(self, incident: Incident) -> sample.Row:
        return next(row for row in DAY.rows if row.id == self.result.totals.incidents[incident])

    def facts(self, action: str, station: str) -> list[Heard]:
        return [one for one in self.central.facts() if one.action == action and one.station == station]


@pytest.fixture(scope="module")
def incidents(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """One play for all the tests that look at what became of the incidents."""

    async def play() -> Played:
        async with stage(tmp_path_factory.mktemp("site"), INCIDENT_STATIONS, incidents=True) as here:
            result = await here.play()
            return Played(result, here.central, here.door, here.lines, _state(here))

    return asyncio.run(play())


def test_incidents_lose_no_energy_on_the_meters(incidents: Played) -> None:
    """Whatever the platform hears: what was delivered is what the rows say."""
    assert incidents.result.complete
    assert incidents.result.totals.delivered_milliwatt_hours == energy_of(INCIDENT_STATIONS)


def test_a_start_without_an_answer_is_resent_five_times(incidents: Played) -> None:
    """One fact, six message ids, six sockets."""
    row = incidents.row(Incident.RESEND_AFTER_CRASH)
    tag = plan.tag_of(row.driver or "")
    starts = [one for one in incidents.facts("StartTransaction", row.station) if one.payload["idTag"] == tag]
    assert len(starts) == len({one.message_id for one in starts}) == len({one.socket for one in starts}) == 6
    assert len({one.content for one in starts}) == 1
    left = [line["resends_left"] for line in incidents.lines if "resends_left" in line]
    assert left == [4, 3, 2, 1, 0]


def test_a_lost_stop_shows_in_the_next_register_alone(incidents: Played) -> None:
    """The energy was delivered, no stop ever comes, and the next start reveals it."""
    row = incidents.row(Incident.LOST_STOP)
    starts = [
        one.payload
        for one in incidents.facts("StartTransaction", row.station)
        if one.payload["connectorId"] == row.connector
    ]
    lost = next(i for i, start in enumerate(starts) if start["idTag"] == plan.tag_of(row.driver or ""))
    assert (starts[lost + 1]["meterStart"] - starts[lost]["meterStart"]) * 1000 == row.milliwatt_hours
    assert len(incidents.facts("StopTransaction", row.station)) == len(rows_of([row.station])) - 1
    boots = [one for one in incidents.central.heard if one.action == "BootNotification" and one.station == row.station]
    assert len(boots) == 2
    assert incidents.result.totals.by_row[row.id] == row.milliwatt_hours


def test_a_register_that_falls_delivers_both_parts(incidents: Played) -> None:
    """The stop reports the new small register; the site's meters know the whole."""
    row = incidents.row(Incident.METER_RESET)
    line = next(line for line in incidents.state if line["kind"] == "delivered" and line["row"] == row.id)
    assert line["register_at_end"] < line["register_at_start"]
    assert line["milliwatt_hours"] == row.milliwatt_hours


def test_who_paid_and_never_plugged_in_pays_again(incidents: Played) -> None:
    """Two payments, two tags; only the second one charges."""
    row = incidents.row(Incident.NEVER_PLUGGED)
    assert incidents.door.payments.count(plan.evse_code(row.station, row.connector)) == 2
    (missed,) = incidents.result.totals.never_plugged
    assert not any(missed in heard.content for heard in incidents.central.facts())
    assert incidents.result.totals.by_row[row.id] == row.milliwatt_hours


@pytest.mark.parametrize("kind", list(Fault))
async def test_no_fault_loses_or_changes_a_fact(tmp_path: Path, kind: Fault) -> None:
    """Dropped sockets, doubled messages, stops before their starts, queues that come late."""
    stations = ["50349", "50269", "51427"]
    async with stage(tmp_path, stations, seconds=1, faults=Faults(frozenset({kind}), share=0.5)) as here:
        result = await here.play()
        assert result.complete
        assert result.totals.delivered_milliwatt_hours == energy_of(stations)
        known = {key: mwh for key, mwh in here.central.metered().items() if not key.endswith("/-1")}
        assert sum(known.values()) == energy_of(stations)
        stops = [one for one in by_fact(here.central.facts()).items() if not one[0].endswith("/-1/stop")]
        assert all(len(contents) == 1 for _, contents in stops)


async def test_an_offline_station_boots_and_reports_before_its_queue(tmp_path: Path) -> None:
    """Boot and how each connector stands come first, the stop later: a platform that closes on Boot destroys a good stop."""
    faults = Faults(frozenset({Fault.OFFLINE}), share=1.0)
    async with stage(tmp_path, ["50911"], seconds=1, faults=faults) as here:
        await here.play()
        actions = [heard.action for heard in here.central.heard]
        second_boot = actions.index("BootNotification", 1)
        first_stop = actions.index("StopTransaction")
        assert second_boot < first_stop
        between = [heard.payload for heard in here.central.heard[second_boot:first_stop]]
        # On a slow machine the next driver may have plugged in by then.
        assert {payload["connectorId"] for payload in between if "status" in payload} >= {0, 2}


async def test_a_card_that_is_refused_charges_nothing(tmp_path: Path) -> None:
    """The driver leaves, nothing is delivered, and the result says so."""
    row = next(row for row in DAY.rows if row.station == "50269" and row.driver)
    async with stage(tmp_path, ["50269"]) as here:
        here.central.refuse_tags = frozenset({plan.tag_of(row.driver or "")})
        result = await here.play()
        assert row.id in result.refused
        assert row.id not in result.totals.by_row
        assert not result.complete


async def test_a_station_that_is_not_accepted_yet_boots_again(tmp_path: Path) -> None:
    """Pending is an answer to wait with, not an error."""
    async with stage(tmp_path, ["50269"]) as here:
        here.central.pending_boots = 2
        result = await here.play()
        assert result.complete
        assert sum(heard.action == "BootNotification" for heard in here.central.heard) == 3


async def test_a_wrong_key_is_said_once_and_nothing_is_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator sees why, instead of a silent simulator."""
    monkeypatch.setattr("tallywatt.simulators.site.play.BOOT_SECONDS", 0.5)
    monkeypatch.setattr("tallywatt.simulators.site.play.AUTHORIZE_SECONDS", 0.01)
    async with stage(tmp_path, ["50269"], give_up_seconds=0.2) as here:
        here.central.keys = {}
        result = await here.play()
        assert not result.complete
        assert result.facts_waiting > 0
        assert [line["reason"] for line in here.told("handshake_refused")] == ["HTTP 401"]


@pytest.mark.parametrize("protocol", list(Protocol))
async def test_a_session_can_be_stopped_from_afar(tmp_path: Path, protocol: Protocol) -> None:
    """What had flowed is delivered and told; the next session begins there; a replay stops at the same instant."""
    # The longest of the day, so that the stop comes in time on a busy machine too.
    rows = (row for row in DAY.rows if row.driver is not None and plan.protocol_of(row.station) is protocol)
    row = max(rows, key=_charging_samples)
    async with stage(tmp_path, [row.station], seconds=6) as here:
        play = asyncio.create_task(here.play())
        stopped = await _stop_when_started(here.central, row, protocol)
        result = await play
        assert stopped == "Accepted"
        assert result.complete
        assert 0 < result.totals.by_row[row.id] < row.milliwatt_hours
        assert sum(here.central.metered().values()) == result.totals.delivered_milliwatt_hours
        contents = {heard.content for heard in here.central.facts()}
        again = await here.play(seconds=0)
        assert {heard.content for heard in here.central.facts()} == contents
        assert again.totals == result.totals


def _charging_samples(row: sample.Row) -> int:
    """In how many of its samples the vehicle still takes energy."""
    samples = plan.plan_row(row, 0, None, frozenset()).samples
    return sum(one.register < row.milliwatt_hours for one in samples)


async def _stop_when_started(central: Central, row: sample.Row, protocol: Protocol) -> str:
    """Ask for the stop once the session's first sample has come."""
    name = plan.transaction_of(row)
    for _ in range(500):
        await asyncio.sleep(0.02)
        if protocol is Protocol.V201:
            events = [one.payload for one in central.facts() if name in one.content]
            if any(event["eventType"] == "Updated" for event in events):
                answer = await central.ask(row.station, call201.RequestStopTransaction(transaction_id=name))
                return str(answer.status)
        else:
            starts = [key for key in central.transactions if plan.tag_of(row.driver or "") in key]
            number = central.transactions[starts[0]] if starts else None
            values = [one.payload for one in central.facts() if one.action == "MeterValues"]
            if number is not None and any(value["transactionId"] == number for value in values):
                answer = await central.ask(row.station, call16.RemoteStopTransaction(transaction_id=number))
                return str(answer.status)
    return "never started"


async def test_commands_get_sensible_answers(tmp_path: Path) -> None:
    """Unlock, availability, reset, triggers, and a start for which nobody stands there; in both versions."""
    old = next(station for station in MIXED if plan.protocol_of(station) is Protocol.V16)
    new = next(row.station for row in DAY.rows if plan.protocol_of(row.station) is Protocol.V201)
    number = {row.station: row.connector for row in DAY.rows}
    async with stage(tmp_path, [old, new], seconds=30) as here:
        play = asyncio.create_task(here.play())
        await _until(lambda: any(line["event"] == "connected" for line in here.lines))
        ask = here.central.ask
        assert (await ask(old, call16.UnlockConnector(connector_id=99))).status == "NotSupported"
        assert (await ask(new, call201.UnlockConnector(evse_id=99, connector_id=1))).status == "UnknownConnector"
        assert await here.central.remote_start(old, number[old], "NOBODY") == "Rejected"
        assert await here.central.remote_start(new, number[new], "NOBODY") == "Rejected"
        assert (await ask(old, call16.RemoteStopTransaction(transaction_id=999))).status == "Rejected"
        assert (await ask(old, call16.TriggerMessage(requested_message="Heartbeat"))).status == "Accepted"
        assert (await ask(new, call201.TriggerMessage(requested_message="StatusNotification"))).status == "Accepted"
        assert (
            await ask(old, call16.TriggerMessage(requested_message="DiagnosticsStatusNotification"))
        ).status == "NotImplemented"
        assert (await ask(new, call201.GetTransactionStatus(transaction_id="none"))).ongoing_indicator is False
        assert (await ask(old, call16.GetConfiguration(key=["HeartbeatInterval"]))).unknown_key == ["HeartbeatInterval"]
        off = call16.ChangeAvailability(connector_id=number[old], type="Inoperative")
        assert (await ask(old, off)).status in ("Accepted", "Scheduled")
        on = call201.ChangeAvailability(operational_status="Operative", evse={"id": number[new]})
        assert (await ask(new, on)).status == "Accepted"
        assert (await ask(new, call201.Reset(type="OnIdle"))).status in ("Accepted", "Rejected")
        play.cancel()
        await asyncio.gather(play, return_exceptions=True)


async def _until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


def _state(here: Stage) -> list[dict[str, Any]]:

    return [json.loads(line) for line in here.options.state.read_text().splitlines()]
