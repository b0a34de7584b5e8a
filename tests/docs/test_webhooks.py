"""The receiver of the webhook guide, run as it stands there, verifies what the house sends."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tallywatt.entrypoints.cli.demo.processes import free_port
from tallywatt.partners.schedule import RETRY_SECONDS
from tallywatt.workflows.add_webhook_endpoint import AddWebhookEndpoint, add_webhook_endpoint
from tests.docs.blocks import DOCS, blocks
from tests.entrypoints.worker.post import Post
from tests.migrated import migrated_file, sqlite_house_url

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["migrated_file", "sqlite_house_url"]

PAGE = "how-to/webhooks.md"


def test_the_receiver_of_the_guide_takes_what_is_sent(tmp_path: Path, sqlite_house_url: str) -> None:
    """Twenty-five lines, and no message is counted twice."""
    [code] = blocks(PAGE, "python")
    assert len(code.splitlines()) <= 25
    port = free_port()
    post = Post(tmp_path, sqlite_house_url)
    url = f"http://127.0.0.1:{port}/"
    secret = post.do(add_webhook_endpoint, AddWebhookEndpoint(url, allow="127.0.0.1")).secret
    environment = {**os.environ, "WEBHOOK_SECRET": secret, "PORT": str(port)}
    receiver = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
    try:
        _until_it_listens(port)
        post.happen("S1")
        post.happen("S1")
        tries = 0
        while any(one.is_open for one in post.do(lambda work, _: work.webhook_deliveries.by(), None)) or not tries:
            post.deliver()
            post.later(6)
            tries += 1
            assert tries < 10
    finally:
        receiver.terminate()
        said, _ = receiver.communicate(timeout=20)
        post.close()

    assert [line.split(" ", 2) for line in said.splitlines()] == [
        ["session.released", "1", "{}"],
        ["session.released", "2", "{}"],
    ]


def _until_it_listens(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return


def test_the_guide_names_the_pauses_that_there_are() -> None:
    """Whoever plans for an outage counts on them."""
    words = [
        f"{one} s" if one < 60 else f"{one // 60} min" if one < 3600 else f"{one // 3600} h" for one in RETRY_SECONDS
    ]
    assert f"after {', '.join(words[:-1])} and {words[-1]}" in " ".join((DOCS / PAGE).read_text("utf-8").split())
