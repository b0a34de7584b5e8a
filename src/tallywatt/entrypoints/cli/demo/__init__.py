"""`tallywatt demo`: a day of real sessions, paid, booked and invoiced while the server is killed three times."""

from __future__ import annotations

import logging
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from tallywatt.entrypoints.cli.failing import FINDING
from tallywatt.entrypoints.cli.show import say_json
from tallywatt.entrypoints.cli.words import examples

EXAMPLES = examples(
    "tallywatt demo",
    "tallywatt demo --exit",
    "tallywatt demo --data-dir /tmp/demo --seconds 90 --exit | tail -1",
)
DEFAULT_FOLDER = "demo"


def demo(
    exits: Annotated[
        bool, typer.Option("--exit", help="End when the day is over, with 1 if it does not add up.")
    ] = False,
    seconds: Annotated[float, typer.Option("--seconds", min=10, help="How long the day takes.")] = 65,
    sample: Annotated[
        Path | None,
        typer.Option("--sample", metavar="FILE", help="A normalised CSV; a day in Dundee if left out."),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", metavar="DIR", help="Its own folder; demo in the data directory if left out."),
    ] = None,
) -> None:
    """Play a day of real sessions, from plug to paid invoice.

    It starts a payment provider, the server and a site with 43 stations, each in a process of its own, and kills the
    server three times. What it shows goes to standard error; standard output gets one line of JSON at the end, with the
    energy from the site's own meters and the money from the provider's own books. Then it serves until Ctrl-C. Run again
    in the same folder, the same facts are told again, and nothing is billed twice.
    """
    from tallywatt.entrypoints.cli.demo.play import Demonstration, Options
    from tallywatt.entrypoints.cli.demo.screen import Screen
    from tallywatt.entrypoints.cli.desk import settings
    from tallywatt.entrypoints.cli.logs import configure

    configure(logging.ERROR)
    # Whoever ends it by SIGTERM wants its children ended as well, like by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    chosen = settings()
    folder = data_dir or chosen.data_dir / DEFAULT_FOLDER
    options = Options(folder, seconds, chosen.http_port, chosen.ocpp_port, sample)
    with Screen() as screen:
        demonstration = Demonstration(options, screen)
        try:
            sums = demonstration.run()
            doubts = sums.doubts()
            for doubt in doubts:
                screen.say(f"It does not add up: {doubt}", style="red")
            if not doubts:
                screen.say("It adds up: delivered = billed + explained, billed = captured + owed.", style="green")
            say_json(sums.line())
            if not exits:
                screen.say("Serving until Ctrl-C.")
                _wait()
        finally:
            demonstration.stop()
    if doubts:
        raise typer.Exit(FINDING)


def _wait() -> None:
    """Until Ctrl-C."""
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return
