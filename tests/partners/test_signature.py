"""Signatures are those of the Standard Webhooks specification: its own library says so."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput
from tallywatt.partners.signature import headers, new_secret, read_secret, shown, sign


@given(secret=st.binary(min_size=24, max_size=64), body=st.text(), seconds=st.integers(0, 2**32))
def test_we_sign_as_the_specification_does(secret: bytes, body: str, seconds: int) -> None:
    """Any text, any time."""
    theirs = Webhook(shown(secret)).sign("msg_1", datetime.fromtimestamp(seconds, UTC), body)

    assert sign(secret, "msg_1", seconds, body.encode()) == theirs


def test_the_example_of_the_specification() -> None:
    """As printed there."""
    secret = read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    assert (
        sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_every_secret_that_holds_signs() -> None:
    """The newest first, a blank between them."""
    one, two = new_secret(b"seed", "one"), new_secret(b"seed", "two")
    made = headers("msg_1", b"{}", Instant(1_700_000_000_999), (one, two))
    assert made["webhook-timestamp"] == "1700000000"
    assert made["webhook-signature"].split(" ") == [
        sign(secret, "msg_1", 1_700_000_000, b"{}") for secret in (one, two)
    ]
    assert new_secret(b"seed", "one") == one, "a command that is run again makes the same secret"


@pytest.mark.parametrize("text", ["whsec_", "whsec_***", "whsec_" + base64.b64encode(b"short").decode(), "plain text"])
def test_a_secret_that_is_none_is_refused(text: str) -> None:
    """Too short to be one, or not base64."""
    with pytest.raises(BadInput):
        read_secret(text)
