"""What a command says with --json has exactly the keys that its schema documents: programs are built on them."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest

from tests.entrypoints.cli.conftest import KEY, CommandLine, a_tariff, an_export

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCHEMAS = files("tallywatt.entrypoints.cli").joinpath("schemas")
DEMO_LINE = (
    '{"sessions":262,"delivered_wh":"2681004","billed_wh":"2648173","explained_wh":{"lost_stop":"8130"},'
    '"unexplained_wh":0,"billed_minor":147227,"captured_minor":147071,"owed_minor":156,"invoices":260,"voided":1,'
    '"held":2,"kills":3,"ledger_balanced":true}'
)


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SCHEMAS.joinpath(f"{name}.json").read_text("utf-8"))
    return found


def misfits(value: Any, name: str) -> list[str]:
    """What of the value the schema does not allow."""
    return [
        f"{error.instance_path}: {error.message}"
        for error in jsonschema_rs.validator_for(schema(name)).iter_errors(value)
    ]


NAMES = sorted(path.name.removesuffix(".json") for path in SCHEMAS.iterdir() if path.name.endswith(".json"))


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_one_and_says_what_each_key_means(name: str) -> None:
    """The manual is made from these words."""
    found = schema(name)
    jsonschema_rs.meta.validate(found)
    keys = found.get("items", found)["properties"]
    assert [key for key, one in keys.items() if not one.get("description")] == []


LISTS = {
    "operator-list": ("operator", "list"),
    "location-list": ("location", "list"),
    "station-list": ("station", "list"),
    "tariff-list": ("tariff", "list"),
    "customer-list": ("customer", "list"),
    "token-list": ("token", "list"),
    "session-list": ("session", "list"),
    "invoice-list": ("invoice", "list"),
    "inbox-list": ("inbox", "list"),
    "job-list": ("job", "list", "--state", "ready"),
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_arrays_of_documented_objects(shop: CommandLine, name: str) -> None:
    """An empty list would prove nothing, so there is something of each kind."""
    rows = shop.good(*LISTS[name], "--json").json

    assert rows, name
    assert misfits(rows, name) == []


@pytest.mark.parametrize("name", ["payment-list", "provider-account-list", "api-key-list", "settlement-list"])
def test_lists_may_be_empty(shop: CommandLine, name: str) -> None:
    """Nothing is an answer too: an empty array, not a sentence."""
    group = name.removesuffix("-list")

    assert shop.good(group, "list", "--json").json == []


def test_what_was_added_is_told_as_the_lists_tell_it(shop: CommandLine, tmp_path: Path) -> None:
    """A program that has read the answer to `add` need not read the list as well."""
    said: dict[str, Callable[[], Any]] = {
        "operator-add": lambda: shop.good("operator", "add", "second", "--name", "Second", "--json").json,
        "location-add": lambda: shop.good("location", "add", "depot", "--name", "Depot", *OF, "--json").json,
        "station-add": lambda: shop.good("station", "add", "CP-18", "--key", KEY, *OF, "--json").json,
        "tariff-put": lambda: shop.good("tariff", "put", str(a_tariff(tmp_path)), *OF, "--json").json,
        "tariff-lint": lambda: shop.good("tariff", "lint", str(a_tariff(tmp_path)), *OF, "--json").json,
        "tariff-simulate": lambda: shop.good("tariff", "simulate", "flat", *OF, "--json").json,
        "tariff-assign": lambda: shop.good("tariff", "assign", "flat", *AT_SQUARE, *OF, "--json").json,
        "customer-add": lambda: shop.good("customer", "add", "C-2", *OF, "--json").json,
        "token-add": lambda: shop.good("token", "add", "04BB", "--customer", "C-2", *OF, "--json").json,
        "provider-account-add": lambda: shop.good("provider-account", "add", "main", *ACCOUNT, *OF, "--json").json,
        "payment-method-add": lambda: shop.good("payment-method", "add", *METHOD, *OF, "--json").json,
        "person-invite": lambda: shop.good("person", "invite", "ann@dundee.example", *OF, "--json").json,
        "station-billable": lambda: shop.good("station", "billable", "CP-18", *OF, "--json").json,
        "station-local-list": lambda: shop.good("station", "local-list", "CP-18", "--on", *OF, "--json").json,
        "station-tariffs": lambda: shop.good("station", "tariffs", *OF, "--json").json,
        "station-counted": lambda: shop.good("station", "counted", *OF, "--json").json,
        "station-power": lambda: shop.good("station", "power", "CP-18", *OF, "--json").json,
        "station-texts": lambda: shop.good("station", "texts", "CP-18", *OF, "--json").json,
        "station-offline": lambda: shop.good("station", "offline", "CP-18", *OF, "--json").json,
        "station-display": lambda: shop.good("station", "display", "CP-18", "--shows", "always", *OF, "--json").json,
        "station-set-right": lambda: shop.good("station", "set-right", "CP-18", *OF, "--json").json,
        "rule-put": lambda: (
            shop.good(*"rule put r --kind missing_energy --decision accept --up-to 5".split(), *OF, "--json").json
        ),
        "rule-list": lambda: shop.good("rule", "list", *OF, "--json").json,
        "rule-end": lambda: shop.good("rule", "end", "r", *OF, "--json").json,
        "profile-put": lambda: shop.good(*"profile put p --vendor M values_over=1000".split(), *OF, "--json").json,
        "profile-list": lambda: shop.good("profile", "list", *OF, "--json").json,
        "inbox-work-off": lambda: shop.good("inbox", "work-off", "missing_energy", *OF, "--json").json,
        "api-key-create": lambda: shop.good("api-key", "create", "till", *OF, "--json").json,
        "api-key-rotate": lambda: shop.good("api-key", "rotate", "till", *OF, "--json").json,
        "api-key-revoke": lambda: shop.good("api-key", "revoke", "till", *OF, "--json").json,
        "console-link": lambda: shop.good("console-link", *OF, "--json").json,
        "database-upgrade": lambda: shop.good("database", "upgrade", "--json").json,
        "audit": lambda: shop.good("audit", *OF, "--json").json,
    }
    for name, say in said.items():
        assert misfits(say(), name) == []
    assert misfits(shop.good("provider-account", "list", *OF, "--json").json, "provider-account-list") == []
    assert misfits(shop.good("api-key", "list", *OF, "--json").json, "api-key-list") == []
    assert misfits(shop.good("payment", "list", *OF, "--json").json, "payment-list") == []
    assert misfits(shop.good("settlement", "read", *OF, "--json").json, "settlement-read") == []


OF = ("--operator", "dundee")
AT_SQUARE = ("--scope", "location", "--target", "square")
ACCOUNT = ("--currency", "GBP", "--secret", "env:NO_SECRET", "--webhook-secret", "env:NO_HOOK")
METHOD = ("--customer", "C-2", "--customer-ref", "cus_1", "--method-ref", "pm_1", "--brand", "visa", "--last4", "4242")


def test_one_session_is_told_with_everything_that_it_was_made_of(shop: CommandLine) -> None:
    """Every figure leads down to where it came from."""
    listed = shop.good("session", "list", "--json").json
    assert listed, "the shop has sessions"
    for one in listed:
        assert misfits(shop.good("session", "show", one["id"], "--json").json, "session-show") == []


def test_one_invoice_is_told_with_what_was_printed(shop: CommandLine) -> None:
    """By its number, as it stands on the paper."""
    [first, *_] = shop.good("invoice", "list", "--json").json

    assert misfits(shop.good("invoice", "show", first["number"], "--json").json, "invoice-show") == []


def test_a_decision_is_told_as_the_item_that_it_closed(shop: CommandLine) -> None:
    """What was decided and by whom is in the answer."""
    [item] = shop.good("inbox", "list", "--json").json
    told = shop.good("inbox", "resolve", item["id"], "--decision", "write_off", "--note", "seen", "--json").json

    assert misfits(told, "inbox-resolve") == []
    assert told["state"] == "resolved"


def test_an_import_reports_every_row(shop: CommandLine, tmp_path: Path) -> None:
    """A row that is not in the report is a session that is lost."""
    bad = "1004,04AA,CP-17,1,06/09/2018,14:00,06/09/2018,15:00,0,0,Square,Group,APT 22kW"
    ran = shop("import", "sessions", str(an_export(tmp_path, bad)), "--json")

    assert misfits(ran.json, "import-sessions") == []


def test_the_demonstration_ends_with_the_promised_keys() -> None:
    """The line is what `make demo EXIT=1` is judged by."""
    assert misfits(json.loads(DEMO_LINE), "demo") == []
    assert list(schema("demo")["properties"]) == list(json.loads(DEMO_LINE))
