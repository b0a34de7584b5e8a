"""Pure: what goes wrong on request, so that a test or a demonstration can show that nothing is lost by it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from tallywatt.kernel.errors import BadInput

KINDS: Final = {
    "latency": "wait `milliseconds` before the work",
    "lost_answer": "do the work, then hang up without an answer",
    "hang_up": "hang up before any work",
    "refuse": "do no work and refuse connections for `milliseconds`",
    "rate_limit": "answer 429 with Retry-After `seconds`, and do no work",
    "error_500": "answer 500 and do no work; the idempotency key keeps that answer, but for Adyen's",
    "error_500_after_work": "do the work, then answer 500; the idempotency key keeps that answer",
    "duplicate_webhook": "send a webhook twice",
    "reordered_webhook": "send a webhook only after the next one",
    "lost_webhook": "never send a webhook",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: which requests it meets (method, part of the path), every how many, and how often at most."""

    kind: str
    times: int | None = None
    every: int = 1
    path: str = ""
    method: str = ""
    milliseconds: int = 0
    seconds: int = 1
    seen: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            msg = f"{self.kind!r} is not a fault; there are: {', '.join(sorted(KINDS))}"
            raise BadInput(msg, code="simulator.unknown_fault")

    def meets(self, method: str, path: str) -> bool:
        """Whether this request (or webhook: no method, its type as the path) is one that the fault is about."""
        return self.path in path and self.method in ("", method) and self.times != 0


def parse_fault(text: str) -> Fault:
    """A fault from its form on the command line: `lost_answer,times=2,path=/capture`."""
    kind, *settings = text.split(",")
    fields: dict[str, Any] = {}
    for setting in settings:
        name, separator, value = setting.partition("=")
        if not separator or name not in {"times", "every", "path", "method", "milliseconds", "seconds"}:
            msg = f"{setting!r} is not a setting of a fault: times, every, path, method, milliseconds, seconds"
            raise BadInput(msg, code="simulator.unknown_fault_setting")
        fields[name] = value if name in ("path", "method") else int(value)
    return Fault(kind, **fields)


class Faults:
    """The faults that are switched on, counting down as they strike."""

    def __init__(self, faults: tuple[Fault, ...] = ()) -> None:
        self.active: list[Fault] = list(faults)

    def strike(self, method: str, path: str, kinds: frozenset[str]) -> Fault | None:
        """The first fault of these kinds that strikes this request, if any; it is counted."""
        struck: Fault | None = None
        for index, fault in enumerate(self.active):
            if struck is not None or fault.kind not in kinds or not fault.meets(method, path):
                continue
            counted = replace(fault, seen=fault.seen + 1)
            if counted.seen % max(fault.every, 1) == 0:
                struck = fault
                counted = replace(counted, times=None if fault.times is None else fault.times - 1)
            self.active[index] = counted
        return struck
