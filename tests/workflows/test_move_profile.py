"""A station is moved to a higher security profile, with a real gateway with and without TLS, a real worker, a real socket."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from tallywatt.adapters.certificates.authority import make_authority
from tallywatt.entrypoints.worker import LANES, Workers
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.kernel.identity import StationId
from tallywatt.settings import Settings
from tallywatt.stations.credentials import hash_key
from tallywatt.stations.messages import NEW, NEWEST, OLD
from tallywatt.stations.profile_change import ProfileState, free_slot, order, slots_of
from tallywatt.wiring import House
from tallywatt.workflows.add_station import AddStation, NewEvse, add_station
from tallywatt.workflows.certify import PutAuthority, put_authority
from tallywatt.workflows.change_station import ChangeStation, change_station
from tallywatt.workflows.close_gap import hear_answer, watch_answer
from tallywatt.workflows.command_station import CommandAnswered, NoteSent, WatchCommand, note_sent
from tallywatt.workflows.move_profile import (
    RETURN_MS,
    MoveProfile,
    ProfileShown,
    WatchProfile,
    give_profile_up,
    move_profile,
    profile_shown,
    watch_profile,
)
from tallywatt.workflows.ports import LinkAnswer
from tests.adapters.ocpp.test_tls import (
    POLICY_VIOLATION,
    a_key,
    a_request,
    a_server_certificate,
    as_pem,
    dressed,
    now,
)
from tests.entrypoints.scene import Scene
from tests.migrated import migrated_file, sqlite_house_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tallywatt.stations.certificates import StationCertificate

__all__ = ["migrated_file", "sqlite_house_url"]

KEY = "the-key-of-the-station-0123"
URL = "wss://csms.example.org:9001/ocpp/dundee"
EACH = pytest.mark.parametrize("protocol", [OLD, NEW, NEWEST])
Answers = dict[str, Any]


class Yard(Scene):
    """A house whose gateway listens on both ports, and one station of it."""

    identity = "YARD-1"
    trusted = ""
    folder: Path

    def place(self) -> None:
        """The station, with its key."""
        row = self.do(
            add_station,
            AddStation(self.identity, "queen-street", hash_key(KEY, self.house.pepper), (NewEvse(1),)),
        )
        self.id = StationId(row.station_id)

    def row(self) -> Any:
        """The move, as it is stored."""
        return self.do(lambda work, key: work.profile_changes.find(key), self.id)

    def waiting(self) -> list[str]:
        """What waits for a person."""
        items = self.do(lambda work, _: work.inbox.by(kind="profile_not_moved", state="open"), None)
        return [one.summary for one in items]

    async def until(self, happened: Callable[[], bool]) -> None:
        """Somebody else writes it down in a moment."""
        for _ in range(300):
            if happened():
                return
            await asyncio.sleep(0.02)
        assert happened(), self.row()

    @asynccontextmanager
    async def online(
        self, protocol: str, *, within_tls: bool = False, own: tuple[StationCertificate, str] | None = None
    ) -> AsyncIterator[ClientConnection]:
        """The station's own socket; one with a certificate shows no key."""
        gateway = self.house.gateway
        assert gateway is not None
        shown = base64.b64encode(f"{self.identity}:{KEY}".encode()).decode()
        base = f"wss://localhost:{gateway.tls_port}" if within_tls else f"ws://127.0.0.1:{gateway.port}"
        async with connect(
            f"{base}/ocpp/{self.slug}/{self.identity}",
            subprotocols=[Subprotocol(protocol)],
            additional_headers={} if own else {"Authorization": f"Basic {shown}"},
            ssl=dressed(self.folder, self.trusted, own) if within_tls else None,
        ) as socket:
            yield socket

    async def boot(self, socket: ClientConnection, protocol: str) -> None:
        """It starts anew; a gateway that has not read of it yet lets it wait, and knows it a moment later."""
        old = {"chargePointVendor": "V", "chargePointModel": "M"}
        new = {"reason": "RemoteReset", "chargingStation": {"vendorName": "V", "model": "M"}}
        for number in range(300):
            await socket.send(json.dumps([2, f"b{number}", "BootNotification", old if protocol == OLD else new]))
            while (message := json.loads(await socket.recv()))[:2] != [3, f"b{number}"]:
                pass
            if message[2]["status"] == "Accepted":
                return
            await asyncio.sleep(0.02)
        msg = "it is never let in"
        raise AssertionError(msg)

    async def told(self, socket: ClientConnection, answers: Answers, last: str = "Reset") -> list[tuple[str, Any]]:
        """All that the station is told until it is to reset, or until it says no; the worker sends it meanwhile."""
        heard: list[tuple[str, Any]] = []
        listening = asyncio.create_task(_obey(socket, answers, heard, last))
        workers = Workers(self.house, ())
        for _ in range(300):
            if listening.done():
                break
            for lane in ("house", "stations"):
                await asyncio.to_thread(workers.step, LANES[lane])
            await asyncio.sleep(0.01)
        await asyncio.wait_for(listening, 5)
        return heard

    def move(self, profile: int = 2, **more: Any) -> Any:
        """A person wants it."""
        return self.do(move_profile, MoveProfile(self.id, profile, more.pop("url", URL), **more))

    def later(self, ms: int, workflow: Any, command: Any) -> Any:  # type: ignore[override]  # another unit of time
        """The same, so much machine time later."""

        def then(work: Any, one: Any) -> Any:
            work.machine_now = Instant(work.machine_now + ms)
            return workflow(work, one)

        return self.do(then, command)


async def _obey(socket: ClientConnection, answers: Answers, heard: list[tuple[str, Any]], last: str) -> None:
    while True:
        try:
            number, message_id, *rest = json.loads(await socket.recv())
        except ConnectionClosed:
            return
        if number != 2:
            continue
        action, content = rest
        if action not in answers:
            await socket.send(json.dumps([4, message_id, "NotSupported", "", {}]))
            continue
        heard.append((action, content))
        said = answers[action]
        answer = said(content) if callable(said) else said
        await socket.send(json.dumps([3, message_id, answer]))
        if action == last or "Rejected" in str(answer):
            return


def priority(value: str) -> Answers:
    """A station of 2.x that tells its connections, and takes everything."""
    place = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "NetworkConfigurationPriority"}}
    return {
        "GetVariables": lambda asked: {
            "getVariableResult": [
                {**place, "attributeStatus": "Accepted", "attributeValue": value}
                if one["variable"]["name"] == "NetworkConfigurationPriority"
                else {**one, "attributeStatus": "UnknownVariable"}
                for one in asked["getVariableData"]
            ]
        },
        "SetNetworkProfile": {"status": "Accepted"},
        "SetVariables": {"setVariableResult": [{**place, "attributeStatus": "Accepted"}]},
        "Reset": {"status": "Accepted"},
    }


def answers_of(protocol: str) -> Answers:
    """A station that does what it is told."""
    if protocol == OLD:
        return {"ChangeConfiguration": {"status": "Accepted"}, "Reset": {"status": "Accepted"}}
    return priority("1,3")


@pytest.fixture
async def yard(tmp_path: Path, sqlite_house_url: str) -> AsyncIterator[Yard]:
    """Furnished and listening on both ports."""
    certificate, key, text = a_server_certificate(tmp_path)
    settings = Settings(
        data_dir=tmp_path, database_url=sqlite_house_url, http_port=0, ocpp_port=0, ocpp_tls_port=0,
        ocpp_tls_certificate=certificate, ocpp_tls_key=key,
    )  # fmt: skip
    house = House(settings)
    house.build_gateway()
    house.open()
    built = Yard(house, None)  # type: ignore[arg-type]  # nobody asks for a page
    built.trusted, built.folder = text, tmp_path
    await asyncio.to_thread(built.furnish)
    built.place()
    await house.open_gateway()
    yield built
    assert house.gateway is not None
    await house.gateway.stop(1)
    await asyncio.to_thread(built.close)


async def knocks(yard: Yard, *, within_tls: bool = False) -> int:
    """With what the door answers: 101, or a refusal."""
    try:
        async with yard.online(NEW, within_tls=within_tls):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


@EACH
async def test_a_station_comes_back_within_tls_and_is_let_in_with_no_lower_profile_any_more(
    yard: Yard, protocol: str
) -> None:
    """Until it has, the plain port is its way back."""
    async with yard.online(protocol) as socket:
        await yard.boot(socket, protocol)
        yard.move()
        heard = await yard.told(socket, answers_of(protocol))
    await yard.until(lambda: yard.row().state is ProfileState.RETURNING)
    assert await knocks(yard) == 101, "a line that has dropped says nothing of its profile"
    if protocol == OLD:
        assert heard == [
            ("ChangeConfiguration", {"key": "SecurityProfile", "value": "2"}),
            ("Reset", {"type": "Soft"}),
        ]
    else:
        named = [action for action, _ in heard]
        assert named == ["GetVariables", "SetNetworkProfile", "SetVariables", "Reset"]
        written = dict(heard)["SetNetworkProfile"]
        assert written["configurationSlot"] == 2, "the old connections stay"
        assert (written["connectionData"]["securityProfile"], written["connectionData"]["ocppCsmsUrl"]) == (2, URL)
        assert dict(heard)["SetVariables"]["setVariableData"][0]["attributeValue"] == "2,1,3"
        assert dict(heard)["Reset"] == {"type": "OnIdle"}
    async with yard.online(protocol, within_tls=True) as socket:
        await yard.until(lambda: yard.row().state is ProfileState.DONE)
        await yard.boot(socket, protocol)
    assert yard.station(yard.identity)["security_profile"] == 2
    for _ in range(100):
        if await knocks(yard) == 403:
            break
        await asyncio.sleep(0.02)
    assert await knocks(yard) == 403
    assert await knocks(yard, within_tls=True) == 101
    assert (yard.waiting(), yard.row().state) == ([], ProfileState.DONE)


@pytest.mark.parametrize("protocol", [OLD, NEW])
async def test_a_station_that_starts_anew_with_the_old_profile_comes_before_a_person(yard: Yard, protocol: str) -> None:
    """It may still come with the new one, hours later: then all is well."""
    async with yard.online(protocol) as socket:
        await yard.boot(socket, protocol)
        yard.move()
        await yard.told(socket, answers_of(protocol))
    await yard.until(lambda: yard.row().state is ProfileState.RETURNING)
    async with yard.online(protocol) as socket:
        await yard.until(lambda: yard.row().shown == 1)
        await yard.boot(socket, protocol)
    assert yard.row().state is ProfileState.WENT_BACK
    assert yard.waiting() == [
        f"station {yard.identity}, on its way to security profile 2, has come back with the old one"
    ]
    assert yard.station(yard.identity)["security_profile"] == 0, "it can still come in"
    async with yard.online(protocol, within_tls=True):
        await yard.until(lambda: yard.row().state is ProfileState.DONE)
    assert yard.waiting() == []


@EACH
async def test_a_station_comes_back_with_the_certificate_that_it_has_asked_for(yard: Yard, protocol: str) -> None:
    """Profile 3, over one line from the request to the move; from then on its key opens neither door."""
    made = make_authority("Yard", 10, now())
    told = PutAuthority("yard-1", made.certificate, made.key, made.fingerprint, made.holds_from, made.holds_until)
    yard.do(put_authority, told)
    key = a_key()
    async with yard.online(protocol) as socket:
        await yard.boot(socket, protocol)
        await socket.send(json.dumps([2, "sign", "SignCertificate", {"csr": a_request(yard.identity, key)}]))
        handed = await yard.told(socket, {"CertificateSigned": {"status": "Accepted"}}, "CertificateSigned")
        [row] = yard.do(lambda work, _: work.station_certificates.by(station_id=yard.id), None)
        [(action, content)] = handed
        assert (action, row.state) == ("CertificateSigned", "issued")
        assert content["certificateChain"].startswith(row.certificate)
        yard.move(3)
        heard = await yard.told(socket, answers_of(protocol))
        asked = dict(heard)
        if protocol == OLD:
            assert asked["ChangeConfiguration"] == {"key": "SecurityProfile", "value": "3"}
        else:
            assert asked["SetNetworkProfile"]["connectionData"]["securityProfile"] == 3
    await yard.until(lambda: yard.row().state is ProfileState.RETURNING)
    assert await knocks(yard) == 101, "until it has come with its certificate"
    async with yard.online(protocol, within_tls=True, own=(row, as_pem(key))) as socket:
        await yard.until(lambda: yard.row().state is ProfileState.DONE)
        await yard.boot(socket, protocol)
    assert (yard.station(yard.identity)["security_profile"], yard.row().shown, yard.waiting()) == (3, 3, [])
    for _ in range(100):
        if await knocks(yard) == 403:
            break
        await asyncio.sleep(0.02)
    assert await knocks(yard) == 403
    async with yard.online(protocol, within_tls=True) as socket:
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == POLICY_VIOLATION


async def test_a_station_that_refuses_a_step_is_told_no_more_and_may_be_asked_again(yard: Yard) -> None:
    """With its own word, and nothing is changed here."""
    async with yard.online(NEW) as socket:
        await yard.boot(socket, NEW)
        yard.move()
        refusing = priority("1") | {"SetNetworkProfile": {"status": "Rejected"}}
        heard = await yard.told(socket, refusing)
        assert [action for action, _ in heard] == ["GetVariables", "SetNetworkProfile"]
        await yard.until(lambda: yard.row().state is ProfileState.REFUSED)
        assert yard.row().reason == "Rejected"
        assert len(yard.waiting()) == 1
        assert yard.move(slot=5).state is ProfileState.ASKING
        assert yard.waiting() == []
        heard = await yard.told(socket, priority("1"))
        assert dict(heard)["SetNetworkProfile"]["configurationSlot"] == 5


async def test_what_is_never_answered_or_never_comes_back_comes_before_a_person(yard: Yard) -> None:
    """In each step; told late, twice, or about an earlier step it changes nothing."""
    async with yard.online(OLD) as socket:
        await yard.boot(socket, OLD)
    yard.move(url=None)
    row = yard.row()
    yard.later(25 * 3_600_000, watch_answer, WatchCommand(row.command_id))
    assert (yard.row().state, yard.row().reason) == (ProfileState.SILENT, "the station was not connected in time")
    yard.move(url=None)
    async with yard.online(OLD) as socket:
        await yard.told(socket, answers_of(OLD))
    await yard.until(lambda: yard.row().state is ProfileState.RETURNING)
    yard.do(watch_profile, WatchProfile(yard.id))
    assert yard.row().state is ProfileState.RETURNING, "not yet"
    for _ in range(2):
        yard.later(RETURN_MS, watch_profile, WatchProfile(yard.id))
        assert yard.row().state is ProfileState.SILENT
    assert len(yard.waiting()) == 1
    for _ in range(2):
        yard.do(profile_shown, ProfileShown(yard.id, 2))
        assert yard.row().state is ProfileState.DONE
    yard.do(profile_shown, ProfileShown(yard.id, 1))
    assert (yard.row().state, yard.row().shown) == (ProfileState.DONE, 2)


async def test_a_reset_that_nobody_has_answered_is_waited_for(yard: Yard) -> None:
    """Some stations reset before they have said so."""
    async with yard.online(OLD) as socket:
        await yard.boot(socket, OLD)
    yard.move(url=None)

    def answered(work: Any, outcome: str) -> Any:
        row = work.profile_changes.get(yard.id)
        note_sent(work, NoteSent(row.command_id, is_sent=True))
        return hear_answer(work, CommandAnswered(row.command_id, LinkAnswer(outcome, None)))

    yard.do(answered, "accepted")
    assert yard.row().state is ProfileState.RESETTING
    yard.do(answered, "no_answer")
    assert (yard.row().state, yard.waiting()) == (ProfileState.RETURNING, [])


async def test_a_move_is_upwards_alone_one_at_a_time_and_may_be_given_up(yard: Yard) -> None:
    """Each refusal says what to do instead."""
    with pytest.raises(Conflict) as refused:
        yard.move()
    assert refused.value.code == "stations.version_unknown"
    async with yard.online(NEW) as socket:
        await yard.boot(socket, NEW)
    for profile, url, more, code in (
        (1, URL, {}, "stations.bad_profile"),
        (2, "ws://plain.example.org/ocpp", {}, "profiles.bad_url"),
        (2, None, {}, "profiles.bad_url"),
        (2, URL, {"slot": 0}, "profiles.bad_slot"),
        (2, URL, {"interface": "Any"}, "profiles.bad_interface"),
        (3, URL, {}, "profiles.no_certificate"),
    ):
        with pytest.raises((BadInput, Conflict)) as wrong:
            yard.move(profile, url=url, **more)
        assert wrong.value.code == code
    with pytest.raises(Conflict) as nothing:
        yard.do(give_profile_up, WatchProfile(yard.id))
    assert nothing.value.code == "profiles.nothing_open"
    yard.move()
    with pytest.raises(Conflict) as twice:
        yard.move()
    assert twice.value.code == "profiles.under_way"
    assert yard.do(give_profile_up, WatchProfile(yard.id)).state is ProfileState.ENDED
    yard.do(profile_shown, ProfileShown(yard.id, 2))
    assert yard.row().state is ProfileState.ENDED
    yard.do(change_station, ChangeStation(yard.identity, security_profile=2))
    with pytest.raises(Conflict) as lower:
        yard.move()
    assert lower.value.code == "profiles.not_higher"


async def test_a_station_at_which_somebody_charges_is_not_reset(yard: Yard) -> None:
    """OCPP 1.6 has no reset that waits."""
    wire = yard.wire("CP1")
    wire.start(token="CARD1")
    station = StationId(yard.station("CP1")["id"])
    yard.do(_speaks_old, station)
    with pytest.raises(Conflict) as refused:
        yard.do(move_profile, MoveProfile(station, 2))
    assert refused.value.code == "profiles.somebody_charges"


def _speaks_old(work: Any, station: StationId) -> None:
    row = work.stations.lock(station)
    work.stations.put(replace(row, protocol=OLD))


@pytest.mark.parametrize(
    ("told", "slots", "free", "first"),
    [
        (None, [1], 2, "2,1"),
        ("", [1], 2, "2,1"),
        ("1, 2,4", [1, 2, 4], 3, "3,1,2,4"),
        ("7", [7], 1, "1,7"),
        ("nonsense,99999999999999999999", [1], 2, "2,1"),
    ],
)
def test_the_way_back_is_kept_behind_the_new_connection(
    told: str | None, slots: list[int], free: int, first: str
) -> None:
    """Whatever a station says of its connections."""
    assert (slots_of(told), free_slot(told), order(free, told)) == (slots, free, first)
