"""The provider's memory: an append-only file of JSON lines, on the disk before any answer leaves.

A line holds everything that one request changed, so a crash leaves a request either done or not. A torn last line was
never answered and is cut off when the file is opened again.
"""

from __future__ import annotations

import hashlib
import json
import os
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.errors import Broken

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Object = dict[str, Any]

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_LENGTH = 24


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer kept under an idempotency key, with what it was the answer to."""

    at: int
    asked: str
    status: int
    body: str


@dataclass(slots=True)
class Change:
    """What one request changes; written as one line or not at all."""

    account: str
    at: int
    puts: dict[str, Object] = field(default_factory=dict)
    events: list[Object] = field(default_factory=list)
    key: str | None = None
    reply: Reply | None = None

    def line(self) -> str:
        """The change as it is written down."""
        written: Object = {"at": self.at, "account": self.account}
        if self.puts:
            written["put"] = list(self.puts.values())
        if self.events:
            written["events"] = self.events
        if self.key is not None and self.reply is not None:
            reply = self.reply
            written["reply"] = {"key": self.key, "asked": reply.asked, "status": reply.status, "body": reply.body}
        return json.dumps(written, separators=(",", ":"))


class Book:
    """All objects, kept answers and events not yet delivered, of every account."""

    def __init__(self, path: Path) -> None:
        self._objects: dict[str, tuple[str, Object]] = {}
        self._kinds: dict[tuple[str, str], list[str]] = {}
        self._replies: dict[tuple[str, str], Reply] = {}
        self.undelivered: dict[str, Object] = {}
        self._count = 0
        self._seed = ""
        path.parent.mkdir(parents=True, exist_ok=True)
        good = self._load(path)
        self._file = path.open("ab", buffering=0)
        self._file.truncate(good)
        if not self._seed:
            self._seed = os.urandom(16).hex()
            self._append(json.dumps({"provider": "stripe-compatible simulator", "version": 1, "seed": self._seed}))

    def _load(self, path: Path) -> int:
        good = 0
        if not path.exists():
            return good
        with path.open("rb") as lines:
            for raw in lines:
                line = _read_line(raw)
                if line is None:
                    if lines.read(1):
                        msg = f"{path}: a line in the middle of the file is broken"
                        raise Broken(msg, code="simulator.broken_state", remedy="Start with another state file.")
                    break
                good += len(raw)
                self._take(line)
        return good

    def _take(self, line: Object) -> None:
        if "seed" in line:
            self._seed = line["seed"]
        elif "delivered" in line:
            self.undelivered.pop(line["delivered"], None)
        else:
            change = Change(line["account"], line["at"])
            change.puts = {thing["id"]: thing for thing in line.get("put", [])}
            change.events = line.get("events", [])
            if "reply" in line:
                kept = line["reply"]
                change.key = kept["key"]
                change.reply = Reply(line["at"], kept["asked"], kept["status"], kept["body"])
            self._apply(change)

    def commit(self, change: Change) -> None:
        """Write the change down, wait for the disk, and only then know it."""
        if change.puts or change.events or change.reply:
            self._append(change.line())
            self._apply(change)

    def delivered(self, event_id: str) -> None:
        """Remember that an event arrived; forgetting it costs a second delivery, so nobody waits for the disk."""
        self.undelivered.pop(event_id, None)
        self._file.write(json.dumps({"delivered": event_id}).encode() + b"\n")

    def _append(self, line: str) -> None:
        self._file.write(line.encode() + b"\n")
        os.fsync(self._file.fileno())

    def _apply(self, change: Change) -> None:
        for id_, thing in change.puts.items():
            if id_ not in self._objects:
                self._kinds.setdefault((change.account, thing["object"]), []).append(id_)
                self._count += 1
            self._objects[id_] = (change.account, thing)
        for event in change.events:
            self._count += 1
            self._objects[event["id"]] = (change.account, event)
            self._kinds.setdefault((change.account, "event"), []).append(event["id"])
            self.undelivered[event["id"]] = event
        if change.key is not None and change.reply is not None:
            self._replies[change.account, change.key] = change.reply

    def find(self, account: str, id_: str) -> Object | None:
        """A copy of this account's object, if it has one of that id."""
        owner, thing = self._objects.get(id_, ("", {}))
        return deepcopy(thing) if owner == account else None

    def account_of(self, id_: str) -> str | None:
        """Whose object that is: a driver on a hosted page shows no key."""
        return self._objects.get(id_, (None, {}))[0]

    def accounts(self) -> list[str]:
        """All accounts that have anything."""
        return sorted({account for account, _ in self._kinds})

    def newest_first(self, account: str, kind: str) -> Iterator[Object]:
        """This account's objects of a kind. They are the book's own: look, never touch."""
        for id_ in reversed(self._kinds.get((account, kind), [])):
            yield self._objects[id_][1]

    def reply(self, account: str, key: str) -> Reply | None:
        """The answer kept under this key."""
        return self._replies.get((account, key))

    def new_id(self, prefix: str, number: int) -> str:
        """An id in the provider's form; the seed keeps the ids of two state files apart."""
        text = f"{self._seed}/{self._count}/{number}/{prefix}"
        value = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=24).digest(), "big")
        letters = "".join(_ALPHABET[value // 62**place % 62] for place in range(ID_LENGTH))
        return f"{prefix}_{letters}"

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _read_line(raw: bytes) -> Object | None:
    if not raw.endswith(b"\n"):
        return None
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None
