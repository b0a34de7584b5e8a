"""Adyen's report files: what they tell of settlements and payments, and what a house that lost its days learns."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.adapters.providers import adyen_reports as reports
from tallywatt.adapters.providers import comparing
from tallywatt.kernel.errors import BadInput
from tallywatt.kernel.identity import PaymentId
from tallywatt.kernel.money import CURRENCIES, money
from tallywatt.payments.codes import CAPTURE_LOST
from tallywatt.payments.operation import OperationKind, OperationState
from tallywatt.payments.payment import PaymentState
from tallywatt.payments.provider import ViewStatus
from tallywatt.payments.settlement import LineKind
from tallywatt.simulators.psp import books
from tallywatt.workflows.begin_restoration import BeginRestoration, begin_restoration
from tallywatt.workflows.give_back import GiveBack, give_back
from tallywatt.workflows.take_found import TakeFound, take_found
from tallywatt.workflows.take_report import TakeTold, take_told
from tests.adapters.providers.bench import MERCHANT, REPORT_USER, Bench, open_bench
from tests.adapters.providers.kiosk import Kiosk
from tests.payments.house import HouseOfPayments

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD = (
    "Company Account,Merchant Account,Psp Reference,Merchant Reference,Payment Method,Creation Date,TimeZone,Type,"
    "Modification Reference,Gross Currency,Gross Debit (GC),Gross Credit (GC),Exchange Rate,Net Currency,Net Debit (NC),"
    "Net Credit (NC),Commission (NC),Markup (NC),Scheme Fees (NC),Interchange (NC),Payment Method Variant,"
    "Modification Merchant Reference,Batch Number\n"
)
SETTLED = (
    "C,M,PSP1,ref,visa,2026-11-20 11:26:49,CET,Settled,MOD1,GBP,,5.00,1,GBP,,4.88,,0.04,0.01,0.07,visaclassic,,7\n"
)
CHARGEBACK = "C,M,PSP1,ref,visa,2026-11-21 22:37:26,CET,Chargeback,DIS1,EUR,349.99,,1,EUR,357.49,,7.50,,,,visa,,7\n"
EXCHANGED = (
    "C,M,PSP2,ref,mc,2026-11-21 22:37:26,CEST,Settled,MOD2,GBP,,10.00,1.17,EUR,,11.40,0.10,0.10,0.05,0.05,mc,,7\n"
)
FEE = "C,M,,,,2026-11-21 22:37:26,UTC,Fee,Transaction Fees November,,,,,GBP,3.20,,,,,,,,7\n"
CARRIED = "C,M,,,,2026-11-21 22:37:26,UTC,Balancetransfer,to batch 8,,,,,GBP,1.00,,,,,,,,7\n"
RESERVE = "C,M,,,,2026-11-21 22:37:26,UTC,DepositCorrection,reserve,,,,,GBP,1.00,,,,,,,,7\n"
PAYOUT = 'C,M,,,,2026-11-21 22:37:26,UTC,MerchantPayout,"TX1XT, bank",,,,,GBP,0.68,,,,,,,,7\n'


def lines_of(*rows: str) -> Any:
    return reports.report_of((HEAD + "".join(rows)).encode(), "M").lines


def test_each_kind_of_row_is_read_with_its_fee_and_its_direction() -> None:
    """What the batch moves is the amount less the fee, in every row."""
    rows = lines_of(SETTLED, CHARGEBACK, EXCHANGED, FEE, CARRIED, RESERVE, PAYOUT)
    told = [(one.kind, one.amount_minor, one.fee_minor, one.currency) for one in rows]
    assert told == [
        (LineKind.CHARGE, 500, 12, "GBP"),
        (LineKind.DISPUTE, -34999, 750, "EUR"),
        (LineKind.CHARGE, 1170, 30, "EUR"),
        (LineKind.FEE, -320, 0, "GBP"),
        (LineKind.PAYOUT, -100, 0, "GBP"),
        (LineKind.OTHER, -100, 0, "GBP"),
        (LineKind.PAYOUT, -68, 0, "GBP"),
    ]
    assert (rows[2].source_minor, rows[2].source_currency, rows[2].exchange_rate) == (1000, "GBP", "1.17")
    assert {one.payout_ref for one in rows} == {"M/batch/7"}
    assert rows[0].said_at == datetime(2026, 11, 20, 10, 26, 49, tzinfo=UTC).timestamp() * 1000


def test_columns_of_debit_and_credit_may_be_swapped() -> None:
    """In some of its files a capture stands under debit: the type says which way it went."""
    swapped = SETTLED.replace("GBP,,5.00,1", "GBP,5.00,,1")
    assert lines_of(swapped)[0].amount_minor == 500


def test_two_rows_alike_are_two_movements_and_the_file_again_is_the_same() -> None:
    """Two partial captures of one sum: by their place in a batch that is closed they are known again."""
    rows = lines_of(FEE, FEE)
    assert len({one.line_ref for one in rows}) == 2
    assert rows == lines_of(FEE, FEE)


def test_a_file_of_a_whole_company_gives_the_rows_of_this_account() -> None:
    """Another shop's money is none of ours."""
    assert len(lines_of(SETTLED, SETTLED.replace("C,M,", "C,OtherShop,"))) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"a,b\n1,2\n",
        HEAD.encode(),
        (HEAD + SETTLED[:60]).encode(),
        (HEAD + SETTLED.replace("5.00", "5.001")).encode(),
        (HEAD + SETTLED.replace("4.88", "four")).encode(),
        (HEAD + SETTLED.replace("GBP", "XXQ")).encode(),
        (HEAD + SETTLED.replace("CET", "Moon")).encode(),
        (HEAD + SETTLED.replace("2026-11-20", "20/11/2026")).encode(),
        (HEAD + SETTLED.replace(",7\n", ",seven\n")).encode(),
        (HEAD + SETTLED.replace("C,M,", "C,N,")).encode(),
        (HEAD + SETTLED.replace("MOD1", "x" * 200)).encode(),
        (HEAD + SETTLED.replace("5.00", "NaN")).encode(),
    ],
)
def test_a_broken_file_is_refused_as_a_whole(content: bytes) -> None:
    """Half a file is no settlement."""
    with pytest.raises(BadInput):
        reports.report_of(content, "M")


@given(st.text(alphabet='",\n\r0123456789.-GBPEURM ', max_size=80))
def test_no_text_in_a_row_breaks_the_reader(text: str) -> None:
    """Read, or refused by name: never anything else."""
    for row in (SETTLED.replace("5.00", text), SETTLED.replace("MOD1", text), HEAD + text):
        with contextlib.suppress(BadInput):
            lines = reports.report_of((HEAD + row).encode(), "M").lines
            assert all(one.payout_ref and one.currency in CURRENCIES for one in lines)
            assert len({one.line_ref for one in lines}) == len(lines)


# --- after a restore ---


@pytest.fixture
def bench(tmp_path: Path, sqlite_house_url: str) -> Iterator[Bench]:
    made = open_bench("adyen", tmp_path, sqlite_house_url)
    yield made
    made.close()


def held(bench: Bench) -> PaymentId:
    payment_id = bench.opened().payment_id
    assert bench.pays(bench.house.payment(payment_id)) == 303
    bench.hear_until(lambda: bench.house.payment(payment_id).state is PaymentState.AUTHORISED)
    return PaymentId(payment_id)


def taken(bench: Bench, name: str) -> PaymentId:
    payment_id = held(bench)
    assert bench.house.session_begins(payment_id, name=name)
    bench.house.held_session_priced(payment_id, "10.00", name=name)
    bench.house.work()
    bench.hear_until(lambda: bench.house.payment(payment_id).state is PaymentState.CAPTURED)
    return payment_id


def of_today(bench: Bench) -> bytes:
    day = datetime.now(UTC).strftime("%Y_%m_%d")  # noqa: TID251 - the provider's clock is the real one
    url = f"{bench.psp.url}/reports/download/MerchantAccount/{MERCHANT}/payments_accounting_report_{day}.csv"
    assert httpx.get(url).status_code == 401
    content = bench.cards.fetch_report(url)
    assert isinstance(content, bytes)
    assert httpx.get(url, auth=REPORT_USER).content == content
    return content


def test_the_file_of_a_day_tells_of_cards_that_were_held_to_a_terminal(tmp_path: Path, sqlite_house_url: str) -> None:
    kiosk = Kiosk("adyen", tmp_path, sqlite_house_url)
    try:
        payment = kiosk.asking()
        kiosk.tap("pm_card_mastercard")
        (told,) = reports.report_of(of_today(kiosk.bench), MERCHANT).traces
    finally:
        kiosk.close()
    assert (told.payment_id, told.view.status, told.view.authorised_minor) == (payment, ViewStatus.AUTHORISED, 4000)


def test_a_restored_house_learns_from_the_file_what_its_provider_does_not_list(
    bench: Bench, tmp_path: Path, sqlite_house_url: str
) -> None:
    """Taken, given back, held: and a refund whose answer was lost with the house is not made a second time."""
    first, open_hold = taken(bench, "s1"), held(bench)
    asked = GiveBack(first, money("3.00", "GBP"), "too much", "key-of-the-shop")
    bench.house.write(give_back, asked)
    bench.house.work()
    bench.hear_until(lambda: bench.house.payment(first).refunded_minor == 300)
    before = books.read(bench.psp.state)
    content = of_today(bench)

    (tmp_path / "again").mkdir()
    elsewhere = open_bench_database(tmp_path)
    house = HouseOfPayments(elsewhere, bench.cards, now=bench.house.now(), name="restored")
    account = house.account(provider="adyen")
    house.write(begin_restoration, BeginRestoration("ab12", house.now()))
    report = reports.report_of(content, MERCHANT, account.account_id)
    # A part was taken; whether the rest went with it is known by the account alone.
    assert {one.payment_id: (one.view.status, one.view.captured_minor > 0) for one in report.traces} == {
        first: (ViewStatus.AUTHORISED, True), open_hold: (ViewStatus.AUTHORISED, False),
    }  # fmt: skip
    for _ in range(2):
        for trace in report.traces:
            house.write(take_found, TakeFound(account.account_id, trace))

    found = house.payment(first)
    assert (found.captured_minor, found.refunded_minor) == (1000, 300)
    again = house.write(give_back, GiveBack(first, money("3.00", "GBP"), "too much", "key-of-the-shop"))
    refunds = [one for one in house.operations(first) if one.kind is OperationKind.REFUND]
    assert [again] == refunds
    assert books.read(bench.psp.state) == before
    house.close()


def open_bench_database(tmp_path: Path) -> str:
    from tallywatt.adapters.storage.migrations import upgrade  # noqa: PLC0415 - of this one test

    url = f"sqlite:///{tmp_path}/again/house.db"
    upgrade(url)
    return url


def test_a_notification_that_never_came_is_made_up_for_by_the_file(bench: Bench) -> None:
    """It cannot be asked about a payment: its file of the day is where the answer stands."""
    payment_id = held(bench)
    assert bench.house.session_begins(payment_id, name="s1")
    bench.house.held_session_priced(payment_id, "10.00", name="s1")
    bench.house.work()
    (account,) = bench.house.ask(lambda work: work.provider_accounts.by())
    assert bench.house.payment(payment_id).captured_minor == 0
    report = reports.report_of(of_today(bench), MERCHANT, account.account_id)

    [news, again] = [bench.house.write(take_told, TakeTold(account.account_id, report.traces[0])) for _ in range(2)]

    assert (news, again) == (True, False)
    assert bench.house.payment(payment_id).captured_minor == 1000


def test_a_refused_charge_of_which_nothing_was_told_is_known_by_the_file(bench: Bench) -> None:
    """The answer is an error that is kept under its key, and the notification is lost: the charge stayed unknown for ever."""
    customer = bench.customer("pm_card_authenticationRequired")
    bench.psp.fault("error_500_after_work", path="/payments", method="POST", times=1)
    payment_id = bench.house.session_priced(customer, "12.40").payment_id
    bench.house.work()
    assert bench.house.operations(payment_id)[-1].is_unresolved
    (account,) = bench.house.ask(lambda work: work.provider_accounts.by())
    (trace,) = reports.report_of(of_today(bench), MERCHANT, account.account_id).traces

    [news, again] = [bench.house.write(take_told, TakeTold(account.account_id, trace)) for _ in range(2)]

    assert (news, again) == (True, False)
    assert bench.house.payment(payment_id).state is PaymentState.DECLINED
    assert bench.house.operations(payment_id)[-1].state is OperationState.DECLINED
    bench.hear_until(lambda: bench.heard > 1)  # the notification came after all, and is no news
    assert bench.house.payment(payment_id).state is PaymentState.DECLINED
    assert books.read(bench.psp.state).captured_minor == {}


def test_a_card_that_was_refused_on_a_page_is_not_the_end_of_its_payment(bench: Bench) -> None:
    """The driver may try another one: the file of the day says nothing about such a payment."""
    payment = bench.opened()
    assert bench.pays(payment, "pm_card_visa_chargeDeclined") < 500
    assert held(bench)
    assert payment.payment_id not in {one.payment_id for one in reports.report_of(of_today(bench), MERCHANT).traces}


PAID = "Merchant Account,Psp Reference,Merchant Reference,Booking Date,TimeZone,Main Currency,Main Amount,Record Type\n"
OURS = "019f0000-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        (("Received",), None),
        (("Received", "Refused"), ViewStatus.DECLINED),
        (("Received", "Error"), ViewStatus.DECLINED),
        (("Received", "Refused", "Authorised", "SentForSettle"), ViewStatus.CAPTURED),
    ],
)
def test_a_charge_that_did_not_end_is_not_refused(steps: tuple[str, ...], status: ViewStatus | None) -> None:
    """What was only received is on its way; what was taken in the end was taken."""
    rows = [
        f"M,PSP{1 + (at > 1)},{OURS}/charge,2026-11-20 10:00:0{at},UTC,GBP,5.00,{one}\n" for at, one in enumerate(steps)
    ]
    traces = reports.report_of((PAID + "".join(rows)).encode(), "M").traces
    assert [one.view.status for one in traces] == ([] if status is None else [status])


def test_several_days_together_count_each_row_once(bench: Bench) -> None:
    """Held on one day and taken on the next; the same file given twice is no second capture."""
    taken(bench, "s1")
    content = of_today(bench)
    once, twice = reports.joined((content,), MERCHANT), reports.joined((content, content), MERCHANT)
    assert once.traces == twice.traces
    assert once.traces[0].view.captured_minor == 1000


def test_a_capture_that_was_taken_back_unheard_is_known_by_the_file(bench: Bench) -> None:
    """It is owed again; a word of its success that comes last is no news, and neither is the same file."""
    payment_id = held(bench)
    assert bench.house.session_begins(payment_id, name="s1")
    bench.house.held_session_priced(payment_id, "10.00", name="s1")
    bench.house.work()
    [intent] = [one.payment_intent for one in books.read(bench.psp.state).movements]
    bench.psp.fault("lost_webhook", path="adyen.CAPTURE_FAILED", times=1)
    assert httpx.post(f"{bench.psp.url}/_lose_capture", json={"payment_intent": intent}).status_code == 200
    (account,) = bench.house.ask(lambda work: work.provider_accounts.by())
    told = reports.report_of(of_today(bench), MERCHANT, account.account_id)
    assert [one.view.failed_operation for one in told.lost] == [bench.house.operations(payment_id)[-1].operation_id]

    for _ in range(2):
        for trace in told.told:
            bench.house.write(take_told, TakeTold(account.account_id, trace))

    bench.hear(1)
    after = bench.house.payment(payment_id)
    assert (after.captured_minor, after.reason) == (0, CAPTURE_LOST)
    assert bench.house.operations(payment_id)[-1].code == CAPTURE_LOST


def test_a_restored_house_learns_from_the_file_that_a_capture_of_the_lost_time_was_taken_back(bench: Bench) -> None:
    """The backup knows of the capture, and the word that it was taken back is lost: it is owed again, once."""
    known, other = taken(bench, "s1"), taken(bench, "s2")
    bench.psp.fault("lost_webhook", path="adyen.CAPTURE_FAILED", times=2)
    for one in books.read(bench.psp.state).movements:
        lost = httpx.post(f"{bench.psp.url}/_lose_capture", json={"payment_intent": one.payment_intent})
        assert lost.status_code == 200
    (account,) = bench.house.ask(lambda work: work.provider_accounts.by())
    content = of_today(bench)
    bench.house.write(begin_restoration, BeginRestoration("ab12", bench.house.now()))
    told = reports.report_of(content, MERCHANT, account.account_id).told
    stranger = replace(told[0], payment_id="019cadfa-b614-750d-86f7-0b3bcc697d46")

    compared = comparing.traces_of(bench.cards, bench.house.now(), (), (stranger, *told))
    news = [bench.house.write(take_found, TakeFound(account.account_id, one)).news for one in (*compared, *compared)]

    assert (len(compared), sum(news)) == (5, 2)
    for payment_id in (known, other):
        after = bench.house.payment(payment_id)
        assert (after.captured_minor, after.reason) == (0, CAPTURE_LOST)
    assert "payment_contradicted" not in bench.house.inbox()
    assert bench.house.balance("clearing") == 0


def test_what_is_owed_after_a_lost_capture_stays_owed_when_the_file_comes(bench: Bench) -> None:
    """The notification had told it already."""
    payment_id = taken(bench, "s1")
    [intent] = [one.payment_intent for one in books.read(bench.psp.state).movements]
    assert httpx.post(f"{bench.psp.url}/_lose_capture", json={"payment_intent": intent}).status_code == 200
    bench.hear_until(lambda: bench.house.payment(payment_id).state is PaymentState.OWED)
    before = bench.house.payment(payment_id)
    (account,) = bench.house.ask(lambda work: work.provider_accounts.by())
    told = reports.report_of(of_today(bench), MERCHANT, account.account_id)
    for trace in told.told:
        bench.house.write(take_told, TakeTold(account.account_id, trace))
    assert replace(bench.house.payment(payment_id), version=before.version) == before
