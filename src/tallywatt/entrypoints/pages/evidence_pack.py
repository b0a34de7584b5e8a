"""Pure: the evidence for a disputed payment in one file: what was shown, what was charged, what the meter said, the receipt."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any, Final

MADE: Final = (1980, 1, 1, 0, 0, 0)
"""The same evidence is the same file: it names no time of its own."""
ABOUT: Final = """What is in this file

dispute.json   what the payer's bank disputes, and until when an answer is taken
payment.json   what was asked of the provider, with the times, and where the money went
session.json   the charging session: who, where, when, every meter value with its frame, the price that was shown before
               the start (offer), and each line of the price that was billed
receipt.pdf    the invoice as it was given to the driver

Meter values that their meter has signed are in session.json as the station told them.
"""


def packed(
    dispute: dict[str, Any], payment: dict[str, Any] | None, session: dict[str, Any] | None, receipt: bytes | None
) -> bytes:
    """The ZIP file. What is not there (a session that was brought from elsewhere, a receipt not yet printed) is left out."""
    files: dict[str, bytes] = {"README.txt": ABOUT.encode()}
    for name, told in (("dispute", dispute), ("payment", payment), ("session", session)):
        if told is not None:
            text = json.dumps(_harmless(told), indent=2, sort_keys=True, ensure_ascii=False, default=str)
            files[f"{name}.json"] = text.encode()
    if receipt is not None:
        files["receipt.pdf"] = receipt
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, MADE), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()


SECRET: Final = ("driver_secret", "session_secret", "hosted_page_url")
"""What opens a driver's pages is no business of a bank's."""


def _harmless(told: Any) -> Any:
    if isinstance(told, dict):
        return {name: _harmless(value) for name, value in told.items() if name not in SECRET}
    if isinstance(told, list):
        return [_harmless(one) for one in told]
    return told
