"""Addresses of our own network are never sent to, in whatever coat they come."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from tallywatt.kernel.errors import BadInput
from tallywatt.partners.address import AllowList, read_allow_list, read_url, why_not

NOBODY = AllowList()
PRIVATE = """
127.0.0.1 127.8.9.1 0.0.0.0 0.1.2.3 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1
100.100.100.200 192.0.0.192 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1
255.255.255.255 ::1 :: ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 fe80::1 fe80::1%eth0
fc00::1 fd00:ec2::254 fec0::1 ff02::1 ff0e::1 2001:db8::1 2002:7f00:1:: 2002:a9fe:a9fe:: 64:ff9b::7f00:1
64:ff9b::a9fe:a9fe 64:ff9b:1::1 2001::1 100::1
""".split()
PUBLIC = "1.1.1.1 8.8.8.8 93.184.216.34 2606:4700:4700::1111 2a00:1450:4001:82a::200e ::ffff:8.8.8.8 64:ff9b::808:808".split()


@pytest.mark.parametrize("text", PRIVATE)
def test_an_address_of_ours_is_refused(text: str) -> None:
    """Loopback, private, link-local, a cloud's metadata, carriers' own, reserved, mapped and translated."""
    assert why_not(ip_address(text), "hooks.example.org", NOBODY) is not None


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is_good(text: str) -> None:
    """That is where partners are."""
    assert why_not(ip_address(text), "hooks.example.org", NOBODY) is None


def test_the_allow_list_opens_what_it_names_and_nothing_else() -> None:
    """Whoever runs the installation knows which of its own hosts want to hear."""
    allow = read_allow_list("hooks.intern, 10.1.0.0/16, ::1")
    assert why_not(ip_address("10.1.2.3"), "any.example.org", allow) is None
    assert why_not(ip_address("10.2.0.1"), "any.example.org", allow) is not None
    assert why_not(ip_address("::1"), "any.example.org", allow) is None
    assert why_not(ip_address("192.168.0.9"), "Hooks.Intern.", allow) is None
    assert why_not(ip_address("192.168.0.9"), "nothooks.intern", allow) is not None


def test_a_name_on_the_allow_list_does_not_open_the_metadata_of_a_cloud() -> None:
    """Only the network itself does, written down by somebody who means it."""
    assert why_not(ip_address("169.254.169.254"), "hooks.intern", read_allow_list("hooks.intern")) is not None
    assert why_not(ip_address("169.254.169.254"), "x", read_allow_list("169.254.169.254")) is None


@pytest.mark.parametrize("text", ["not a host", "10.0.0.0/99", "http://hooks.intern", "1.2.3", "a,b c"])
def test_an_allow_list_that_cannot_be_read_is_refused(text: str) -> None:
    """Half a list would be an open door, or a closed one that nobody finds."""
    with pytest.raises(BadInput) as caught:
        read_allow_list(text)
    assert caught.value.code == "webhooks.bad_allow_list"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example.org/", "webhooks.not_https"),
        ("http://127.0.0.1/", "webhooks.private_address"),
        ("https://[::1]/", "webhooks.private_address"),
        ("https://[::ffff:10.0.0.1]:8443/", "webhooks.private_address"),
        ("ftp://hooks.example.org/", "webhooks.bad_url"),
        ("javascript:alert(1)", "webhooks.bad_url"),
        ("hooks.example.org", "webhooks.bad_url"),
        ("https://", "webhooks.bad_url"),
        ("https://user:pass@hooks.example.org/", "webhooks.bad_url"),
        ("https://hooks.example.org/#part", "webhooks.bad_url"),
        ("https://hooks.example.org:0/", "webhooks.bad_url"),
        ("https://hooks.example.org:99999/", "webhooks.bad_url"),
        ("https://hooks.example.org/a b", "webhooks.bad_url"),
        ("https://hooks.example.org\\@10.0.0.1/", "webhooks.bad_url"),
        ("https://hooks.example.org/\r\nX: 1", "webhooks.bad_url"),
        ("https://höoks.example.org/", "webhooks.bad_url"),
        ("https://[fe80::1%25eth0]/", "webhooks.private_address"),
        ("https://[bad", "webhooks.bad_url"),
        ("https://hooks.example.org/" + "a" * 2000, "webhooks.bad_url"),
    ],
)
def test_a_url_that_is_not_good_is_refused_with_its_reason(url: str, code: str) -> None:
    """Before it is stored, as far as it can be seen by looking at it."""
    with pytest.raises(BadInput) as caught:
        read_url(url, NOBODY)
    assert caught.value.code == code
    assert caught.value.remedy


def test_http_is_for_hosts_that_are_allowed() -> None:
    """On a machine of one's own a certificate may be too much."""
    allow = read_allow_list("localhost, 10.0.0.0/8")
    assert read_url("http://localhost:9000/hooks?a=1", allow).port == 9000
    assert read_url("http://10.1.1.1/", allow).hostname == "10.1.1.1"
    assert read_url(" https://hooks.example.org/x ", NOBODY).geturl() == "https://hooks.example.org/x"
