"""Numbers of accounts: one wrong digit and another country's length are found before a bank finds them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.errors import BadInput
from tallywatt.payments.iban import check_ibans, read_bic, read_creditor_id, read_iban

IBANS = ("DE89370400440532013000", "NL91ABNA0417164300", "GB82WEST12345698765432", "MT84MALT011000012345MTLCAST001S")


@pytest.mark.parametrize("iban", IBANS)
def test_a_number_is_read_however_it_is_typed(iban: str) -> None:
    """In groups of four, in small letters."""
    typed = " ".join(iban[place : place + 4] for place in range(0, len(iban), 4)).lower()
    assert read_iban(typed) == iban


@given(place=st.integers(4, 21), digit=st.sampled_from("0123456789"))
def test_one_wrong_digit_is_found(place: int, digit: str) -> None:
    """The check digits are there for that."""
    wrong = IBANS[0][:place] + digit + IBANS[0][place + 1 :]
    if wrong == IBANS[0]:
        return
    with pytest.raises(BadInput) as refused:
        read_iban(wrong)
    assert wrong not in str(refused.value)


@pytest.mark.parametrize(
    "wrong", ["", "DE", "US64SVBKUS6S3300958879", "DE8937040044053201300", "DE89²70400440532013000"]
)
def test_what_is_no_number_of_sepa_is_refused(wrong: str) -> None:
    """Another length, another country, a digit that is none."""
    with pytest.raises(BadInput):
        read_iban(wrong)


@given(
    place=st.integers(0, 3),
    around=st.sampled_from(["{}", "Rhein Strom, {}, BIC COBADEFF", "{} BIC X", "IBAN {}; BIC Y"]),
)
def test_a_wrong_digit_is_found_in_what_people_read(place: int, around: str) -> None:
    """A number as it is printed on thousands of invoices, with words on both sides."""
    iban = IBANS[place]
    grouped = " ".join(iban[first : first + 4] for first in range(0, len(iban), 4))
    for typed in (iban, grouped):
        check_ibans(around.format(typed))
        wrong = typed[:-1] + ("1" if typed[-1] != "1" else "2")
        with pytest.raises(BadInput):
            check_ibans(around.format(wrong))


def test_a_text_without_a_number_is_any_text() -> None:
    """Other countries write accounts in other ways."""
    for text in ("", "sort code 60-16-13, account 31926819", "See our page, ROOM12 of the town hall"):
        check_ibans(text)
    with pytest.raises(BadInput):
        check_ibans("See our page, DE12 3456 7890 1234 5678 90 of the town hall")


def test_a_bank_is_named_where_the_scheme_wants_it() -> None:
    """Outside of the European Economic Area a number alone does not do."""
    assert read_bic(None, IBANS[0]) is None
    assert read_bic("markde f1100") == "MARKDEF1100"
    for text, iban in ((None, IBANS[2]), ("MARK", None)):
        with pytest.raises(BadInput):
            read_bic(text, iban)


def test_a_creditor_is_known_by_its_identifier_whatever_business_it_names() -> None:
    """Three letters in the middle are the creditor's own, and are not checked."""
    assert read_creditor_id("DE98 ZZZ0 9999 9999 99") == "DE98ZZZ09999999999"
    assert read_creditor_id("DE98ABC09999999999") == "DE98ABC09999999999"
    with pytest.raises(BadInput):
        read_creditor_id("DE97ZZZ09999999999")
