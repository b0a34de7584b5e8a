"""Report files and disputes at the command line: an account that writes files, a file given twice, a file of somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.adapters.banking.test_camt import a_file, entry
from tests.adapters.providers.test_adyen_reports import FEE, HEAD, SETTLED
from tests.entrypoints.cli.test_schemas import misfits

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.entrypoints.cli.conftest import CommandLine

IBAN = "DE89370400440532013000"
ACCOUNT = ("--provider", "adyen", "--merchant", "M", "--currency", "GBP", "--secret", "env:ADYEN_KEY")


def test_a_file_is_taken_once_and_who_gave_it_is_recorded(
    shop: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given twice it is no harm; given for another account, or broken, it is refused as a whole."""
    monkeypatch.setenv("ADYEN_KEY", "AQEnobody")
    shop.good("provider-account", "add", "second", *ACCOUNT)
    reader = ("--user", "report@C.M", "--secret", "env:ADYEN_KEY", "--json")
    told = shop.good("provider-account", "reports", "second", *reader).json
    assert misfits(told, "provider-account-reports") == []
    assert (told["report_user"], told["report_secret_reference"]) == ("report@C.M", "env:ADYEN_KEY")
    assert "payment.which_reader" in shop("provider-account", "reports", "second").err
    nobody = shop.good("provider-account", "reports", "second", "--nobody", "--json").json
    assert nobody["report_user"] is None
    told = shop.good("provider-account", "captures", "second", "--several", "--json").json
    assert (misfits(told, "provider-account-captures"), told["several_captures"]) == ([], True)
    assert "once" in shop.good("provider-account", "captures", "second", "--once").out

    file = tmp_path / "settlement_detail_report_batch_7.csv"
    file.write_text(HEAD + SETTLED + FEE)
    first, again = (shop.good("reconcile", "--report", f"second={file}", "--json").json for _ in range(2))
    assert misfits(first, "reconcile") == []
    assert [one["new"] for one in first["reports"]] == [2]
    assert [(one["new"], one["known"]) for one in again["reports"]] == [(0, 2)]
    [difference] = shop.good("settlement", "differences", "--json").json
    assert difference["kind"] == "extra"

    file.write_text(HEAD + SETTLED[:50])
    assert "report.unreadable" in shop("reconcile", "--report", f"second={file}").err
    assert "report.whose" in shop("reconcile", "--report", str(file)).err
    assert "payment.no_account" in shop("reconcile", "--report", f"third={file}").err
    assert misfits(shop.good("dispute", "list", "--json").json, "dispute-list") == []
    assert "dispute.not_found" in shop("dispute", "accept", "nothing").err


def test_a_statement_is_read_listed_and_decided(shop: CommandLine, tmp_path: Path) -> None:
    """As a person types it; the same file again is no harm, and a broken one is refused by name."""
    file = tmp_path / "statement.xml"
    file.write_bytes(a_file(entry("10.00"), entry("7.00", ref="BANK2")))
    [first], [again] = (shop.good("bank", "read", str(file), "--json").json for _ in range(2))
    assert misfits([first], "bank-read") == []
    assert (first["new"], again["new"], again["known"]) == (2, 0, 2)
    lines = shop.good("bank", "list", "--json").json
    assert misfits(lines, "bank-list") == []
    assert len(lines) == 2
    told = shop.good("bank", "match", lines[0]["id"], "--nothing", "--note", "rent", "--json").json
    assert misfits(told, "bank-match") == []
    assert (told["state"], told["note"]) == ("dismissed", "rent")
    assert "bank.which_payout" in shop("bank", "match", lines[1]["id"]).err
    assert "payment.no_account" in shop("bank", "match", lines[1]["id"], "--account", "x", "--payout", "y").err
    undone = shop.good("bank", "undo", lines[0]["id"], "--reason", "a customer's", "--json").json
    assert misfits(undone, "bank-undo") == []
    assert (undone["state"], undone["undo_note"], undone["revision"]) == ("open", "a customer's", 1)
    assert "bank.not_decided" in shop("bank", "undo", lines[1]["id"], "--reason", "none").err
    file.write_bytes(a_file(entry("9.00", ref="BANK3")))
    assert "1 line, 1 new" in shop.good("bank", "read", str(file)).out
    file.write_text("<Document/>")
    assert "bank.unreadable" in shop("bank", "read", str(file)).err


def test_who_collects_keeps_what_is_not_said_anew(shop: CommandLine) -> None:
    """A name alone changes the name: neither the days of notice nor the account are lost by it."""
    assert "debits.bad_creditor" in shop("debit", "creditor", "--name", "Nobody yet", "--iban", IBAN).err
    shop.good("debit", "creditor", "DE98ZZZ09999999999", "--iban", IBAN, "--notice-days", "5")
    told = shop.good("debit", "creditor", "--name", "Another name", "--json").json
    assert (told["name"], told["notice_days"], told["iban"]) == ("Another name", 5, IBAN)
    shop.good("customer", "add", "GB-1", "--name", "Somebody")
    signed = shop("debit", "sign", "GB-1", "GB82WEST12345698765432", "--on", "2026-01-05")
    assert "debits.bic_needed" in signed.err
