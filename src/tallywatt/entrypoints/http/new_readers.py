"""A card reader that is to be added is looked for at its provider first: a slip of the pen is found by who makes it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tallywatt.entrypoints.http.doors import actor_of
from tallywatt.kernel.errors import Broken
from tallywatt.workflows.check_reader import refuse_unknown
from tallywatt.workflows.keep_reader import account_of_reader

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House
    from tallywatt.workflows.keep_reader import AddReader


async def looked_for(house: House, caller: Caller, command: AddReader) -> AddReader:
    """The same command. BadInput where its provider knows no such reader; where nobody can say so now, a worker asks later."""
    account = await house.write(caller.operator_id, account_of_reader, command, actor=actor_of(caller))
    try:
        provider = await asyncio.to_thread(house.providers, account)
    except Broken:
        return command  # its key is not there: whoever starts the worker hears of that
    await asyncio.to_thread(refuse_unknown, provider, command.reader_ref.strip())
    return command
