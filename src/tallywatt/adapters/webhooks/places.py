"""From a host's name to a connection: every address of the name is judged, and one of those very addresses is connected to.

A name is resolved once for each attempt. Resolving it again to connect would let whoever owns the name answer first with a
public address, for the judge, and then with one of ours.
"""

from __future__ import annotations

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from ipaddress import ip_address
from socket import IPPROTO_TCP, SOCK_STREAM, gaierror, getaddrinfo
from typing import TYPE_CHECKING, Any

from tallywatt.partners.address import as_address, why_not

if TYPE_CHECKING:
    from collections.abc import Callable
    from urllib.parse import SplitResult

    from tallywatt.partners.address import Address, AllowList

LOOKUPS_AT_ONCE = 32
"""Name servers can be slow too; what waits for them must not fill the threads that others need."""
LONGEST_LINE = 64 * 1024
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Forbidden(Exception):
    """A host leads to an address that messages may not be sent to."""


class Unreachable(Exception):
    """No address of a host can be connected to."""


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host. Blocks."""
    found = getaddrinfo(host, port, type=SOCK_STREAM, proto=IPPROTO_TCP)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


@lru_cache(maxsize=1)
def trust() -> ssl.SSLContext:
    """Whom to believe who they are: the machine's own list of authorities (SSL_CERT_FILE names another)."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Places:
    """Opens connections to where messages may be sent, and to nowhere else."""

    def __init__(self, allow: AllowList, look_up: Callable[[str, int], list[str]] = resolve) -> None:
        self._allow = allow
        self._look_up = look_up
        self._threads = ThreadPoolExecutor(LOOKUPS_AT_ONCE, thread_name_prefix="names")

    async def connect(self, url: SplitResult) -> Streams:
        """A connection to the host of a URL; Forbidden or Unreachable, with the reason."""
        host = url.hostname or ""
        secure = url.scheme == "https"
        port = url.port or (443 if secure else 80)
        if not secure and not self._allow.knows(host):
            # It may have been allowed when the endpoint was added.
            msg = f"{host} is not allowed to be reached without TLS"
            raise Forbidden(msg)
        security: dict[str, Any] = {"ssl": trust(), "server_hostname": host} if secure else {}
        failed: Exception = Unreachable(f"{host} has no address")
        for address in await self._judged(host, port):
            try:
                return await asyncio.open_connection(str(address), port, limit=LONGEST_LINE, **security)
            except (OSError, ssl.SSLError) as error:
                failed = error
        msg = f"{host} cannot be reached: {failed.args[-1] if failed.args else type(failed).__name__}"
        raise Unreachable(msg) from failed

    async def _judged(self, host: str, port: int) -> list[Address]:
        """The addresses of a host; one bad one spoils them all."""
        literal = as_address(host)
        addresses = [literal] if literal is not None else await self._addresses(host, port)
        for address in addresses:
            why = why_not(address, host, self._allow)
            if why is not None:
                msg = f"{host} leads into a private network: {why}"
                raise Forbidden(msg)
        return addresses

    async def _addresses(self, host: str, port: int) -> list[Address]:
        loop = asyncio.get_running_loop()
        try:
            texts = await loop.run_in_executor(self._threads, self._look_up, host, port)
        except (gaierror, UnicodeError) as error:
            msg = f"the name {host} cannot be resolved"
            raise Unreachable(msg) from error
        return [ip_address(text) for text in texts]

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
