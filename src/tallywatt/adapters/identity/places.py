"""The way to an identity provider: its host's addresses are judged, and one of those very addresses is connected to.

Whoever administers an operator names the issuer, and the issuer names further addresses. Neither may make this server talk to
what only it can reach. A name is resolved once for each request, so that nobody can answer the judge with another address than
the connection.
"""

from __future__ import annotations

from ipaddress import ip_address
from socket import IPPROTO_TCP, SOCK_STREAM, gaierror, getaddrinfo
from typing import TYPE_CHECKING, Final

import httpx

from tallywatt.kernel.errors import NotSignedIn
from tallywatt.partners.address import as_address, why_not

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.partners.address import Address, AllowList

_ALLOW: Final = "let whoever runs this installation name the host in TALLYWATT_WEBHOOK_ALLOW"


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host. Blocks."""
    found = getaddrinfo(host, port, type=SOCK_STREAM, proto=IPPROTO_TCP)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def require_allowed(url: str, allow: AllowList) -> None:
    """Refuse an address without TLS, unless its host may be reached so."""
    host = httpx.URL(url).host
    if not url.startswith("https://") and not (url.startswith("http://") and allow.knows(host)):
        msg = f"the provider is to be reached over https, and {host or 'this address'} is not"
        raise NotSignedIn(msg, code="sso.not_https", remedy=_ALLOW)


class JudgedTransport(httpx.BaseTransport):
    """Carries requests to places that were looked at first, and to no others."""

    def __init__(self, allow: AllowList, look_up: Callable[[str, int], list[str]] = resolve) -> None:
        self._allow = allow
        self._look_up = look_up
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the first address of its host that answers."""
        url = request.url
        require_allowed(str(url), self._allow)
        failed: httpx.ConnectError | httpx.ConnectTimeout | None = None
        for address in self._judged(url.host, url.port or (443 if url.scheme == "https" else 80)):
            # The certificate is still the host's: it is asked for, and looked at, by its name.
            request.extensions = {**request.extensions, "sni_hostname": url.host}
            request.url = url.copy_with(host=str(address))
            try:
                return self._inner.handle_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failed = error
        raise failed or httpx.ConnectError(f"{url.host} has no address")

    def close(self) -> None:
        """Let go of the connections."""
        self._inner.close()

    def _judged(self, host: str, port: int) -> list[Address]:
        """The addresses of a host; one bad one spoils them all."""
        literal = as_address(host)
        try:
            addresses = [literal] if literal is not None else [ip_address(one) for one in self._look_up(host, port)]
        except (gaierror, UnicodeError) as error:
            msg = f"the name {host} cannot be resolved"
            raise httpx.ConnectError(msg) from error
        for address in addresses:
            if (why := why_not(address, host, self._allow)) is not None:
                msg = f"{host} leads into a private network: {why}"
                raise NotSignedIn(msg, code="sso.private_address", remedy=_ALLOW)
        return addresses
