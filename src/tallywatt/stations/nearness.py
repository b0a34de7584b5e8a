"""Pure: how near a session is to a limit, and what is to be done about it before it is passed.

What the house knows is always a little old, and what it wants takes a while. So time is counted backwards from the moment at
which all the power that there is would reach the limit: of it, one reaction is never used up. A reaction is the pause between
two words of the station, the answer to a command, and the current's way down.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LONGEST_SILENCE_MS: Final = 15 * 60 * 1000
UNKNOWN_COMMAND_MS: Final = 45 * 1000
"""How long a command takes at a station of which nothing is known."""
SHORTEST_COMMAND_MS: Final = 5 * 1000
RAMP_DOWN_MS: Final = 10 * 1000
SOON_MS: Final = 5 * 1000
"""How soon is looked again while an answer is awaited."""
LISTENING_MS: Final = 20 * 1000
"""A station that tells its values more often than this need not be asked for them."""
LEAST_WATTS: Final = 4_200
"""A cap below this would end charging at many vehicles: six amperes on three phases."""


class Step(StrEnum):
    """What is done at a look."""

    GO_ON = "go_on"
    ASK = "ask"
    """Let the station tell its values now: the pause between its words is most of the margin."""
    CAP = "cap"
    """Let less power flow, so that what is left lasts longer."""
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast word comes from a station, and how fast it does as it is told."""

    pause_ms: int
    """The longest of the last pauses between two words of it."""
    command_ms: int

    @property
    def reaction_ms(self) -> int:
        """How long it can take until we know better and a stop has worked, with the time between two looks of ours."""
        return min(LONGEST_SILENCE_MS, self.pause_ms) + self.command_ms + RAMP_DOWN_MS + SOON_MS


def pace_of(pauses_ms: list[int], answers_ms: list[int]) -> Pace:
    """By the last pauses between words, and by how long commands of this session took: the slowest counts, twice."""
    slowest = UNKNOWN_COMMAND_MS if not answers_ms else max(SHORTEST_COMMAND_MS, 2 * max(answers_ms))
    return Pace(max(pauses_ms[-3:], default=0), min(slowest, UNKNOWN_COMMAND_MS))


def step_at(left_ms: int, pace: Pace, *, may_cap: bool, station_stops: bool = False) -> Step:
    """What to do with so much time left at full power. `station_stops`: it has confirmed that it keeps the limit itself."""
    if station_stops:
        return Step.STOP if left_ms <= -pace.reaction_ms else Step.GO_ON
    if left_ms <= pace.reaction_ms:
        return Step.STOP
    if left_ms <= 2 * pace.reaction_ms and may_cap:
        return Step.CAP
    if left_ms <= 3 * pace.reaction_ms and pace.pause_ms > LISTENING_MS:
        return Step.ASK
    return Step.GO_ON


def look_again_ms(left_ms: int, pace: Pace, step: Step, longest_ms: int) -> int:
    """When to look again, so that at that moment a reaction is still left."""
    if step is not Step.GO_ON:
        return SOON_MS if step is Step.STOP else max(SOON_MS, min(LISTENING_MS, left_ms - pace.reaction_ms))
    # At each of these something else may be done: none of them is slept through.
    ahead = [many * pace.reaction_ms for many in (3, 2, 1) if left_ms > many * pace.reaction_ms + SOON_MS]
    return max(SOON_MS, min(longest_ms, left_ms - ahead[0])) if ahead else SOON_MS


def cap_for(watts: int) -> int | None:
    """Half of what flows, in whole hundreds of watts; None where that is too little to charge with."""
    half = watts // 200 * 100
    return half if half >= LEAST_WATTS else None
