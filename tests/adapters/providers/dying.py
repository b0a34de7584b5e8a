"""A worker in a process of its own, killed while a driver stands at a reader. Arguments: URL PROVIDER PSP NOW WHEN.

`before`: it is written down that the reader is about to be asked, and nothing has left. `after`: the reader asks, and nobody
has heard so. Nothing in the process gets to say goodbye.
"""

from __future__ import annotations

import os
import signal
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.clock import Instant
from tallywatt.payments.operation import OperationKind
from tests.adapters.providers.bench import SPEAKERS
from tests.payments.house import AT_READERS, HouseOfPayments

if TYPE_CHECKING:
    from tallywatt.payments.operation import Operation


def main(url: str, provider: str, psp_url: str, now: str, when: str) -> None:
    """Do the house's work until the reader is asked."""
    cards: Any = SPEAKERS[provider](SimpleNamespace(url=psp_url), SimpleNamespace(url=psp_url))  # type: ignore[arg-type]  # addresses are all that is asked of them
    send = cards.send

    def die(operation: Operation) -> Any:
        if operation.kind is not OperationKind.PRESENT:
            return send(operation)
        if when == "after":
            send(operation)
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    cards.send = die
    house = HouseOfPayments(url, cards, now=Instant(int(now)), name="dying")
    house.does = AT_READERS
    house.work()


if __name__ == "__main__":
    main(*sys.argv[1:])
