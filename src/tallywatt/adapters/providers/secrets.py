"""Where secrets are: rows hold references to them, never the secrets."""

from __future__ import annotations

import os
from pathlib import Path

from tallywatt.kernel.errors import Broken


def read_secret(reference: str) -> str:
    """The secret behind `env:NAME` or `file:PATH`."""
    scheme, _, name = reference.partition(":")
    if scheme == "env":
        secret = os.environ.get(name, "")
    elif scheme == "file":
        path = Path(name)
        secret = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
    else:
        secret = ""
    if not secret:
        msg = f"the secret {reference} is not there"
        raise Broken(msg, code="payment.secret_missing", remedy="set the variable or write the file that is named")
    return secret
