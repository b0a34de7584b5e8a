"""Our messages against the official schemas: what fits each version, what is wrong with what does not, how each is made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tallywatt.adapters.ocpp import schemas, v16, v21, v201
from tallywatt.kernel.errors import BadInput
from tallywatt.stations.messages import MESSAGES, PROTOCOLS
from tallywatt.workflows.prepare_message import message_named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallywatt.adapters.ocpp.facts import Dialect

DIALECTS = {dialect.protocol: dialect for dialect in (v16.DIALECT, v201.DIALECT, v21.DIALECT)}
ANY_NUMBER = 1
"""Stands for the requestId that the house will draw, while the rest is checked."""


def unfit(dialect: Dialect, name: str, content: Mapping[str, Any]) -> str | None:
    """Why a message cannot be said in this version; None: it can."""
    message = MESSAGES.get(name)
    if message is None or dialect.protocol not in message.protocols:
        return f"{dialect.protocol} has no {name}"
    found = schemas.violation(dialect, name, msgspec.Raw(msgspec.json.encode(content)))
    return None if found is None else f"{name}: {found[1]}"


def check_message(protocol: str | None, name: str, content: Mapping[str, Any]) -> None:
    """BadInput for a message that no platform sends, that the version lacks, or whose fields break the official schema.

    A station that never connected has no version yet: then one that takes the message is enough.
    """
    message = message_named(name, protocol)
    spoken = [protocol] if protocol in PROTOCOLS else list(message.protocols)
    problems = []
    for one in spoken:
        dialect = DIALECTS[str(one)]
        # The house draws the number; whoever asks may leave it out.
        whole = {"requestId": ANY_NUMBER, **content} if one in message.numbered else content
        problem = unfit(dialect, name, whole)
        if problem is None:
            return
        problems.append(f"{problem} ({one})")
    raise BadInput(
        "; ".join(problems),
        code="stations.bad_content",
        remedy=f"see what {name} is made of: tallywatt station messages {name}",
    )


def schema_of(protocol: str, name: str) -> dict[str, Any]:
    """The official schema of a message of ours in one version."""
    dialect = DIALECTS[protocol]
    return schemas.text_of(dialect.schemas, f"{name}{dialect.schema_suffix}.json")
