"""Pure: the catalogue as a page for people. A test keeps docs/reference/events.md and this together."""

from __future__ import annotations

from tallywatt.partners.catalogue import EVENT_TYPES, Field

HEAD = """# Events that others can hear of

This page is made from the catalogue itself (`python -m tallywatt.entrypoints.cli.events > docs/reference/events.md`), and
a test keeps the two together. How to listen: [Webhooks](../how-to/webhooks.md).

A message is one JSON object:

| member | meaning |
|---|---|
| `id` | The event's id, the same in `webhook-id`, however often it comes. |
| `type` | One of the names below. |
| `schema_version` | Of the message; a change that a receiver would notice is a new version. |
| `timestamp` | When it was recorded, RFC 3339. |
| `operator_id` | Whose event it is. |
| `position` | Its place in the line of all events of the installation. |
| `aggregate` | What it happened to: `type`, `id`, and `version`, which counts 1, 2, 3 … for this one. |
| `data` | The figures below; each is always there, and may be null where it says so. |

Energy is a decimal string in watt-hours, money whole minor units beside an ISO 4217 currency. No message carries a name, an
address, the number of a card, or anything else about a person: ids lead to them, through the API, for whoever may see them.
`GET /event-types` tells the same with a JSON schema for each.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for kind in EVENT_TYPES:
        version = f" (version {kind.schema_version})" if kind.schema_version > 1 else ""
        about = f"About: `{kind.aggregate}`. In the live feed: `{kind.stored}`."
        parts.append(f"## `{kind.type}`{version}\n\n{kind.meaning} {about}\n")
        if kind.fields:
            rows = "\n".join(f"| `{field.name}` | {_type(field)} | {field.meaning} |" for field in kind.fields)
            parts.append(f"| data | type | meaning |\n|---|---|---|\n{rows}\n")
    return "\n".join(parts)


def _type(field: Field) -> str:
    words = {"minor": "whole number", "energy": "Wh", "flag": "true or false", "id": "id", "code": "text"}
    word = words.get(field.kind, field.kind)
    return f"{word} or null" if field.may_be_null else word
