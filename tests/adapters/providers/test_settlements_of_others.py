"""Settlements of Mollie and Adyen, on the official SDK, the simulated provider and its report files: as Stripe's are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tallywatt.adapters.providers.accountant import Accountant
from tallywatt.adapters.providers.adyen_cards import AdyenCards
from tallywatt.adapters.providers.caller import TryLater
from tallywatt.adapters.providers.mollie_cards import NO_TOKEN, MollieCards
from tallywatt.kernel.errors import BadInput
from tallywatt.kernel.money import money
from tallywatt.payments.payment import PaymentState
from tallywatt.payments.provider import NotSent, Unknown
from tallywatt.payments.settlement import DifferenceKind
from tallywatt.workflows.give_back import GiveBack, give_back
from tests.adapters.providers.bench import KEYS, MERCHANT, TIMEOUT, Bench, open_bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FEE_OF_TEN = 35
"""What the simulator keeps of 10.00: one and a half per cent, and twenty."""


@pytest.fixture(params=["mollie", "adyen"])
def bench(request: pytest.FixtureRequest, tmp_path: Path, house_url: str) -> Iterator[Bench]:
    made = open_bench(request.param, tmp_path, house_url)
    yield made
    made.close()


@pytest.fixture
def adyen(tmp_path: Path, sqlite_house_url: str) -> Iterator[Bench]:
    made = open_bench("adyen", tmp_path, sqlite_house_url)
    yield made
    made.close()


def takes(bench: Bench, name: str = "s1", amount: str = "10.00") -> Any:
    """A hold of a driver, of which so much is taken."""
    payment_id = bench.opened().payment_id
    assert bench.pays(bench.house.payment(payment_id)) == 303
    bench.hear_until(lambda: bench.house.payment(payment_id).state is PaymentState.AUTHORISED)
    assert bench.house.session_begins(payment_id, name=name)
    bench.house.held_session_priced(payment_id, amount, name=name)
    bench.house.work()

    def is_taken() -> bool:
        return bool(bench.house.payment(payment_id).state is PaymentState.CAPTURED)

    bench.hear_until(is_taken)
    return bench.house.payment(payment_id)


def switch(bench: Bench, path: str, **asked: Any) -> Any:
    return httpx.post(f"{bench.psp.url}{path}", json=asked).raise_for_status().json()


def read(bench: Bench, cards: Any = None) -> None:
    """As the worker reads: what an account lists, and the files that lie ready."""
    (account,) = bench.house.ask(lambda work: work.provider_accounts.by())
    accountant = Accountant(lambda _: cards or bench.cards)
    accountant.read_settlements(bench.house.write, account.account_id)
    for job in bench.house.jobs():
        if job.kind == "read_report":
            accountant.read_report(bench.house.write, account.account_id, job.payload["place"])


def paid_out(bench: Bench) -> Any:
    """Everything goes to the bank, and its notification is heard where there is one."""
    [sent] = switch(bench, "/_pay_out")
    if bench.provider == "adyen":
        bench.hear_until(lambda: any(one.kind == "read_report" for one in bench.house.jobs()))
    return sent


def stands(bench: Bench) -> dict[str, int]:
    kinds = ("clearing", "fees", "transit", "suspense", "exchange", "differences", "disputed", "losses")
    return {kind: minor for kind in kinds if (minor := bench.house.balance(f"{kind}/"))}


def differences(bench: Bench) -> list[Any]:
    return bench.house.ask(lambda work: work.settlement_differences.by(state="open"))


def test_fees_and_payouts_are_read_and_add_up(bench: Bench) -> None:
    """From the card to the bank: what is captured leaves as a payout and a fee, and nothing stays over."""
    for name in ("s1", "s2"):
        takes(bench, name)
    sent = paid_out(bench)
    assert sent["amount"] == 2000 - 2 * FEE_OF_TEN
    for _ in range(2):
        read(bench)

    assert stands(bench) == {"transit": sent["amount"], "fees": 2 * FEE_OF_TEN}
    assert differences(bench) == []
    lines = bench.house.ask(lambda work: work.settlement_lines.by())
    assert len({one.payout_ref for one in lines}) == 1
    assert sorted((one.kind.value, one.state.value) for one in lines) == [
        ("charge", "matched"), ("charge", "matched"), ("payout", "matched"),
    ]  # fmt: skip


def test_a_file_between_two_that_were_read_is_fetched_though_nobody_told_of_it(adyen: Bench) -> None:
    """The notification of a batch is lost and the next one comes: what was settled between them is not missing for ever."""
    bench = adyen
    for name in ("s1", "s2", "s3"):
        takes(bench, name)
        if name == "s2":
            switch(bench, "/_pay_out")
            [told] = [job for job in bench.house.jobs() if job.kind == "read_report"]
            continue
        paid_out(bench)
        (account,) = bench.house.ask(lambda work: work.provider_accounts.by())
        newest = max(job.payload["place"] for job in bench.house.jobs() if job.kind == "read_report")
        Accountant(lambda _: bench.cards).read_report(bench.house.write, account.account_id, newest)
    assert told.payload["place"].endswith("batch_1.csv")
    assert sum(one.kind.value == "charge" for one in bench.house.ask(lambda work: work.settlement_lines.by())) == 2

    for _ in range(2):
        Accountant(lambda _: bench.cards).read_settlements(bench.house.write, account.account_id)
    lines = bench.house.ask(lambda work: work.settlement_lines.by())
    assert sum(one.kind.value == "charge" for one in lines) == 3
    assert differences(bench) == []


def test_case_46_what_goes_wrong_with_a_settlement_is_listed(bench: Bench) -> None:
    """Missing, extra, another fee, another currency: each is listed or booked, whoever the provider is."""
    bench.account()
    read(bench)
    switch(bench, "/_settling", lose=1)
    lost = takes(bench, "s1")
    switch(bench, "/_settling", currency="eur", rate="1.17", more_fee=5)
    takes(bench, "s2")
    switch(bench, "/_invent", amount=700, currency="eur")
    paid_out(bench)
    read(bench)
    # Days go by at both ends, and somebody pays again.
    bench.house.later(4 * 24 * 3600)
    switch(bench, "/_later", seconds=4 * 24 * 3600)
    switch(bench, "/_settling")
    takes(bench, "s3")
    paid_out(bench)
    read(bench)

    kinds = {one.kind: one for one in differences(bench)}
    assert set(kinds) == {DifferenceKind.EXTRA, DifferenceKind.MISSING}
    assert kinds[DifferenceKind.MISSING].payment_id == lost.payment_id
    lines = bench.house.ask(lambda work: work.settlement_lines.by())
    [exchanged] = [one for one in lines if one.kind.value == "charge" and one.is_converted]
    assert (exchanged.source_minor, exchanged.source_currency) == (1000, "GBP")
    assert (exchanged.amount_minor, exchanged.currency, exchanged.fee_minor) == (1170, "EUR", 46)


def test_whoever_wants_a_difference_to_be_asked_about_gets_an_end(bench: Bench) -> None:
    """Where payments cannot be asked about, what is known by now is compared: no job asks for ever."""
    payment = takes(bench)
    Accountant(lambda _: bench.cards).compare_payment(bench.house.write, payment.payment_id)
    assert differences(bench) == []


def test_a_refund_leaves_the_balance_once(bench: Bench) -> None:
    """Given back at the provider and in the books: the settlement has it, and it is matched."""
    first, second = takes(bench, "s1"), takes(bench, "s2")
    refund = GiveBack(first.payment_id, money("3.00", "GBP"), "too much", "r1")
    bench.house.write(give_back, refund)
    bench.house.work()
    bench.hear_until(lambda: bench.house.payment(first.payment_id).refunded_minor == 300)
    paid_out(bench)
    read(bench)
    assert differences(bench) == []
    assert stands(bench)["transit"] == 2000 - 300 - 2 * FEE_OF_TEN
    assert second.captured_minor == 1000


def test_without_what_may_read_them_settlements_are_not_read_and_nothing_is_missing(bench: Bench) -> None:
    """The key that takes payments does not open the books of the organisation."""
    takes(bench)
    if bench.provider == "mollie":
        keyless: Any = MollieCards(KEYS["mollie"], base_url=bench.psp.url, timeout=TIMEOUT)
        with pytest.raises(TryLater, match="access token"):
            read(bench, keyless)
        (reading,) = bench.house.ask(lambda work: work.settlement_readings.by())
        assert reading.error == NO_TOKEN
        wrong = MollieCards(KEYS["mollie"], base_url=bench.psp.url, timeout=TIMEOUT, report_token="test_tallywatt")
        assert isinstance(wrong.list_settlements(bench.house.now()), NotSent)
    else:
        sent = paid_out(bench)
        keyless = AdyenCards(KEYS["adyen"], merchant=MERCHANT, base_url=f"{bench.psp.url}/checkout", timeout=TIMEOUT)
        with pytest.raises(TryLater, match="report user"):
            read(bench, keyless)
        assert sent["amount"] == 1000 - FEE_OF_TEN
        place = f"{bench.psp.url}/reports/download/MerchantAccount/{MERCHANT}/settlement_detail_report_batch_9.csv"
        assert bench.cards.fetch_report(place) is None
        assert isinstance(keyless.fetch_report(place), Unknown)
    assert differences(bench) == []


@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1:1/reports/x.csv",
        "https://ca-test.adyen.com.evil.example/reports/x.csv",
        "https://evil.example/reports/x.csv#.adyen.com",
        "http://ca-test.adyen.com/reports/x.csv",
        "https://user@ca-test.adyen.com/reports/x.csv",
        "https://ca-test.adyen.com:8443/reports/x.csv",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_report_is_fetched_from_the_provider_and_from_nobody_else(place: str) -> None:
    """Where it lies is not signed: whoever could write it would be sent the password of the report user."""
    cards = AdyenCards(KEYS["adyen"], merchant=MERCHANT, report_access=("report@C.M", "secret"))
    with pytest.raises(BadInput):
        cards.fetch_report(place)
