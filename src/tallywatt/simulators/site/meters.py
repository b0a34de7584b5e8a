"""The site's own file of what its meters delivered: JSON lines, appended and made durable, never rewritten.

It is the one truth about energy that owes nothing to the platform: what `read(path)` says was delivered is what the
bills must add up to. A second play with the same file tells the same facts: the same one-time tags, no second payment.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from typing import IO, TYPE_CHECKING, Any

from tallywatt.kernel.clock import Instant, parse_instant, rfc3339
from tallywatt.kernel.errors import BadInput
from tallywatt.simulators.site.plan import Incident

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tallywatt.simulators.site.plan import Play

VERSION = 1


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one row's session drew from the meter."""

    row: str
    station: str
    connector: int
    tag: str
    milliwatt_hours: int
    ended_at: Instant
    stopped_remotely: bool


@dataclass(frozen=True, slots=True)
class OneTimeTag:
    """The tag that a platform sends with a remote start, and in 2.0.1 the number by which it knows its request."""

    tag: str
    token_type: str
    remote_start_id: int | None


@dataclass(frozen=True, slots=True)
class Site:
    """What was settled when the file was made, and holds for every later play."""

    sample: str
    secret: str
    incidents: Mapping[Incident, str]


@dataclass(frozen=True, slots=True)
class Totals:
    """What the meters say, over all plays of the file. A row that was played twice counts once."""

    delivered_milliwatt_hours: int
    sessions: int
    by_row: Mapping[str, int]
    incidents: Mapping[str, str]
    payments: tuple[str, ...]
    never_plugged: tuple[str, ...]


@dataclass(slots=True)
class _Facts:
    """Everything that the lines of a file say."""

    site: Site | None = None
    delivered: dict[str, Delivered] = field(default_factory=dict)
    tags: dict[str, OneTimeTag] = field(default_factory=dict)
    payments: list[tuple[str, str]] = field(default_factory=list)
    never_plugged: list[tuple[str, str]] = field(default_factory=list)

    def learn(self, line: Mapping[str, Any]) -> None:
        """Take in one line; kinds that are told for the reader's sake alone change nothing."""
        kind, row = line["kind"], line.get("row", "")
        if kind == "site":
            self.site = _site(line)
        elif kind == "delivered":
            self.delivered.setdefault(row, _delivered(line))
        elif kind == "paying":
            self.payments.append((row, line["payment"]))
        elif kind == "remote_start":
            self.tags[row] = OneTimeTag(line["tag"], line["token_type"], line["remote_start_id"])
        elif kind == "never_plugged":
            self.never_plugged.append((row, line["tag"]))


class Book:
    """The file, open for appending."""

    def __init__(self, path: Path, facts: _Facts, file: IO[str], site: Site) -> None:
        self.path = path
        self.site = site
        self._facts = facts
        self._file = file

    @classmethod
    def open(cls, path: Path, sample: str, incidents: Mapping[Incident, str]) -> Book:
        """Go on with the file, or begin it. What an existing file has settled stays: a replay is the same play."""
        facts = _read(path) if path.exists() else _Facts()
        if facts.site is not None and facts.site.sample != sample:
            msg = f"{path} holds a play of {facts.site.sample}, not of {sample}"
            raise BadInput(msg, code="site.another_sample", remedy="Give this sample a state file of its own.")
        path.parent.mkdir(parents=True, exist_ok=True)
        _mend(path)
        file = path.open("a", encoding="utf-8")
        site = facts.site or Site(sample, secrets.token_hex(16), dict(incidents))
        book = cls(path, facts, file, site)
        if facts.site is None:
            book._write(_site_line(site))
        return book

    def close(self) -> None:
        """Nothing more is written."""
        self._file.close()

    def delivered(self, play: Play, tag: str) -> None:
        """The session has ended on the meter. Told before the platform hears of it; a replay adds nothing."""
        if play.row.id in self._facts.delivered:
            return
        self._write(
            {
                "kind": "delivered",
                "row": play.row.id,
                "station": play.row.station,
                "connector": play.row.connector,
                "tag": tag,
                "milliwatt_hours": play.milliwatt_hours,
                "register_at_start": play.begin.register,
                "register_at_end": play.end.register,
                "started_at": rfc3339(play.begin.at),
                "ended_at": rfc3339(play.end.at),
                "stopped_remotely": play.stopped_remotely,
                "incident": play.incident.value if play.incident else None,
            }
        )

    def acknowledged(self, row: str, transaction: str | int | None) -> None:
        """The platform has acknowledged the last message of the session."""
        self._write({"kind": "acknowledged", "row": row, "transaction": transaction})

    def paying(self, row: str, payment: str, status_url: str) -> None:
        """A driver without a contract has begun to pay."""
        self._write({"kind": "paying", "row": row, "payment": payment, "status_url": status_url})

    def remote_start(self, row: str, tag: OneTimeTag) -> None:
        """The platform has sent the one-time tag under which this row's session starts."""
        self._write({"kind": "remote_start", "row": row, **asdict(tag)})

    def never_plugged(self, row: str, tag: str) -> None:
        """A driver paid, the station agreed to start, and nobody plugged in."""
        self._write({"kind": "never_plugged", "row": row, "tag": tag})

    def known_delivery(self, row: str) -> Delivered | None:
        """How this row ended in an earlier play."""
        return self._facts.delivered.get(row)

    def known_tag(self, row: str) -> OneTimeTag | None:
        """The one-time tag that this row's driver got for a payment, in this play or an earlier one."""
        return self._facts.tags.get(row)

    def payments_of(self, row: str) -> int:
        """How often this row's driver has begun to pay."""
        return sum(1 for paid_row, _ in self._facts.payments if paid_row == row)

    def was_never_plugged(self, row: str) -> bool:
        """Whether the payment without a plug has happened already."""
        return any(missed == row for missed, _ in self._facts.never_plugged)

    def totals(self) -> Totals:
        """What the meters say."""
        return _totals(self._facts)

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._facts.learn(line)


def read(path: Path) -> Totals:
    """What the meters of a site say, from its file alone."""
    return _totals(_read(path))


def _totals(facts: _Facts) -> Totals:
    by_row = {row: delivered.milliwatt_hours for row, delivered in facts.delivered.items()}
    incidents = facts.site.incidents if facts.site else {}
    return Totals(
        delivered_milliwatt_hours=sum(by_row.values()),
        sessions=len(by_row),
        by_row=by_row,
        incidents={incident.value: row for incident, row in incidents.items()},
        payments=tuple(payment for _, payment in facts.payments),
        never_plugged=tuple(tag for _, tag in facts.never_plugged),
    )


def _read(path: Path) -> _Facts:
    facts = _Facts()
    try:
        lines = path.read_text("utf-8").splitlines(keepends=True)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise BadInput(msg, code="site.unreadable_state") from error
    for number, line in enumerate(lines, start=1):
        if not line.endswith("\n"):
            break  # a crash cut the last line short: it was never told to anybody
        try:
            facts.learn(json.loads(line))
        except (ValueError, KeyError) as error:
            msg = f"{path} is damaged in line {number}"
            raise BadInput(msg, code="site.damaged_state", remedy="Move the file away and play again.") from error
    return facts


def _mend(path: Path) -> None:
    """Cut off a last line that a crash left half written, so that the next one stands alone."""
    content = path.read_bytes() if path.exists() else b""
    if content and not content.endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(content.rfind(b"\n") + 1)


def _site_line(site: Site) -> dict[str, Any]:
    return {
        "kind": "site",
        "version": VERSION,
        "sample": site.sample,
        "secret": site.secret,
        "incidents": {incident.value: row for incident, row in site.incidents.items()},
    }


def _site(line: Mapping[str, Any]) -> Site:
    return Site(
        sample=line["sample"],
        secret=line["secret"],
        incidents={Incident(name): row for name, row in line["incidents"].items()},
    )


def _delivered(line: Mapping[str, Any]) -> Delivered:
    return Delivered(
        row=line["row"],
        station=line["station"],
        connector=line["connector"],
        tag=line["tag"],
        milliwatt_hours=line["milliwatt_hours"],
        ended_at=parse_instant(line["ended_at"]),
        stopped_remotely=line["stopped_remotely"],
    )
