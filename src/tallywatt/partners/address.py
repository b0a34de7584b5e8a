"""Pure: where a message may be sent. Not into our own network: an address is judged, and that very address is connected to.

Whoever may name a URL could otherwise make this server talk to what only it can reach: its database, a router, the metadata
of a cloud machine.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LONGEST_URL = 2000
_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*\.?")

# Beyond what Python calls not global: ways to write an IPv4 address as an IPv6 one that a router might unwrap, and places
# that no partner's server is at.
_NEVER: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4", "::/8",
        "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fec0::/10")
)  # fmt: skip
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LINK_LOCAL: tuple[Network, ...] = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fe80::/10"))
"""Where clouds tell a machine its own secrets: a name on the allow-list does not open these, only their own network does."""


@dataclass(frozen=True, slots=True)
class AllowList:
    """Private hosts to which messages may be sent all the same: names, and networks. For these http is good enough, too."""

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    def opens(self, address: Address, host: str) -> bool:
        """Whether a private address may be connected to for the sake of that host."""
        if any(address in network for network in self.networks if network.version == address.version):
            return True
        named = host.lower().rstrip(".") in self.names
        return named and not any(address in network for network in _LINK_LOCAL if network.version == address.version)

    def knows(self, host: str) -> bool:
        """Whether a host is on the list by its name, or by the address that it is."""
        literal = as_address(host)
        if literal is not None:
            return self.opens(literal, host)
        return host.lower().rstrip(".") in self.names


def read_allow_list(text: str) -> AllowList:
    """Names, addresses and networks between commas: `hooks.intern, 10.0.0.0/8, 127.0.0.1`; BadInput for anything else."""
    names: set[str] = set()
    networks: list[Network] = []
    for entry in filter(None, (part.strip().lower().rstrip(".") for part in text.split(","))):
        try:
            networks.append(ipaddress.ip_network(entry, strict=False))
        except ValueError as error:
            if not _HOST_NAME.fullmatch(entry) or re.fullmatch(r"[0-9.]+", entry):
                msg = f"{entry!r} is neither a host name nor an address nor a network"
                raise BadInput(
                    msg, code="webhooks.bad_allow_list", remedy="for example: hooks.intern, 10.0.0.0/8, 127.0.0.1"
                ) from error
            names.add(entry)
    return AllowList(frozenset(names), tuple(networks))


def as_address(text: str) -> Address | None:
    """The address that a text is, or None for a name."""
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None


def why_not(address: Address, host: str, allow: AllowList) -> str | None:
    """Why a host's address may not be connected to; None when it may."""
    for one in _meant(address):
        if _is_private(one) and not allow.opens(one, host):
            return f"{address} is not a public address"
    return None


def _meant(address: Address) -> Iterator[Address]:
    """The address, and the IPv4 address that it stands for, if it stands for one."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    # The same address in another coat is judged as what it is.
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    elif address in _NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    else:
        yield address
        if address.sixtofour is not None:
            yield address.sixtofour


def _is_private(address: Address) -> bool:
    bad = not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified
    return bad or any(address in network for network in _NEVER if network.version == address.version)


def read_url(text: str, allow: AllowList) -> SplitResult:
    """An endpoint's URL, or BadInput with what is wrong. What a name resolves to is judged each time it is used."""
    url = text.strip()
    try:
        parts = urlsplit(url)
        flaw = _flaw(url, parts)
    except ValueError:
        flaw = "this is not a URL"
    if flaw is not None:
        raise BadInput(flaw, code="webhooks.bad_url", remedy="for example: https://hooks.example.org/tallywatt")
    host = parts.hostname or ""
    literal = as_address(host)
    if literal is not None and (why := why_not(literal, host, allow)) is not None:
        raise BadInput(why, code="webhooks.private_address", remedy=_ALLOW)
    if parts.scheme == "http" and not allow.knows(host):
        msg = "messages go over https; http is for hosts that the installation allows"
        raise BadInput(msg, code="webhooks.not_https", remedy=_ALLOW)
    return parts


def _flaw(url: str, parts: SplitResult) -> str | None:
    """What makes a URL unusable for anybody; ValueError where even its parts cannot be read."""
    host = parts.hostname or ""
    flaws = (
        (len(url) > LONGEST_URL, f"a URL has at most {LONGEST_URL} characters"),
        (re.search(r"[^!-~]|[\\]", url) is not None, "the URL holds characters that no URL has"),
        (parts.scheme not in {"https", "http"}, "the URL must begin with https://"),
        (parts.username is not None, "the URL must hold no name or password: messages are signed"),
        (bool(parts.fragment), "the URL must have no fragment"),
        (parts.port == 0, "nobody listens on port 0"),
        (as_address(host) is None and not _HOST_NAME.fullmatch(host), "the URL names no host"),
    )
    return next((said for wrong, said in flaws if wrong), None)


_ALLOW = "use a public https URL, or let whoever runs this installation name the host in TALLYWATT_WEBHOOK_ALLOW"
