"""Pure: the record of actions as people read it: who, what, when, and what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tallywatt.entrypoints.pages.language import _
from tallywatt.kernel.clock import Instant, rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

INSTANTS: Final = ("_at", "_until", "_from")
NOTHING: Final = (None, "")
PAGES: Final = {"session": "/console/sessions/", "payment": "/console/payments/"}
"""Things whose page is found by their id."""


def view(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """One action. `names` are those of people and keys by their ids."""
    before, after = row["before"] or {}, row["after"] or {}
    named = [*before, *(name for name in after if name not in before)]
    fields = [name for name in named if before.get(name) not in NOTHING or after.get(name) not in NOTHING]
    return {
        "id": row["id"],
        "at": row["recorded_at"],
        "action": row["action"],
        "who": who(row["caller_kind"], row["caller_id"], names),
        "caller_id": row["caller_id"],
        "who_kind": row["caller_kind"],
        "subject_kind": row["subject_kind"],
        "subject_id": row["subject_id"],
        "href": f"{PAGES[row['subject_kind']]}{row['subject_id']}" if row["subject_kind"] in PAGES else None,
        "changes": [(name, _plain(name, before.get(name)), _plain(name, after.get(name))) for name in fields],
        "compares": bool(before),
    }


def who(kind: str, caller_id: str, names: Mapping[str, str]) -> str:
    """Whoever did it, in words."""
    if caller_id in names:
        return names[caller_id]
    match kind:
        case "person":
            return _("Somebody with the first-run link")
        case "key":
            return _("An API key")
        case "cli":
            return _("Command line (%(name)s)") % {"name": caller_id}
        case "driver":
            return _("A driver")
        case _:
            return kind


def _plain(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int) and name.endswith(INSTANTS):
        return rfc3339(Instant(value))
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value) or "–"
    return str(value)
