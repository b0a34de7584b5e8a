"""The live feed: committed events, each to those who want it, at most one message a second."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tallywatt.customers.roles import Role
from tallywatt.entrypoints.http import feed as feeds
from tallywatt.entrypoints.http.doors import COOKIE
from tallywatt.entrypoints.http.feed import Feed
from tallywatt.kernel.errors import Busy
from tallywatt.kernel.events import Event, RecordedEvent
from tallywatt.workflows.add_person import EndMembership, end_membership
from tallywatt.workflows.create_api_key import CreateApiKey, RevokeApiKey, create_api_key, revoke_api_key
from tallywatt.workflows.rotate_api_key import RotateApiKey, rotate_api_key
from tallywatt.workflows.sign_in import LeaveConsole, LeaveEverywhere, leave_console, leave_everywhere
from tests.entrypoints.served import served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.entrypoints.scene import Scene


def event(position: int, aggregate_id: str = "s1", operator: str = "one") -> RecordedEvent:
    """An event at a position."""
    said = Event("session", aggregate_id, "SessionStarted", {"session_id": aggregate_id})
    return RecordedEvent(f"e{position}", operator, position, said, 1, "test", "", 0, 0)


class Line:
    """The line of events, as the database would answer."""

    def __init__(self) -> None:
        self.events: list[RecordedEvent] = []
        self.running: dict[str, dict[str, int]] = {}

    async def read(self, position: int) -> list[RecordedEvent]:
        """What is behind a position."""
        return [one for one in self.events if one.position > position][:3]

    async def last(self) -> int:
        """The last position."""
        return self.events[-1].position if self.events else 0

    async def progress(self, operator: str) -> dict[str, int]:
        """How far the running sessions of an operator are."""
        return dict(self.running.get(operator, {}))


async def started(line: Line, monkeypatch: pytest.MonkeyPatch, pause: float = 0.05) -> Feed:
    """A feed that is in a hurry."""
    monkeypatch.setattr(feeds, "PAUSE_SECONDS", pause)
    monkeypatch.setattr(feeds, "LISTEN_SECONDS", 5)
    feed = Feed(line.read, line.last, line.progress)
    await feed.start()
    return feed


async def heard(messages: AsyncIterator[bytes]) -> dict[str, Any]:
    """The next message that carries something."""
    async for message in messages:
        if b"data: " in message:
            data: dict[str, Any] = json.loads(message.partition(b"data: ")[2])
            return data
    msg = "the stream ended"
    raise AssertionError(msg)


async def test_a_page_hears_of_its_own_things_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five hundred open pages are not woken by one session."""
    line = Line()
    feed = await started(line, monkeypatch)
    mine = feed.watch("one", lambda one: one.aggregate_id == "s2")
    assert await anext(mine) == feeds.HELLO
    line.events += [event(1, "s1"), event(2, "s2"), event(3, "s3")]
    feed.ring()
    message = await asyncio.wait_for(heard(mine), 20)
    assert message == {"position": 2, "changed": {"s2": "SessionStarted"}}
    await feed.close()


async def test_a_burst_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens between two messages is folded together."""
    line = Line()
    feed = await started(line, monkeypatch, pause=0.2)
    mine = feed.watch("one", lambda _: True)
    await anext(mine)
    line.events.append(event(1))
    feed.ring()
    await heard(mine)
    for position in range(2, 30):
        line.events.append(event(position, f"s{position % 3}"))
        feed.ring()
    before = time.monotonic()
    message = await asyncio.wait_for(heard(mine), 20)
    assert message["position"] == 29
    assert set(message["changed"]) == {"s0", "s1", "s2"}
    assert time.monotonic() - before >= 0.1
    await feed.close()


async def test_nothing_is_missed_that_another_process_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    """It rings no bell here: the feed looks by itself."""
    line = Line()
    feed = await started(line, monkeypatch)
    await feed.close()
    monkeypatch.setattr(feeds, "LISTEN_SECONDS", 0.05)
    feed = Feed(line.read, line.last, line.progress)
    await feed.start()
    mine = feed.watch("one", lambda _: True)
    await anext(mine)
    line.events.append(event(1))
    assert (await asyncio.wait_for(heard(mine), 20))["position"] == 1
    await feed.close()


async def test_a_page_that_comes_back_is_told_that_it_missed_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """A phone was in a tunnel."""
    line = Line()
    line.events.append(event(7))
    feed = await started(line, monkeypatch)
    mine = feed.watch("one", lambda _: True, last_heard=3)
    assert (await asyncio.wait_for(heard(mine), 20))["position"] == 7
    await feed.close()


async def test_a_page_hears_what_came_between_its_making_and_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing of what came before, or of others."""
    line = Line()
    line.events.append(event(1))
    feed = await started(line, monkeypatch)
    made_at = feed.position
    line.events += [event(2, "s2"), event(3, "s3"), event(4, "s2", "two")]
    feed.ring()
    await asyncio.sleep(0.05)
    mine = feed.watch("one", lambda one: one.aggregate_id == "s2", last_heard=made_at)
    assert (await asyncio.wait_for(heard(mine), 20))["changed"] == {"s2": "SessionStarted"}
    others = feed.watch("one", lambda one: one.aggregate_id == "s9", last_heard=made_at)
    waiting = asyncio.create_task(heard(others))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    waiting.cancel()
    await feed.close()


async def test_a_reader_that_fails_once_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A locked database for a moment is no reason to be silent for ever."""
    line = Line()
    monkeypatch.setattr(feeds, "LISTEN_SECONDS", 0.02)
    failures = [OSError("away")]

    async def read(position: int) -> list[RecordedEvent]:
        if failures:
            raise failures.pop()
        return await line.read(position)

    feed = Feed(read, line.last, line.progress)
    await feed.start()
    mine = feed.watch("one", lambda _: True)
    await anext(mine)
    line.events.append(event(1))
    assert (await asyncio.wait_for(heard(mine), 20))["position"] == 1
    await feed.close()


async def test_readings_reach_a_page_though_they_write_no_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """The live cost grows with each meter value; thousands of those a second are no events."""
    line = Line()
    line.running = {"one": {"s1": 3, "s2": 8}, "two": {"s3": 1}}
    monkeypatch.setattr(feeds, "LISTEN_SECONDS", 0.02)
    monkeypatch.setattr(feeds, "PAUSE_SECONDS", 0.02)
    feed = Feed(line.read, line.last, line.progress)
    await feed.start()
    mine = feed.watch("one", lambda one: one.aggregate_id == "s2")
    await anext(mine)
    assert (await asyncio.wait_for(heard(mine), 20))["changed"] == {"s2": feeds.PROGRESSED}, "the first look"
    waiting = asyncio.create_task(heard(mine))
    await asyncio.sleep(0.1)
    line.running["one"]["s1"] = 4
    line.running["two"]["s3"] = 2
    await asyncio.sleep(0.1)
    assert not waiting.done()
    line.running["one"]["s2"] = 9
    assert (await asyncio.wait_for(waiting, 20))["changed"] == {"s2": feeds.PROGRESSED}
    await feed.close()


async def test_closing_ends_every_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that stops must not wait for browsers."""
    feed = await started(Line(), monkeypatch)
    mine = feed.watch("one", lambda _: True)
    await anext(mine)

    async def rest() -> list[bytes]:
        return [message async for message in mine]

    reading = asyncio.create_task(rest())
    await asyncio.sleep(0)
    await feed.close()
    assert await asyncio.wait_for(reading, 20) == []
    with pytest.raises(Busy):
        feed.require_room()


@pytest.mark.parametrize("turns", range(5))
async def test_closing_ends_also_while_the_bell_rings(monkeypatch: pytest.MonkeyPatch, turns: int) -> None:
    """A commit at the very moment of SIGTERM: the cancellation was lost, and the server never ended."""
    feed = await started(Line(), monkeypatch)
    await asyncio.sleep(0.01)

    feed.ring()
    for _ in range(turns):
        await asyncio.sleep(0)

    async with asyncio.timeout(30):
        await feed.close()
    assert [one.get_name() for one in asyncio.all_tasks() if one.get_name() == "feed"] == []


async def test_a_program_reads_every_event_from_its_own_cursor_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is folded away, and none of another operator is among them."""
    line = Line()
    line.events += [event(position, f"s{position}", "one" if position % 2 else "two") for position in range(1, 10)]
    feed = await started(line, monkeypatch)
    found: list[int] = []

    async def follow() -> None:
        async for message in feed.follow("one", 3):
            found.extend(int(one.split(b"\n")[0]) for one in message.split(b"id: ")[1:])

    reading = asyncio.create_task(follow())
    await asyncio.sleep(0.05)
    line.events.append(event(11, "s11"))
    feed.ring()
    await asyncio.sleep(0.1)
    assert found == [5, 7, 9, 11]
    await feed.close()
    await asyncio.wait_for(reading, 20)


def test_a_driver_s_page_hears_of_its_session_over_the_wire(scene: Scene) -> None:
    """From the station's frame to the phone, through the writer and the feed."""
    wire = scene.wire()
    transaction = wire.start(meter=0)
    secret = scene.session(transaction)["driver_secret"]
    with served(scene.house) as base, httpx.Client(base_url=base, timeout=10) as client:
        with client.stream("GET", f"/s/{secret}/feed") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.iter_lines()
            assert next(lines) == "retry: 2000"
            scene.later(10)
            wire.stop(transaction, 3_000_000)
            data = next(line for line in lines if line.startswith("data: "))
        changed = json.loads(data.removeprefix("data: "))["changed"]
        assert scene.session(transaction)["id"] in changed


def test_the_api_s_stream_goes_on_behind_a_position(scene: Scene) -> None:
    """What happened while nobody listened comes first."""
    headers = scene.key("read")
    wire = scene.wire()
    before = scene.house.ask_now(scene.house.views.last_position)
    transaction = wire.start(meter=0)
    with served(scene.house) as base, httpx.stream("GET", f"{base}/events?after={before}", headers=headers) as answer:
        data = next(line for line in answer.iter_lines() if line.startswith("data: "))
    told = json.loads(data.removeprefix("data: "))
    assert (told["type"], told["aggregate_id"]) == ("SessionStarted", scene.session(transaction)["id"])


async def test_what_let_a_page_in_ends_and_the_page_hears_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, also between two messages; whoever came in otherwise goes on, and nobody comes in by it afterwards."""
    line = Line()
    feed = await started(line, monkeypatch, pause=600)
    mine = feed.watch("one", lambda _: True, came_by="c1")
    others = [feed.watch("one", lambda _: True, came_by="c2"), feed.watch("two", lambda _: True, came_by="c1")]
    for stream in (mine, *others):
        assert await anext(stream) == feeds.HELLO
    line.events += [event(1, "s1"), event(2, "s1", "two")]
    feed.ring()
    await asyncio.wait_for(heard(mine), 20)
    resting = asyncio.ensure_future(anext(mine, b"ended"))
    await asyncio.sleep(0)
    gone = Event("console_session", "c1", "ConsoleSessionEnded")
    line.events.append(RecordedEvent("e3", "one", 3, gone, 1, "test", "", 0, 0))
    feed.ring()
    assert await asyncio.wait_for(resting, 20) == b"ended"
    assert [(await asyncio.wait_for(heard(one), 20))["position"] for one in others] == [3, 2]
    late = feed.watch("one", lambda _: True, came_by="c1")
    assert [message async for message in late] == [feeds.HELLO]
    await feed.close()


def test_streams_end_with_what_let_them_in(scene: Scene) -> None:
    """Signed out here or everywhere, a role taken away, a key revoked or replaced: nothing more is told, over the wire."""
    people = [scene.signed_in(role) for role in (Role.OPERATIONS, Role.SUPPORT, Role.FINANCE)]
    made = [scene.do(create_api_key, CreateApiKey(name)) for name in ("one", "two")]
    sessions = {one.membership_id: one for one in scene.do(lambda work, _: work.console_sessions.by(), None)}
    members = {
        one.role: one for one in scene.do(lambda work, _: work.memberships.by(), None) if one.membership_id in sessions
    }
    left = sessions[members[Role.OPERATIONS].membership_id]
    deeds: list[tuple[Any, Any]] = [
        (leave_console, LeaveConsole(left.console_session_id)),
        (leave_everywhere, LeaveEverywhere(members[Role.SUPPORT].person_id)),
        (end_membership, EndMembership(members[Role.FINANCE].membership_id)),
        (revoke_api_key, RevokeApiKey(made[0].key.api_key_id)),
        (rotate_api_key, RotateApiKey(made[1].key.api_key_id, 0)),
    ]
    asked = [("/console/feed", {"Cookie": f"{COOKIE}={one.cookies[COOKIE]}"}) for one in people]
    asked += [("/events", {"Authorization": f"Bearer {one.text}"}) for one in made]
    with served(scene.house) as base, ExitStack() as stack:
        stays = stack.enter_context(httpx.stream("GET", f"{base}/events", headers=scene.key("read"), timeout=10))
        opened = [
            stack.enter_context(httpx.stream("GET", f"{base}{path}", headers=headers, timeout=10))
            for path, headers in asked
        ]
        for stream, (workflow, command) in zip(opened, deeds, strict=True):
            assert stream.status_code == 200, stream.read()
            scene.do(workflow, command)
            for _ in stream.iter_lines():
                pass  # it comes to its end, or the client gives up
        scene.wire().start(meter=0)
        assert "event: SessionStarted" in stays.iter_lines()
