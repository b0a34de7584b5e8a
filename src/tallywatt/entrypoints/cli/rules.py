"""`tallywatt rule` and `tallywatt profile`: what is decided without a person, and how models write their registers."""

from __future__ import annotations

from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.inbox import DecisionName
from tallywatt.entrypoints.cli.show import Column, say_fields, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples, group, minor_units
from tallywatt.kernel.errors import BadInput

rule = group("rule", "What is decided without a person, up to a sum.")
profile = group("profile", "How models of stations write their registers.")
TRUTHS = {"true": True, "false": False}

RULE_COLUMNS = (
    Column("rule", "name"),
    Column("kind", "kind"),
    Column("decision", "decision"),
    Column("up to", "most_minor", right=True),
    Column("on", "is_on"),
)
PROFILE_COLUMNS = (
    Column("profile", "name"),
    Column("vendor", "vendor"),
    Column("model", "model"),
    Column("firmware", "firmware"),
    Column("habits", "habits", folds=True),
)


@rule.command("list", **examples("tallywatt rule list", "tallywatt rule list --json"))
def list_rules(operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """List the rules, those that are switched off too."""
    with at_desk(operator) as desk:
        found = desk.ask(desk.views.rules)
    if as_json:
        say_json(found)
    else:
        empty = "No rule yet. Make one: tallywatt rule put NAME --kind missing_energy --decision accept --up-to 500"
        say_table(RULE_COLUMNS, found, empty=empty)


@rule.command(
    "put",
    **examples(
        "tallywatt rule put short-silence --kind missing_energy \\",
        "    --decision accept --up-to 500",
        "tallywatt rule put stops --kind unknown_transaction \\",
        "    --decision match --up-to 3000",
    ),
)
def put(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name; the same name again changes it.")],
    kind: Annotated[str, typer.Option("--kind", help="Of which kind of items it decides.")],
    decision: Annotated[DecisionName, typer.Option("--decision", help="accept, release, write_off or match.")],
    most_minor: Annotated[
        int,
        typer.Option(
            "--up-to", metavar="MINOR", parser=minor_units, help="The most money to decide on, in the smallest unit."
        ),
    ],
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a rule, or change it.

    It looks at what waits already, and at all that comes.
    """
    from tallywatt.workflows.put_rule import PutRule, put_rule
    from tallywatt.workflows.resolve_inbox import Decision

    with at_desk(operator) as desk:
        desk.do(put_rule, PutRule(name, kind, Decision(decision.value), most_minor))
        told = next(one for one in desk.ask(desk.views.rules) if one["name"] == name)
    _say_rule(told, as_json=as_json)


@rule.command("end", **examples("tallywatt rule end short-silence"))
def end(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.")],
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Switch a rule off.

    It stays in the list, because decisions name it.
    """
    from tallywatt.workflows.put_rule import EndRule, end_rule

    with at_desk(operator) as desk:
        desk.do(end_rule, EndRule(name))
        told = next(one for one in desk.ask(desk.views.rules) if one["name"] == name)
    _say_rule(told, as_json=as_json)


def _say_rule(told: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        say_json(told)
    else:
        say_fields([(name, told[name]) for name in ("name", "kind", "decision", "most_minor", "is_on")])


@profile.command("list", **examples("tallywatt profile list", "tallywatt profile list --json"))
def list_profiles(operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """List how models of stations are known to write their registers."""
    with at_desk(operator) as desk:
        found = desk.ask(desk.views.profiles)
    if as_json:
        say_json(found)
    else:
        empty = "No profile yet. Make one: tallywatt profile put NAME --vendor MAKER values_over=1000"
        say_table(PROFILE_COLUMNS, found, empty=empty)


@profile.command(
    "put",
    **examples(
        "tallywatt profile put units --vendor Maker --model 'Model*' values_over=1000",
        "tallywatt profile put per-session --vendor Maker counts=session",
    ),
)
def put_habits(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name; the same name again changes it.")],
    habits: Annotated[
        list[str],
        typer.Argument(
            metavar="HABIT=VALUE...",
            help="counts=lifetime, boot or session; values_since_start, zero_is_nothing=true; values_times, values_over, "
            "ends_times, ends_over=1000.",
        ),
    ],
    vendor: Annotated[str, typer.Option("--vendor", help="As stations say it at boot; * and ? are known.")] = "*",
    model: Annotated[str, typer.Option("--model", help="As above.")] = "*",
    firmware: Annotated[str, typer.Option("--firmware", help="As above.")] = "*",
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Say how a model writes its registers.

    Sessions that end from now on are read by it.
    """
    from tallywatt.workflows.put_rule import PutProfile, put_profile

    told = dict(_habit(one) for one in habits)
    with at_desk(operator) as desk:
        desk.do(put_profile, PutProfile(name, vendor, model, firmware, told))
        row = next(one for one in desk.ask(desk.views.profiles) if one["name"] == name)
    if as_json:
        say_json(row)
    else:
        say_fields([(key, row[key]) for key in ("name", "vendor", "model", "firmware", "habits")])


def _habit(text: str) -> tuple[str, str | int | bool]:
    name, sign, value = text.partition("=")
    if not sign:
        msg = f"{text!r} is not a habit with its value"
        raise BadInput(msg, code="profiles.bad_habit", remedy="write it as values_over=1000")
    return name, int(value) if value.isdecimal() else TRUTHS.get(value.lower(), value)
