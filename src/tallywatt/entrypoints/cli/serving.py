"""`tallywatt serve`: the command around the server."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import settings
from tallywatt.entrypoints.cli.lean import lean
from tallywatt.entrypoints.cli.words import examples

EXAMPLES = examples(
    "tallywatt serve",
    "TALLYWATT_HTTP_PORT=80 tallywatt serve",
    "TALLYWATT_DATABASE_URL=postgresql:///charging tallywatt serve --only gateway",
)


class Part(StrEnum):
    """What one process can be of the whole."""

    HTTP = "http"
    GATEWAY = "gateway"
    WORKER = "worker"


def serve(
    only: Annotated[
        Part | None, typer.Option("--only", help="One part alone, for several processes on PostgreSQL.")
    ] = None,
) -> None:
    """Run everything in one process, until Ctrl-C.

    That is: the pages, the API, the OCPP gateway and the workers. An empty database gets its tables first.
    """
    lean()
    from tallywatt.entrypoints.cli.serve import serve as run

    run(settings(), None if only is None else only.value)
