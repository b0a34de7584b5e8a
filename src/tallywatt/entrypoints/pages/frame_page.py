"""Pure: a raw frame, decoded for reading: what kind of message it is, and its payload with line breaks."""

from __future__ import annotations

import json
from typing import Any, Final

from tallywatt.entrypoints.pages.language import later

_KINDS: Final = {2: later("Call"), 3: later("Answer"), 4: later("Error")}


def view(row: dict[str, Any]) -> dict[str, Any]:
    """The frame with its parts told apart; what is no JSON is shown as it came."""
    text = row["text"]
    shown = {**row, "kind": None, "pretty": text, "erased": text is None}
    if text is None:
        return shown
    try:
        message = json.loads(text)
    except ValueError:
        return shown
    if isinstance(message, list) and len(message) >= 3 and message[0] in _KINDS:
        shown["kind"] = _KINDS[message[0]]
        shown["pretty"] = json.dumps(message[-1], indent=2, ensure_ascii=False)
    else:
        shown["pretty"] = json.dumps(message, indent=2, ensure_ascii=False)
    return shown
