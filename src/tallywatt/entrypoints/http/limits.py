"""How often somebody may ask at our doors: whose bucket a request takes from, and what the answer says about it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any, Final

from tallywatt.customers.allowance import Buckets, Policy, Standing, read_policy
from tallywatt.kernel.errors import BadInput, TooMany

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address, IPv4Network, IPv6Network

    from tallywatt.kernel.clock import Clock
    from tallywatt.settings import Settings

UNLIMITED: Final = ("/static/", "/health", "/ready")
"""What costs nothing to answer, and what a load balancer asks all day."""
BY_ADDRESS: Final[tuple[tuple[str, str, str], ...]] = (
    ("*", "/webhooks/", "webhooks"),
    ("POST", "/console/enter/", "sign-in"),
    ("GET", "/console/enter/", "pages"),
    ("POST", "/sign-in", "sign-in"),
    ("GET", "/sign-in", "pages"),
    ("POST", "/invitation/", "sign-in"),
    ("GET", "/invitation/", "pages"),
    ("POST", "/oauth/", "sign-in"),
    ("POST", "/evse/", "pay"),
    ("GET", "/.well-known/", "pages"),
    ("GET", "/evse/", "pages"),
    ("GET", "/evses/*/price", "pages"),
    ("GET", "/go", "pages"),
    ("GET", "/problems", "pages"),
    ("POST", "/s/", "pay"),
    ("POST", "/pay/", "pay"),
    ("GET", "/pay/", "pages"),
    ("GET", "/s/", "pages"),
)
"""Method and beginning of the open routes (a star stands for any text), and the limit of each address there.

Stations have a door of their own, the gateway, and no limit. A refused webhook comes again: its limit is against floods.
"""
_V6_SITE = 64
"""Bits of an IPv6 address that one household or attacker has all of."""


class Limits:
    """The limits of one app: its policies, its buckets, and the proxies whose word about an address counts."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._clock = clock
        self._buckets = Buckets()
        self._proxies = networks_of(settings.trusted_proxies)
        self.policies: dict[str, Policy] = {
            name: read_policy(name, text)
            for name, text in (
                ("keys", settings.limit_keys),
                ("people", settings.limit_people),
                ("pages", settings.limit_pages),
                ("sign-in", settings.limit_sign_in),
                ("pay", settings.limit_pay),
                ("webhooks", settings.limit_webhooks),
                ("refused", settings.limit_refused),
            )
        }

    def at_the_door(self, scope: Mapping[str, Any]) -> Standing | None:
        """What an address may still ask of an open route; None for a route that asks for a credential."""
        name = policy_of(scope["method"], scope["path"])
        return None if name is None else self.ask(name, self.address_of(scope))

    def ask(self, name: str, who: str) -> Standing:
        """Take one request from somebody's bucket, and say where it stands."""
        return self._buckets.ask(self.policies[name], who, self._clock.now())

    def address_of(self, scope: Mapping[str, Any]) -> str:
        """Who asks, by address: the peer, or what a trusted proxy says about it."""
        headers = [(name.lower(), value) for name, value in scope["headers"]]
        told = ",".join(value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for")
        peer = (scope.get("client") or ("unknown", 0))[0]
        return by_site(client_of(peer, told, self._proxies))


def too_many(standing: Standing) -> TooMany:
    """The refusal, in words."""
    policy = standing.policy
    msg = f"more than {policy.quota} requests in {policy.window_seconds} seconds"
    return TooMany(
        msg,
        code=f"limits.{policy.name.replace('-', '_')}",
        remedy=f"wait {standing.retry_seconds} s, then ask again; the header Retry-After says so too",
        retry_after_seconds=standing.retry_seconds,
    )


def policy_of(method: str, path: str) -> str | None:
    """The limit by address of an open route; None for all others."""
    asked = "GET" if method == "HEAD" else method
    if path.startswith(UNLIMITED):
        return None
    return next((name for of, start, name in BY_ADDRESS if of in {asked, "*"} and fnmatchcase(path, f"{start}*")), None)


def headers_of(standing: Standing) -> list[tuple[bytes, bytes]]:
    """The header fields of draft-ietf-httpapi-ratelimit-headers: the policy, and what is left of it."""
    policy = standing.policy
    found = [
        ("ratelimit-policy", f'"{policy.name}";q={policy.quota};w={policy.window_seconds}'),
        ("ratelimit", f'"{policy.name}";r={standing.remaining};t={standing.reset_seconds}'),
    ]
    return [(name.encode(), value.encode()) for name, value in found]


def networks_of(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Networks of a comma-separated list, or BadInput."""
    try:
        return tuple(ip_network(one.strip(), strict=False) for one in text.split(",") if one.strip())
    except ValueError as error:
        msg = f"TALLYWATT_TRUSTED_PROXIES: {error}"
        raise BadInput(
            msg, code="settings.bad", remedy="list addresses or networks: 10.0.0.5, 192.168.0.0/16"
        ) from error


def client_of(peer: str, told: str, proxies: tuple[IPv4Network | IPv6Network, ...]) -> str:
    """The nearest address that is none of our proxies.

    Each proxy adds on the right who spoke to it. What stands left of the first stranger was written by the stranger.
    """
    nearest = peer
    for one in reversed([part.strip() for part in told.split(",") if part.strip()]):
        if not _within(nearest, proxies):
            break
        if _address(one) is None:
            break
        nearest = one
    return nearest


def by_site(address: str) -> str:
    """The address by which requests are counted: of IPv6 the network, which is one subscriber's."""
    known = _address(address)
    if isinstance(known, IPv6Address):
        return str(ip_network((int(known) >> (128 - _V6_SITE) << (128 - _V6_SITE), _V6_SITE)))
    return address


def _within(address: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    known = _address(address)
    return known is not None and any(known in network for network in networks)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        known = ip_address(text)
    except ValueError:
        return None
    # A socket that listens on both families shows an IPv4 peer inside an IPv6 address.
    return (known.ipv4_mapped or known) if isinstance(known, IPv6Address) else known
