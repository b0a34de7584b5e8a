"""A station's key is replaced over its own line, with a real gateway, a real worker, and a station that speaks by hand."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from tallywatt.entrypoints.worker import LANES, Workers
from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.identity import CommandId, StationId
from tallywatt.settings import Settings
from tallywatt.stations.credentials import hash_key
from tallywatt.stations.key_change import KeyState
from tallywatt.stations.messages import NEW, OLD
from tallywatt.wiring import House
from tallywatt.workflows.add_station import AddStation, NewEvse, add_station
from tallywatt.workflows.change_station import ChangeStation, change_station
from tallywatt.workflows.close_gap import watch_answer
from tallywatt.workflows.command_station import NoteSent, WatchCommand, note_sent
from tallywatt.workflows.replace_key import KeyShown, ReplaceKey, give_key_up, key_shown, replace_key
from tests.entrypoints.scene import Scene
from tests.migrated import migrated_file, sqlite_house_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

__all__ = ["migrated_file", "sqlite_house_url"]

FIRST = "the-first-key-0123456789"
BOTH = pytest.mark.parametrize("protocol", [OLD, NEW])


class Post(Scene):
    """A house with a gateway that listens, and one station of it."""

    identity = "POST-1"

    def place(self) -> None:
        """The station, with its first key."""
        digest = hash_key(FIRST, self.house.pepper)
        row = self.do(add_station, AddStation(self.identity, "queen-street", digest, (NewEvse(1),)))
        self.id = StationId(row.station_id)

    def row(self) -> Any:
        """The replacement, as it is stored."""
        return self.do(lambda work, key: work.key_changes.find(key), self.id)

    @property
    def state(self) -> KeyState:
        """Where it stands."""
        found: KeyState = self.row().state
        return found

    def waiting(self) -> list[Any]:
        """What waits for a person."""
        found: list[Any] = self.do(lambda work, _: work.inbox.by(kind="key_not_replaced", state="open"), None)
        return found

    async def until(self, state: KeyState) -> None:
        """Somebody else writes it down in a moment."""
        for _ in range(200):
            if self.state is state:
                return
            await asyncio.sleep(0.02)
        assert self.state is state

    @asynccontextmanager
    async def online(self, key: str, protocol: str) -> AsyncIterator[ClientConnection]:
        """The station's own socket; what it shows opens the door as soon as the gateway has read of it."""
        assert self.house.gateway is not None
        shown = base64.b64encode(f"{self.identity}:{key}".encode()).decode()
        url = f"ws://127.0.0.1:{self.house.gateway.port}/ocpp/{self.slug}/{self.identity}"
        headers = {"Authorization": f"Basic {shown}"}
        async with connect(url, subprotocols=[Subprotocol(protocol)], additional_headers=headers) as socket:
            yield socket

    async def boot(self, socket: ClientConnection, protocol: str) -> None:
        """So that the house knows in which version it speaks; a gateway that has not read of it yet lets it wait a moment."""
        old = {"chargePointVendor": "V", "chargePointModel": "M"}
        new = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}}
        for number in range(300):
            await socket.send(json.dumps([2, f"b{number}", "BootNotification", old if protocol == OLD else new]))
            while (message := json.loads(await socket.recv()))[:2] != [3, f"b{number}"]:
                pass
            if message[2]["status"] == "Accepted":
                return
            await asyncio.sleep(0.02)
        msg = "it is never let in"
        raise AssertionError(msg)

    async def sent(self) -> None:
        """What the worker beside the gateway does."""
        workers = Workers(self.house, ())
        await asyncio.to_thread(workers.step, LANES["stations"])


async def key_from(socket: ClientConnection, answer: Any = None) -> str:
    """The key that the station is told; answered as it likes. Anything else is answered with an error."""
    while True:
        number, message_id, *rest = json.loads(await socket.recv())
        if number != 2:
            continue
        action, content = rest
        if action == "ChangeConfiguration" and content["key"] == "AuthorizationKey":
            key = str(content["value"])
        elif action == "SetVariables" and "BasicAuthPassword" in str(content):
            key = str(content["setVariableData"][0]["attributeValue"])
        else:
            await socket.send(json.dumps([4, message_id, "NotSupported", "", {}]))
            continue
        if answer is not None:
            await socket.send(json.dumps(answer(message_id, key)))
        return key


def saying(protocol: str, word: str) -> Any:
    """The answer of a version."""

    def answer(message_id: str, key: str) -> Any:
        if protocol == OLD:
            return [3, message_id, {"status": word, "remark": key}]
        place = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
        info = {"reasonCode": "Why", "additionalInfo": f"not {key}"}
        return [3, message_id, {"setVariableResult": [{"attributeStatus": word, "attributeStatusInfo": info, **place}]}]

    return answer


@pytest.fixture
async def post(tmp_path: Path, sqlite_house_url: str) -> AsyncIterator[Post]:
    """Furnished and listening."""
    house = House(Settings(data_dir=tmp_path, database_url=sqlite_house_url, http_port=0, ocpp_port=0))
    house.build_gateway()
    house.open()
    built = Post(house, None)  # type: ignore[arg-type]  # nobody asks for a page
    await asyncio.to_thread(built.furnish)
    built.place()
    await house.open_gateway()
    yield built
    assert house.gateway is not None
    await house.gateway.stop(1)
    await asyncio.to_thread(built.close)


async def knocks(post: Post, key: str, protocol: str) -> int:
    """With what the door answers: 101, or a refusal."""
    try:
        async with post.online(key, protocol):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


@BOTH
async def test_the_new_key_is_taken_and_the_old_one_ends_when_it_was_shown(
    post: Post, protocol: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Until then both open the door. No table, no log, no event and no row holds the key in clear letters."""
    async with post.online(FIRST, protocol) as socket:
        await post.boot(socket, protocol)
        first, again = (post.do(replace_key, ReplaceKey(post.id)) for _ in range(2))
        assert first.command_id == again.command_id
        assert first.state is KeyState.WAITING
        key, _ = await asyncio.gather(key_from(socket, saying(protocol, "Accepted")), post.sent())
        await post.until(KeyState.ACCEPTED)
        await asyncio.wait_for(socket.wait_closed(), 30)
    assert await knocks(post, FIRST, protocol) == 101
    assert await knocks(post, key, protocol) == 101
    await post.until(KeyState.DONE)
    for _ in range(100):
        if await knocks(post, FIRST, protocol) == 401:
            break
        await asyncio.sleep(0.02)
    assert await knocks(post, FIRST, protocol) == 401
    assert await knocks(post, key, protocol) == 101
    assert post.waiting() == []
    row = post.row()
    assert (row.sealed_key, row.key_hash) == (None, None)
    assert await asyncio.to_thread(swept, post, key, capfd) == []


def swept(post: Post, key: str, capfd: pytest.CaptureFixture[str]) -> list[str]:
    """Where the key stands in clear letters: files of the database, its rows, the message log, what was printed."""
    assert post.house.gateway is not None
    post.house.gateway.write_down(post.id)
    found = [name for name, text in zip(("out", "err"), capfd.readouterr(), strict=True) if key in text]
    path = post.house.store.url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            rows = connection.execute(f'SELECT * FROM "{table}"').fetchall()  # names of our own tables
            found += [f"{table}: {row}" for row in rows if key in str(row) or key.encode().hex() in str(row)]
    asked = post.house.ask_now(
        post.house.views.traffic, post.operator, post.house.store.vault, station_id=post.id, limit=100
    )
    assert "***" in str(asked), "the message log tells that a key was sent"
    return found + [str(one) for one in asked["items"] if key in str(one)]


@BOTH
async def test_a_refusal_leaves_both_and_the_same_key_goes_out_again(
    post: Post, protocol: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A person sees it; a station that repeats the key in its refusal does not write it down for us."""
    async with post.online(FIRST, protocol) as socket:
        await post.boot(socket, protocol)
        post.do(replace_key, ReplaceKey(post.id))
        key, _ = await asyncio.gather(key_from(socket, saying(protocol, "Rejected")), post.sent())
        await post.until(KeyState.REFUSED)
        assert [one.station_id for one in post.waiting()] == [post.id]
        assert await asyncio.to_thread(swept, post, key, capfd) == []
        post.do(replace_key, ReplaceKey(post.id))
        assert (post.state, post.waiting()) == (KeyState.WAITING, [])
        again, _ = await asyncio.gather(key_from(socket, saying(protocol, "Accepted")), post.sent())
        assert again == key
        await post.until(KeyState.ACCEPTED)
    assert await knocks(post, key, protocol) == 101
    await post.until(KeyState.DONE)


async def test_a_lost_answer_leaves_both_until_the_new_one_is_shown(post: Post) -> None:
    """The line broke between the question and the answer: the station may have it, or may not."""
    async with post.online(FIRST, OLD) as socket:
        await post.boot(socket, OLD)
        post.do(replace_key, ReplaceKey(post.id))
        sending = asyncio.create_task(post.sent())
        key = await key_from(socket)
    await sending
    await post.until(KeyState.UNKNOWN)
    assert len(post.waiting()) == 1
    assert await knocks(post, FIRST, OLD) == 101
    assert post.state is KeyState.UNKNOWN
    assert await knocks(post, key, OLD) == 101
    await post.until(KeyState.DONE)
    assert post.waiting() == []


async def test_a_crash_between_sending_and_writing_down_sends_the_same_key_again(post: Post) -> None:
    """The key opens the door before it goes out, whatever becomes of the process; the next one sends the same."""
    async with post.online(FIRST, OLD) as socket:
        await post.boot(socket, OLD)
        told = post.do(replace_key, ReplaceKey(post.id))
        command = post.do(lambda work, key: work.station_commands.get(key), told.command_id)
        assert post.row().key_hash is None
        assert "hides" not in command.payload
        going = await asyncio.to_thread(post.house.filled_in, post.operator, command)
        post.do(note_sent, NoteSent(command.command_id, is_sent=True))
        assert going is not None
        lost = going.payload["hides"]
        key, _ = await asyncio.gather(key_from(socket, saying(OLD, "Accepted")), post.sent())
        assert key == lost
        await post.until(KeyState.ACCEPTED)


async def test_what_is_late_twice_or_of_another_key_changes_nothing(post: Post) -> None:
    """Told again that it was shown; a digest of nobody's; given up; and a key that is set by hand ends the other one."""
    async with post.online(FIRST, OLD) as socket:
        await post.boot(socket, OLD)
    with pytest.raises(Conflict):
        post.do(give_key_up, ReplaceKey(post.id))
    post.do(replace_key, ReplaceKey(post.id))
    post.do(key_shown, KeyShown(post.id, "another"))
    assert post.row().state is KeyState.WAITING
    post.do(give_key_up, ReplaceKey(post.id))
    given_up = post.row()
    assert (given_up.state, given_up.sealed_key) == (KeyState.ENDED, None)
    told = post.do(replace_key, ReplaceKey(post.id))
    post.do(change_station, ChangeStation(post.identity, key_hash=hash_key("another-key-by-hand", post.house.pepper)))
    assert post.row().state is KeyState.ENDED
    command = post.do(lambda work, key: work.station_commands.get(key), told.command_id)
    assert await asyncio.to_thread(post.house.filled_in, post.operator, command) is None
    post.do(watch_answer, WatchCommand(CommandId(told.command_id)))
    assert post.waiting() == []


async def test_a_station_that_shows_no_key_or_is_not_there_is_not_asked(post: Post) -> None:
    """One of certificates, and one that has never connected: it is said what to do."""
    with pytest.raises(Conflict) as refused:
        post.do(replace_key, ReplaceKey(post.id))
    assert refused.value.code == "stations.version_unknown"
    async with post.online(FIRST, OLD) as socket:
        await post.boot(socket, OLD)
    post.do(change_station, ChangeStation(post.identity, security_profile=3))
    with pytest.raises(Conflict) as refused:
        post.do(replace_key, ReplaceKey(post.id))
    assert refused.value.code == "keys.none_used"
