"""What goes wrong on request, seen through the official SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
import stripe

from tallywatt.kernel.errors import BadInput
from tallywatt.simulators.psp import books
from tallywatt.simulators.psp.faults import Fault, Faults, parse_fault
from tests.simulators.psp.test_api import a_hold

if TYPE_CHECKING:
    from tests.simulators.psp.running import RunningPsp

ASKED: Any = {"amount": 500, "currency": "gbp"}


def test_a_lost_answer_leaves_the_work_done(psp: RunningPsp) -> None:
    """The money was taken, and nobody heard of it."""
    client = psp.client()
    hold = a_hold(client)
    psp.fault("lost_answer", path="/capture", times=1)

    with pytest.raises(stripe.APIConnectionError):
        client.payment_intents.capture(hold.id, {"amount_to_capture": 1240}, {"idempotency_key": "c"})

    assert books.read(psp.state).captured_minor == {"GBP": 1240}
    again = client.payment_intents.capture(hold.id, {"amount_to_capture": 1240}, {"idempotency_key": "c"})
    assert again.amount_received == 1240


def test_hanging_up_first_leaves_nothing_done(psp: RunningPsp) -> None:
    psp.fault("hang_up", times=1)
    with pytest.raises(stripe.APIConnectionError):
        psp.client().payment_intents.create(ASKED)
    assert not books.read(psp.state).movements


def test_a_refused_connection_is_a_refused_connection(psp: RunningPsp) -> None:
    """The one failure after which it is certain that nothing was done."""
    client = psp.client()
    psp.fault("refuse", times=1, milliseconds=400)
    with pytest.raises(stripe.APIConnectionError):
        client.payment_intents.create(ASKED)
    with pytest.raises(stripe.APIConnectionError) as refused:
        client.payment_intents.create(ASKED)
    assert isinstance(refused.value.__cause__, httpx.ConnectError)


def test_throttling_says_when_to_come_back_and_keeps_no_answer(psp: RunningPsp) -> None:
    client = psp.client()
    psp.fault("rate_limit", times=1, seconds=7)
    with pytest.raises(stripe.RateLimitError) as refused:
        client.payment_intents.create(ASKED, {"idempotency_key": "k"})
    assert refused.value.headers is not None
    assert refused.value.headers["retry-after"] == "7"
    assert client.payment_intents.create(ASKED, {"idempotency_key": "k"}).amount == 500


@pytest.mark.parametrize(("kind", "made"), [("error_500", 0), ("error_500_after_work", 1)])
def test_a_500_stays_a_500_under_its_key(psp: RunningPsp, kind: str, made: int) -> None:
    """The provider keeps its failures as well: asking again under the same key never tells more."""
    client = psp.client()
    psp.fault(kind, times=1)
    for replayed in (None, "true"):
        with pytest.raises(stripe.APIError) as failed:
            client.payment_intents.create(ASKED, {"idempotency_key": "k"})
        assert failed.value.http_status == 500
        assert (failed.value.headers or {}).get("idempotent-replayed") == replayed
    assert len(books.read(psp.state).movements) == made


def test_latency_makes_a_short_timeout_strike(psp: RunningPsp) -> None:
    psp.fault("latency", milliseconds=800, times=1)
    with pytest.raises(stripe.APIConnectionError):
        psp.client(timeout=0.2).payment_intents.create(ASKED)


def test_faults_are_counted_and_can_be_switched_off(psp: RunningPsp) -> None:
    psp.fault("rate_limit", every=2)
    client = psp.client()
    client.payment_intents.create(ASKED)
    with pytest.raises(stripe.RateLimitError):
        client.payment_intents.create(ASKED)
    httpx.delete(f"{psp.url}/_faults")
    for _ in range(3):
        client.payment_intents.create(ASKED)


def test_a_fault_is_read_from_the_command_line() -> None:
    assert parse_fault("lost_answer,times=2,path=/capture") == Fault("lost_answer", times=2, path="/capture")
    assert parse_fault("latency,milliseconds=50").times is None
    for wrong in ("no_such_fault", "latency,seconds", "latency,colour=red"):
        with pytest.raises(BadInput):
            parse_fault(wrong)


def test_a_fault_strikes_as_often_as_it_says() -> None:
    faults = Faults((Fault("hang_up", times=2, every=3, path="/capture"),))
    kinds = frozenset({"hang_up"})
    struck = [faults.strike("POST", "/v1/payment_intents/x/capture", kinds) is not None for _ in range(12)]
    assert struck == [False, False, True, False, False, True, *[False] * 6]
    assert faults.strike("POST", "/v1/refunds", kinds) is None
