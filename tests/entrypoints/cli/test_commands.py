"""The command line as people use it: what it says, where, and with which exit code."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer

from tallywatt.entrypoints.cli.desk import settings
from tallywatt.entrypoints.cli.program import app
from tallywatt.kernel.clock import Instant
from tallywatt.payments.settlement import LineKind, ToldLine
from tallywatt.stations.credentials import Knocked
from tallywatt.wiring import House
from tallywatt.workflows.add_station import knock
from tallywatt.workflows.take_settlement import TakeSettlement, take_settlement
from tests.entrypoints.cli.conftest import KEY, CommandLine, a_tariff, an_export
from tests.entrypoints.cli.test_schemas import ACCOUNT, misfits

if TYPE_CHECKING:
    from collections.abc import Iterator


# --- errors ---


def test_the_first_thing_to_do_is_said_when_there_is_nothing_yet(tallywatt: CommandLine) -> None:
    """A newcomer types a command on an empty directory: no traceback, a way on."""
    ran = tallywatt("station", "list")

    assert ran.code == 1
    assert ran.out == ""
    assert ran.err.splitlines() == [
        "Error: the database has no tables of Tallywatt [storage.schema_unknown]",
        "What to do: run: tallywatt database upgrade",
    ]


def test_without_an_operator_one_is_asked_for(tallywatt: CommandLine) -> None:
    """The error names the command that mends it."""
    tallywatt.good("database", "upgrade")
    ran = tallywatt("session", "list")

    assert (ran.code, "[operators.none]" in ran.err, "tallywatt operator add" in ran.err) == (3, True, True)


def test_the_only_operator_need_not_be_named_and_two_must(tallywatt: CommandLine) -> None:
    """Most installations have one operator; the second must not silently take the first one's orders."""
    tallywatt.good("operator", "add", "one", "--name", "One")
    tallywatt.good("location", "add", "a", "--name", "A")
    tallywatt.good("operator", "add", "two", "--name", "Two")

    ran = tallywatt("location", "list")
    assert (ran.code, "--operator: one, two" in ran.err) == (2, True)
    assert [row["reference"] for row in tallywatt.good("location", "list", "--operator", "one", "--json").json] == ["a"]
    assert tallywatt.good("location", "list", "--operator", "two", "--json").json == []
    assert tallywatt("location", "list", "--operator", "three").code == 3


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("operator", "add", "Not A Slug", "--name", "X"), 2, "operators.bad_slug"),
        (("operator", "add", "y", "--name", "X", "--currency", "XXX"), 2, "money.unknown_currency"),
        (("operator", "add", "y", "--name", "X", "--hold", "1.005"), 2, "money.too_precise"),
        (("operator", "add", "dundee", "--name", "X"), 3, "operators.slug_taken"),
        (("location", "add", "square", "--name", "X"), 3, "locations.reference_taken"),
        (("location", "add", "b", "--name", "X", "--zone", "Mars/Base"), 2, "time.unknown_zone"),
        (("station", "add", "CP-17", "--key", KEY), 3, "stations.identity_taken"),
        (("station", "add", "CP-9", "--key", "short"), 2, "stations.key_too_short"),
        (("station", "add", "CP-9", "--key", KEY, "--max-kw", "much"), 2, "stations.bad_power"),
        (("station", "add", "CP-9", "--key", KEY, "--location", "nowhere"), 3, "locations.not_found"),
        (("station", "adopt", "CP-404"), 3, "stations.not_found"),
        (("tariff", "put", "/no/such/file.json"), 2, "file.unreadable"),
        (("tariff", "assign", "nothing"), 3, "tariffs.not_found"),
        (("tariff", "assign", "flat", "--from", "yesterday"), 2, "time.unreadable"),
        (("token", "add", "04aa"), 3, "tokens.uid_taken"),
        (("token", "add", "04CC", "--customer", "C-404"), 3, "customers.not_found"),
        (("session", "show", "nothing-like-it"), 3, "sessions.not_found"),
        (("invoice", "show", "INV-1999-000001"), 3, "invoices.not_found"),
        (("api-key", "create", "x", "--scope", "everything"), 2, "access.unknown_scope"),
        (("job", "retry", "none"), 3, "not_found"),
        (("serve", "--only", "http"), 2, "serve.cannot_split"),
        (("simulate", "site", "--state", "x", "--operator", "o", "--fault", "flood"), 2, "simulator.unknown_fault"),
    ],
)
def test_what_goes_wrong_is_said_with_a_code_and_an_exit_code(
    shop: CommandLine, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """Scripts branch on the exit code, programs on the code in brackets, people read the sentence."""
    ran = shop(*arguments)

    assert ran.code == code, ran.err
    assert said in ran.err
    assert ran.out == ""
    assert ran.err.startswith("Error: ")
    assert "Traceback" not in ran.err


def test_an_unknown_option_is_a_usage_error(tallywatt: CommandLine) -> None:
    """Not a crash, and not silence."""
    ran = tallywatt("session", "list", "--everything")

    assert (ran.code, "--everything" in ran.err) == (2, True)


def test_a_setting_that_cannot_be_meant_is_named(tallywatt: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is named, not a field of a class."""
    monkeypatch.setenv("TALLYWATT_HTTP_PORT", "eighty")
    ran = tallywatt("operator", "list")

    assert (ran.code, "TALLYWATT_HTTP_PORT" in ran.err) == (2, True)


# --- what the commands do ---


def test_a_card_number_is_never_kept(shop: CommandLine) -> None:
    """Pasted by mistake, it must reach neither table nor log."""
    shop.good("provider-account", "add", "main", *ACCOUNT)
    for method in (("--token", "4242 4242 4242 4242"), ("--customer-ref", "c", "--method-ref", "4242424242424242")):
        ran = shop("payment-method", "add", "--customer", "C-1", *method)
        assert (ran.code, "[payment.card_number]" in ran.err) == (2, True)
        assert "4242" not in ran.err


def test_a_station_that_knocked_is_listed_and_adopted(shop: CommandLine) -> None:
    """It keeps the key that it showed first, unless it gets another one."""
    operator = shop.good("operator", "list", "--json").json[0]["id"]
    house = House(settings())
    house.store.start()
    house.write_now(operator, knock, Knocked("CP-99", "ab" * 32, Instant(0)), actor="test")
    house.store.close()

    [waiting] = shop.good("station", "list", "--state", "quarantined", "--json").json
    assert waiting["identity"] == "CP-99"
    told = shop.good("station", "adopt", "CP-99", "--max-kw", "150", "--current", "dc", "--json").json
    assert misfits(told, "station-adopt") == []
    assert (told["state"], told["has_key"]) == ("adopted", True)
    assert [(evse["current"], evse["max_watts"]) for evse in told["evses"]] == [("dc", 150_000)]


def test_a_session_is_found_by_its_id_the_end_of_it_and_its_invoice(shop: CommandLine) -> None:
    """People copy what they see: the list shows the end of an id, the driver has the invoice."""
    billed = next(one for one in shop.good("session", "list", "--json").json if one["invoice"])
    for name in (billed["id"], billed["id"][-12:], billed["invoice"]):
        assert shop.good("session", "show", name, "--json").json["id"] == billed["id"]


def test_people_see_kilowatt_hours_and_money_with_its_places(shop: CommandLine) -> None:
    """10.5 kWh at 0.45 are 4.73 GBP; the times are those of the place."""
    shown = shop.good("session", "list").out

    assert "10.50 kWh" in shown
    assert "4.73 GBP" in shown
    assert "2018-09-06 08:00" in shown


def test_tables_fit_eighty_columns(shop: CommandLine) -> None:
    """A terminal of the usual width shows them without broken lines."""
    shop.good("provider-account", "add", "main", *ACCOUNT)
    for group in (
        "session",
        "invoice",
        "station",
        "tariff",
        "customer",
        "token",
        "location",
        "operator",
        "provider-account",
    ):
        lines = shop.good(group, "list").out.splitlines()
        assert lines, group
        assert [line for line in lines if len(line) > 80] == [], group


def test_importing_the_same_file_again_brings_nothing_twice(shop: CommandLine, tmp_path: Path) -> None:
    """An import that broke off is simply run again."""
    before = shop.good("session", "list", "--json").json
    again = shop.good("import", "sessions", str(an_export(tmp_path)), "--json").json

    assert (again["accepted"], again["refused"]) == (3, 0)
    assert shop.good("session", "list", "--json").json == before


def test_a_dry_run_brings_nothing(shop: CommandLine, tmp_path: Path) -> None:
    """One looks before one leaps."""
    more = "1009,04AA,CP-17,1,07/09/2018,08:00,07/09/2018,09:30,10.5,0,Square,Group,APT 22kW"
    before = shop.good("session", "list", "--json").json
    told = shop.good("import", "sessions", str(an_export(tmp_path, more)), "--dry-run", "--json").json

    assert [row["state"] for row in told["report"]] == ["planned"] * 4
    assert shop.good("session", "list", "--json").json == before


def test_a_row_that_the_platform_refuses_is_refused_in_the_report(shop: CommandLine, tmp_path: Path) -> None:
    """A station that nobody has added: the row says so, the others are brought, and the exit code is 1."""
    elsewhere = "1005,04AA,CP-404,1,06/09/2018,14:00,06/09/2018,15:00,3,0,Square,Group,APT 22kW"
    ran = shop("import", "sessions", str(an_export(tmp_path, elsewhere)), "--json")

    [refused] = [row for row in ran.json["report"] if row["verdict"] == "refused"]
    assert (ran.code, refused["code"], refused["line"]) == (1, "evses.not_found", 5)


def test_other_rows_come_from_files_too_and_what_is_there_is_left_alone(shop: CommandLine, tmp_path: Path) -> None:
    """The same reader and the same steps as an upload through the API: taken once, there the second time."""
    file = tmp_path / "members.csv"
    file.write_text("reference,name\nM-1,Ada\nM-1,Somebody else\n")
    first = shop("import", "customers", str(file), "--json")
    again = shop("import", "customers", str(file), "--json")

    outcomes = [[row["outcome"] for row in ran.json["report"]] for ran in (first, again)]
    assert outcomes == [["taken", "refused"], ["already_there", "refused"]]
    assert first.json["report"][1]["code"] == "customers.reference_taken"
    assert (first.code, again.json["outcomes"]["already_there"]) == (1, 1)


def test_the_audit_of_a_sound_house_is_clean(shop: CommandLine) -> None:
    """Its exit code is what a nightly job looks at."""
    ran = shop.good("audit")

    assert "Everything adds up" in ran.out


def test_closing_a_day_says_what_is_open_and_its_exit_code_says_whether_it_can_be_closed(shop: CommandLine) -> None:
    """A session waits for a person: the nightly job must not call that day closed."""
    ran = shop("close-day", "--day", "2999-12-31", "--json")

    assert (ran.code, ran.json["clean"]) == (1, False)
    assert misfits(ran.json, "close-day") == []
    assert {one["code"]: one["count"] for one in ran.json["open"]}["held"] == 1
    assert "The day cannot be closed yet." in shop("close-day", "--day", ran.json["day"]).out
    assert shop("close-day", "--day", "yesterday").code == 2


def test_what_a_provider_lists_is_shown_and_decided_about(shop: CommandLine, data_dir: Path) -> None:
    """A line that nobody knows is booked as a difference, from the terminal, and the record says by whom."""
    shop.good("provider-account", "add", "main", *ACCOUNT)
    house = House(settings())
    house.open(following=False)
    try:
        [operator] = house.ask_now(house.views.operators)
        [account] = house.ask_now(house.views.provider_accounts, operator["id"])
        line = ToldLine("txn_1", LineKind.OTHER, 700, 30, "GBP", Instant(1_795_248_000_000), 700, "GBP")
        house.write_now(operator["id"], take_settlement, TakeSettlement(account["id"], (line,)), actor="worker")
    finally:
        house.close()
    assert misfits(shop.good("settlement", "list", "--json").json, "settlement-list") == []
    [found] = shop.good("settlement", "differences", "--json").json
    assert misfits([found], "settlement-differences") == []

    told = shop.good("settlement", "resolve", found["id"], "--action", "book", "--note", "by hand", "--json").json

    assert (told["state"], told["resolution"]) == ("resolved", "book: by hand")
    assert misfits(told, "settlement-resolve") == []
    assert "Everything agrees." in shop.good("settlement", "differences").out
    assert "txn" not in shop.good("settlement", "list").out


def test_the_audit_names_a_reading_that_somebody_changed(shop: CommandLine, data_dir: Path) -> None:
    """Sabotage: a kilowatt-hour less on one bill. It is found, named, and the exit code is 1."""
    with sqlite3.connect(data_dir / "tallywatt.db") as database:
        database.execute(
            "UPDATE rated_results SET milliwatt_hours = milliwatt_hours + 1000000 WHERE milliwatt_hours > 9000000"
        )
    ran = shop("audit", "--json")

    assert (ran.code, ran.json["clean"]) == (1, False)
    assert ran.json["findings"][0]["code"]
    assert "findings" in shop("audit").out


def test_a_tariff_says_what_it_did_not_understand(shop: CommandLine, tmp_path: Path) -> None:
    """A key that is not carried must not look as if it had an effect."""
    assert shop.good("tariff", "put", str(a_tariff(tmp_path)), "--json").json["unread"] == ["odd"]


def test_a_tariff_is_linted_as_a_file_or_by_its_name(shop: CommandLine, tmp_path: Path) -> None:
    """The exit code is for pipelines: 1 for a finding as bad as was asked for."""
    path = a_tariff(tmp_path)
    found = shop("tariff", "lint", str(path), "--json")
    assert (found.code, [one["code"] for one in found.json]) == (0, ["lint.unknown_key"])
    assert shop("tariff", "lint", str(path), "--fail-on", "warning").code == 1
    assert shop("tariff", "lint", str(path), "--fail-on", "never").code == 0
    assert "gb.pcpr.11" in shop.good("tariff", "lint", "flat").out
    assert shop("tariff", "lint", "nothing").code == 3


def test_a_file_is_linted_and_simulated_where_nothing_is_installed(
    tallywatt: CommandLine, data_dir: Path, tmp_path: Path
) -> None:
    """On a build machine, before a tariff is merged: no server, no database, and none is made."""
    path = str(a_tariff(tmp_path))

    [finding] = tallywatt.good("tariff", "lint", path, "--json").json
    assert finding["code"] == "lint.unknown_key"
    assert "de.pangv.14" in tallywatt.good("tariff", "lint", path, "--at", "DE:150").out
    assert "Overnight" in tallywatt.good("tariff", "simulate", path).out
    assert tallywatt("tariff", "lint", "flat").code == 1
    assert tallywatt("tariff", "lint", path, "--operator", "dundee").code == 1
    assert not data_dir.exists()


def test_a_tariff_is_simulated_as_a_table_as_json_and_as_a_chart(shop: CommandLine, tmp_path: Path) -> None:
    """45p a kWh: what a session costs can be told in one's head."""
    chart = tmp_path / "costs.svg"
    assert "Overnight" in shop.good("tariff", "simulate", "flat", "--chart", str(chart)).out
    assert chart.read_text(encoding="utf-8").startswith("<svg")
    own = ("tariff", "simulate", str(a_tariff(tmp_path)), "--day", "2026-11-24", "--zone", "Europe/London", "--json")
    [row] = shop.good(*own, "--session", "22.5:90:45@07:15").json
    assert (row["session"], row["begins"], row["gross_minor"]) == ("own", "07:15", 1013)
    assert shop(*own, "--session", "much").code == 2
    assert shop("tariff", "simulate", "flat", "--chart", str(tmp_path / "no" / "where.svg")).code == 2
    assert shop("tariff", "simulate", "flat", "--zone", "Nowhere/At_All").code == 2


def test_a_file_is_linted_without_a_database(tallywatt: CommandLine, tmp_path: Path) -> None:
    """A pipeline has no house: it names the charging points and the day."""
    path = a_tariff(tmp_path)
    path.write_text(path.read_text().replace('"ENERGY"', '"TIME"'), encoding="utf-8")
    ran = tallywatt("tariff", "lint", str(path), "--at", "US:150", "--on", "2027-01-01", "--json")
    assert ran.code == 1
    assert {"law.energy_priced", "law.currency"} <= {one["code"] for one in ran.json}
    assert tallywatt("tariff", "lint", str(path), "--at", "Narnia", "--on", "2027-01-01").code == 2
    assert tallywatt("tariff", "lint", str(path), "--at", "US", "--on", "tomorrow").code == 2
    silent = tallywatt.good("tariff", "lint", str(path), "--at", "CH", "--on", "2027-01-01", "--fail-on", "never")
    assert "No rule on prices is known" in silent.out


def test_an_api_key_is_shown_once(shop: CommandLine) -> None:
    """The list has its prefix, never the key."""
    made = shop.good("api-key", "create", "till", "--scope", "read", "--scope", "sessions", "--json").json
    listed = shop.good("api-key", "list", "--json").out

    assert made["prefix"] in listed
    assert made["key"] not in listed


def test_an_invoice_that_is_not_printed_yet_says_who_prints_it(shop: CommandLine, tmp_path: Path) -> None:
    """No empty file that looks like an invoice."""
    [first, *_] = shop.good("invoice", "list", "--json").json
    paper = tmp_path / "paper.pdf"
    ran = shop("invoice", "show", first["number"], "--pdf", str(paper))

    assert (ran.code, paper.exists()) == (3, False)
    assert "tallywatt serve" in ran.err


# --- beside a running server ---


@pytest.fixture
def server(shop: CommandLine) -> Iterator[House]:
    """A house that owns writing and listens on its control socket, as `tallywatt serve` does."""
    house = House(settings())
    house.open()
    house.open_control()
    yield house
    house.close()


def test_beside_a_running_server_the_command_line_reads_and_writes(shop: CommandLine, server: House) -> None:
    """SQLite has one writer: the server writes for the command line, and its answer is the same as without it."""
    commands = server.store.writer.commands
    told = shop.good("customer", "add", "C-7", "--json").json
    assert misfits(told, "customer-add") == []

    assert server.store.writer.commands > commands
    assert "C-7" in shop.good("customer", "list").out
    assert shop("customer", "add", "C-7").code == 3
    assert misfits(shop.good("api-key", "create", "till", "--json").json, "api-key-create") == []
    assert shop.good("audit").code == 0


def test_a_second_operator_moves_in_beside_a_running_server(shop: CommandLine, server: House) -> None:
    """The id is drawn here, the rows are written there."""
    shop.good("operator", "add", "second", "--name", "Second")

    assert [row["slug"] for row in shop.good("operator", "list", "--json").json] == ["dundee", "second"]


def test_actions_say_who_sat_at_the_command_line(shop: CommandLine, server: House) -> None:
    """What a person does is recorded with who it was, also over the socket."""
    shop.good("customer", "add", "C-8")
    [operator] = server.ask_now(server.views.operators)
    actions = server.ask_now(server.views.actions, operator["id"])

    assert {one["caller_kind"] for one in actions if one["action"] == "customer.add"} == {"cli"}


# --- on PostgreSQL ---


def test_on_postgresql_the_command_line_writes_by_itself(
    tallywatt: CommandLine, postgresql_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """There any process may write: a running server is not asked, and not in the way."""
    monkeypatch.setenv("TALLYWATT_DATABASE_URL", postgresql_url)
    assert tallywatt.good("database", "upgrade", "--json").json["engine"] == "postgresql"
    tallywatt.good("operator", "add", "dundee", "--name", "Dundee", "--clock-floor", "2010-01-01T00:00:00Z")
    house = House(settings())
    house.open()
    try:
        added = tallywatt.good("station", "add", "CP-17", "--key", KEY, "--evses", "2", "--json").json
        assert misfits(added, "station-add") == []
        tallywatt.good("tariff", "put", str(a_tariff(tmp_path)))
        tallywatt.good("tariff", "assign", "flat", "--from", "2010-01-01T00:00:00Z")
        tallywatt.good("customer", "add", "C-1")
        tallywatt.good("token", "add", "04AA", "--customer", "C-1")
        tallywatt.good("import", "sessions", str(an_export(tmp_path)))
        assert misfits(tallywatt.good("session", "list", "--json").json, "session-list") == []
        assert tallywatt.good("audit", "--json").json["clean"]
        assert tallywatt.good("rerate", "--json").json["sums"][0]["same"] == 2
    finally:
        house.close()


# --- help ---


def commands(group: typer.Typer, *path: str) -> Iterator[tuple[str, ...]]:
    for one in group.registered_commands:
        yield (*path, str(one.name))
    for below in group.registered_groups:
        assert below.typer_instance is not None, "a group has commands"
        yield from commands(below.typer_instance, *path, str(below.name or below.typer_instance.info.name))


EVERY = sorted(commands(app))


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_every_command_explains_itself_with_examples(tallywatt: CommandLine, command: tuple[str, ...]) -> None:
    """Within 80 columns, and the examples are of this very command."""
    shown = tallywatt.good(*command, "--help").out

    assert "Examples:" in shown
    assert f"tallywatt {' '.join(command)}" in shown.split("Examples:")[1]
    assert [line for line in shown.splitlines() if len(line) > 80] == []


GROUPS = sorted({command[:-1] for command in EVERY})


@pytest.mark.parametrize("path", GROUPS, ids=lambda path: " ".join(path) or "tallywatt")
def test_lists_of_commands_are_whole_sentences(tallywatt: CommandLine, path: tuple[str, ...]) -> None:
    """The first page that a newcomer reads must not break off."""
    shown = tallywatt.good(*path, "--help").out

    assert [line for line in shown.splitlines() if line.startswith("  ") and line.endswith("...")] == []


def test_help_and_version_load_nothing_heavy() -> None:
    """The first `tallywatt --help` of a newcomer must answer at once: no database, no web framework, no SDK."""
    script = (
        "import sys; sys.argv = ['tallywatt', '--help']\n"
        "from tallywatt.entrypoints.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'fastapi', 'pydantic', 'stripe', 'rich', 'psycopg', 'structlog', 'typst', 'ocpp', 'numpy',\n"
        "'pyarrow'}\n"
        "print(sorted(heavy & sys.modules.keys()), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=dict(os.environ)
    )

    assert done.stderr.strip() == "[]"
    assert "Commands:" in done.stdout


def test_the_version_is_the_package_s(tallywatt: CommandLine) -> None:
    """What a bug report begins with."""
    assert tallywatt.good("--version").out.startswith("tallywatt 0.")


def test_output_into_a_closed_pipe_is_no_error(shop: CommandLine, data_dir: Path) -> None:
    """`tallywatt session list | head -1` has seen enough."""
    command = f"{sys.executable} -m tallywatt session list --json | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, env=dict(os.environ))

    assert (done.stdout, done.stderr) == ("[", "")
