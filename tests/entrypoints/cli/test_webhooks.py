"""Webhooks from the command line: added, tested, looked at, sent again; each answer as its schema says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from standardwebhooks.webhooks import Webhook

from tallywatt.entrypoints.cli.desk import settings
from tallywatt.entrypoints.worker import Courier
from tallywatt.wiring import House
from tests.entrypoints.cli.test_schemas import misfits
from tests.entrypoints.worker.post import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.entrypoints.cli.conftest import CommandLine


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A partner's system on this machine."""
    monkeypatch.setenv("TALLYWATT_WEBHOOK_ALLOW", "127.0.0.1")
    with Receiver() as built:
        yield built


def deliver() -> None:
    """The server runs for a moment."""
    house = House(settings())
    house.open(following=False)
    Courier(house).step()
    house.close()


def test_an_endpoint_from_its_first_to_its_last_day(shop: CommandLine, receiver: Receiver) -> None:
    """What a program reads is what the manual lists."""
    added = shop.good("webhook", "add", receiver.url, "--type", "customer.*", "--json").json
    assert misfits(added, "webhook-add") == []
    assert misfits(shop.good("webhook", "test", "--json").json, "webhook-test") == []
    deliver()
    Webhook(added["secret"]).verify(receiver.seen[0].body, receiver.seen[0].headers)
    log = shop.good("webhook", "log", "--json").json
    assert misfits(log, "webhook-log") == []
    assert [one["state"] for one in log] == ["delivered"]

    assert misfits(shop.good("webhook", "replay", "--delivery", log[0]["id"], "--json").json, "webhook-replay") == []
    assert misfits(shop.good("webhook", "replay", receiver.url, "--after", "0", "--json").json, "webhook-replay") == []
    deliver()
    assert receiver.seen[0].id in {one.id for one in receiver.seen[1:]}
    assert "customer.added" in {one.json["type"] for one in receiver.seen}

    rotated = shop.good("webhook", "rotate", "--old-holds-hours", "0", "--json").json
    assert misfits(rotated, "webhook-rotate") == []
    assert rotated["secret"] != added["secret"]
    assert misfits(shop.good("webhook", "disable", "--json").json, "webhook-disable") == []
    assert misfits(shop.good("webhook", "enable", added["id"], "--json").json, "webhook-enable") == []
    listed = shop.good("webhook", "list", "--json").json
    assert misfits(listed, "webhook-list") == []
    assert "whsec_" not in str(listed)
    assert misfits(shop.good("webhook", "remove", receiver.url, "--json").json, "webhook-remove") == []
    assert shop.good("webhook", "list", "--json").json == []


def test_people_read_tables_and_are_told_to_keep_the_secret(shop: CommandLine, receiver: Receiver) -> None:
    """It is shown once."""
    said = shop.good("webhook", "add", receiver.url).out
    assert "whsec_" in said
    assert "cannot be shown again" in said
    assert receiver.url in shop.good("webhook", "list").out
    assert "Nothing was to be told yet." in shop.good("webhook", "log").out
    assert receiver.url in shop.good("webhook", "test").out
    deliver()
    assert "webhook_endpoint.tested" in shop.good("webhook", "log").out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("add", "http://10.0.0.1/"), "webhooks.private_address"),
        (("test",), "webhook_endpoints.none"),
        (("log", "--state", "lost"), "webhooks.unknown_state"),
        (("replay",), "webhooks.replay_from_where"),
    ],
)
def test_what_cannot_be_done_says_why(shop: CommandLine, words: tuple[str, ...], code: str) -> None:
    """With a code and a remedy."""
    ran = shop("webhook", *words)
    assert ran.code != 0
    assert code in ran.err
