"""Pure: how often somebody may ask: token buckets with the time handed in, so that they can be tried without waiting."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant

MOST_BUCKETS = 50_000
"""So many callers are remembered at once; whoever was quiet for longest is forgotten first, which is a full bucket again."""


@dataclass(frozen=True, slots=True)
class Policy:
    """So many requests within so many seconds; all of them at once, if somebody likes."""

    name: str
    quota: int
    window_seconds: int

    @property
    def request(self) -> int:
        """What one request takes out of a bucket into which `quota` drops fall each millisecond: whole drops, no fractions."""
        return self.window_seconds * 1000

    @property
    def full(self) -> int:
        """The drops of a full bucket."""
        return self.quota * self.request

    def seconds_for(self, drops: int) -> int:
        """Whole seconds until that many drops have fallen, rounded up: who comes a moment too early is refused again."""
        return -(-drops // (self.quota * 1000))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands after it asked."""

    policy: Policy
    allowed: bool
    remaining: int
    reset_seconds: int
    """When the bucket is full again."""
    retry_seconds: int
    """When the next request is allowed; 0 when it is allowed now."""


class Buckets:
    """The buckets of one process. Two processes count apart: a limit is there to keep a door usable, not to be exact."""

    def __init__(self, most: int = MOST_BUCKETS) -> None:
        self._most = most
        self._fill: OrderedDict[tuple[str, str], tuple[int, Instant]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._fill)

    def ask(self, policy: Policy, who: str, now: Instant) -> Standing:
        """Take one request from a bucket, if there is one, and say where it stands."""
        place = (policy.name, who)
        level, seen = self._fill.pop(place, (policy.full, now))
        # A clock that was set back refills nothing, and takes nothing away.
        level = min(policy.full, level + max(0, now - seen) * policy.quota)
        allowed = level >= policy.request
        if allowed:
            level -= policy.request
        self._fill[place] = (level, max(now, seen))
        if len(self._fill) > self._most:
            self._fill.popitem(last=False)
        return Standing(
            policy,
            allowed,
            remaining=level // policy.request,
            reset_seconds=policy.seconds_for(policy.full - level),
            retry_seconds=0 if allowed else policy.seconds_for(policy.request - level),
        )


def read_policy(name: str, text: str) -> Policy:
    """The policy of a text like `600/60`: six hundred requests in sixty seconds."""
    quota, slash, window = text.partition("/")
    if not slash or not quota.strip().isdecimal() or not window.strip().isdecimal():
        msg = f"{text!r} is no limit"
        raise BadInput(msg, code="settings.bad_limit", remedy="write it like 600/60: requests, a slash, seconds")
    if int(quota) < 1 or int(window) < 1:
        msg = f"the limit {text!r} would let nobody in"
        raise BadInput(msg, code="settings.bad_limit", remedy="give at least 1/1")
    return Policy(name, int(quota), int(window))
