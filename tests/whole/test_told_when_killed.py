"""The server is killed with SIGKILL while it tells partners: they hear of everything, in order, and twice at most by its id."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from standardwebhooks.webhooks import Webhook

from tallywatt.kernel.events import Event
from tallywatt.wiring import House
from tallywatt.workflows.add_webhook_endpoint import AddWebhookEndpoint, add_webhook_endpoint
from tests.entrypoints.worker.post import PATIENCE_SECONDS, Received, Receiver
from tests.whole.processes import Installation

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tallywatt.workflows.ports import UnitOfWork

SESSIONS, VERSIONS = 6, 5


def happen(work: UnitOfWork, version: int) -> None:
    """Something happens to each session."""
    assert version
    for number in range(SESSIONS):
        work.events.append(Event("session", f"S{number}", "SessionReleased"))


def slowly(_: Received) -> int:
    """So that a kill finds messages on their way."""
    threading.Event().wait(0.02)
    return 204


def test_partners_hear_of_everything_whenever_the_server_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed three times in the middle of it; each message arrives, and its first arrival is in the order of its session."""
    monkeypatch.setenv("TALLYWATT_WEBHOOK_ALLOW", "127.0.0.1")
    installation = Installation(tmp_path / "data")
    installation.furnish()
    with Receiver(slowly) as receiver:
        house = House(installation.settings)
        house.open(following=False)
        order = AddWebhookEndpoint(receiver.url, allow="127.0.0.1")
        webhook = Webhook(house.write_now(installation.operator, add_webhook_endpoint, order, actor="test").secret)
        for version in range(1, VERSIONS + 1):
            house.write_now(installation.operator, happen, version, actor="test")
        house.close()
        try:
            for heard in (2, 9, 17):
                installation.start()
                receiver.wait_for(heard)
                installation.kill()
            installation.start()
            with receiver.changed:
                every = SESSIONS * VERSIONS
                done = receiver.changed.wait_for(
                    lambda: len({one.id for one in receiver.seen}) >= every, PATIENCE_SECONDS
                )
            assert done, f"{len({one.id for one in receiver.seen})} of {every} were heard"
            assert installation.stop() == [0]
        finally:
            installation.kill()

        for number in range(SESSIONS):
            first_heard = dict.fromkeys(receiver.versions_of(f"S{number}"))
            assert list(first_heard) == list(range(1, VERSIONS + 1))
        for one in receiver.seen:
            webhook.verify(one.body, one.headers)
        assert len({(one.id, one.body) for one in receiver.seen}) == SESSIONS * VERSIONS
