"""A plan: which processes are killed, how the provider and the database misbehave, and when; drawn from a seed alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any, Final


class Engine(StrEnum):
    """What the house keeps its books in."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


WHOLE: Final = ("server",)
SHAPES: Final = (WHOLE, ("http", "gateway", "worker"), ("http", "gateway", "gateway-2", "worker"))
"""The processes of a server on PostgreSQL. Two gateways stand behind one address, which leads to either."""
MEAN_PAUSE: Final = 0.9
LONGEST_PAUSE: Final = 4.0
ANYWHERE: Final = ("", "", "/capture", "/payment_intents", "/checkout", "/cancel")
"""Which requests a fault of the provider meets: half of them any."""


@dataclass(frozen=True)
class Act:
    """One thing that is done to the house, so long after the one before it."""

    after: float
    kind: str
    told: dict[str, Any] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        told = " ".join(f"{name}={value}" for name, value in self.told.items() if value != "")
        return f"after {self.after:.2f} s  {self.kind} {told}".rstrip()


@dataclass(frozen=True)
class Size:
    """How big a round is."""

    stations: int
    sessions: int
    """Of each station, one after the other."""
    kills: int
    seconds: float
    """In which the stations play their sessions, if nobody gets in their way."""


FULL: Final = Size(stations=200, sessions=3, kills=20, seconds=75)
SMALL: Final = Size(stations=8, sessions=2, kills=3, seconds=12)
"""What the tests play."""


@dataclass(frozen=True)
class Plan:
    """What is done in a round."""

    seed: int
    engine: Engine
    size: Size
    parts: tuple[str, ...]
    """The processes of the server, each killed on its own."""
    acts: tuple[Act, ...]

    def __str__(self) -> str:
        shape = "one process" if self.parts == WHOLE else ", ".join(self.parts)
        head = (
            f"seed {self.seed} on {self.engine}, the server as {shape}: "
            f"{self.size.stations} stations x {self.size.sessions} sessions, {self.kills} kills of the server"
        )
        return "\n".join([head, *(f"  {act}" for act in self.acts)])

    @property
    def kills(self) -> int:
        """How often the server is killed."""
        return sum(act.kind == "kill" for act in self.acts)


def plan_of(seed: int, engine: Engine, size: Size = FULL) -> Plan:
    """The plan of a seed: the same for ever."""
    chance = Random(f"{seed}/{engine}/{size.stations}x{size.sessions}")
    parts = chance.choice(SHAPES) if engine is Engine.POSTGRESQL else WHOLE
    acts = [_kill(chance, parts) for _ in range(size.kills)]
    acts += [_misbehave(chance) for _ in range(size.kills)]
    acts += [_lame(chance) for _ in range(max(1, size.kills // 8))]
    if engine is Engine.POSTGRESQL:
        acts += [_break_line(chance) for _ in range(size.kills // 2)]
        acts += [Act(_pause(chance), "crash_database")] * (size.kills // 10)
    # The first act is a kill: it meets stations that are all about to connect.
    first, rest = acts[0], acts[1:]
    chance.shuffle(rest)
    return Plan(seed, engine, size, parts, (first, *rest))


def _pause(chance: Random) -> float:
    return round(min(chance.expovariate(1 / MEAN_PAUSE), LONGEST_PAUSE), 2)


def _kill(chance: Random, parts: tuple[str, ...]) -> Act:
    whom = "all" if parts == WHOLE else chance.choice((*parts, "all"))
    told: dict[str, Any] = {"whom": whom, "dead": round(chance.choice((0.0, 0.1, 0.3, 1.5)), 2)}
    # Some are killed again while they start: what they began must be begun again.
    told["until_healthy"] = chance.random() < 0.8
    return Act(_pause(chance), "kill", told)


def _misbehave(chance: Random) -> Act:
    kind = chance.choice(
        (
            "latency",
            "lost_answer",
            "lost_answer",
            "hang_up",
            "refuse",
            "rate_limit",
            "error_500",
            "error_500_after_work",
            "duplicate_webhook",
            "reordered_webhook",
            "lost_webhook",
        )
    )
    told: dict[str, Any] = {"fault": kind, "times": chance.randint(1, 6)}
    if not kind.endswith("webhook"):
        told["path"] = chance.choice(ANYWHERE)
    if kind == "latency":
        # The longest is longer than the house waits.
        told["milliseconds"] = chance.choice((200, 1500, 12_000))
    if kind == "refuse":
        told["milliseconds"] = chance.choice((500, 3000))
        told["times"] = 1
    return Act(_pause(chance), "provider", told)


def _lame(chance: Random) -> Act:
    return Act(_pause(chance), "kill_provider", {"dead": round(chance.uniform(0.2, 3), 2)})


def _break_line(chance: Random) -> Act:
    """A connection to the database is lost: ended by the server, or cut within a COMMIT."""
    kind = chance.choice(("terminate", "cut_before_commit", "cut_after_commit", "cut_after_commit"))
    return Act(_pause(chance), kind)
