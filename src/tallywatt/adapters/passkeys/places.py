"""Where browsers make passkeys. Apart from the ceremonies, so that a page can ask without loading them."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def can_have_passkeys(base_url: str) -> bool:
    """Whether browsers make passkeys here: under a name, and over https but for this machine itself."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return parts.scheme == "https" or host == "localhost" or host.endswith(".localhost")
    return False
