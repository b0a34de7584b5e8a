"""Rules that decide about what is held, and profiles of how models of stations write their registers: put, changed, ended."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.metering.habits import read_habits
from tallywatt.metering.session import MeterProfile, ResolutionRule
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.resolve_inbox import Decision
from tallywatt.workflows.work_off import WorkOffAll, check_decision, work_off_all

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork

LONGEST_NAME: Final = 64
LONGEST_PATTERN: Final = 128
MOST: Final = 200
"""Of rules, and of profiles: each of them is looked at when a session ends."""


@dataclass(frozen=True, slots=True)
class PutRule:
    """A rule by its name: a new one, or another text of it."""

    name: str
    kind: str
    decision: Decision
    most_minor: int
    is_on: bool = True


def put_rule(work: UnitOfWork, command: PutRule) -> ResolutionRule:
    """Write down a rule, and let it look at what waits already."""
    _check_name(command.name)
    check_decision(command.kind, command.decision, command.most_minor)
    known = work.resolution_rules.one_by(name=command.name)
    _check_room(len(work.resolution_rules.by()), known is None)
    row = ResolutionRule(
        known.rule_id if known else work.draw.id(f"rule/{command.name}"),
        command.name,
        command.kind,
        command.decision.value,
        command.most_minor,
        command.is_on,
        known.created_at if known else work.machine_now,
        known.version if known else 1,
    )
    if known is None:
        if not work.resolution_rules.add(row):
            msg = f"there is a rule {command.name!r} already"
            raise Conflict(msg, code="rules.name_taken", remedy="send it again to change it")
    elif known != row:
        row = work.resolution_rules.put(row)
    before = None if known is None else _told(known)
    record_action(work, "rule.put", "rule", row.rule_id, before=before, after=_told(row))
    if row.is_on:
        work_off_all(work, WorkOffAll(row.kind))
    return row


def _told(row: ResolutionRule) -> dict[str, Any]:
    return {"kind": row.kind, "decision": row.decision, "most_minor": row.most_minor, "is_on": row.is_on}


@dataclass(frozen=True, slots=True)
class PutProfile:
    """A profile by its name: a new one, or another text of it. Patterns know `*` and `?`, and no case."""

    name: str
    vendor: str = "*"
    model: str = "*"
    firmware: str = "*"
    habits: dict[str, Any] = field(default_factory=dict)


def put_profile(work: UnitOfWork, command: PutProfile) -> MeterProfile:
    """Write down how a model writes its registers: sessions that end from now on are read by it."""
    _check_name(command.name)
    read_habits(command.habits)
    patterns = (command.vendor, command.model, command.firmware)
    if not all(0 < len(one) <= LONGEST_PATTERN for one in patterns) or set(patterns) == {"*"}:
        msg = f"a profile says for which stations it is: vendor, model or firmware, each of 1 to {LONGEST_PATTERN} characters"
        raise BadInput(msg, code="profiles.bad_pattern", remedy="name the vendor as the station says it at boot")
    known = work.meter_profiles.one_by(name=command.name)
    _check_room(len(work.meter_profiles.by()), known is None)
    row = MeterProfile(
        known.profile_id if known else work.draw.id(f"profile/{command.name}"),
        command.name,
        *patterns,
        dict(command.habits),
        known.created_at if known else work.machine_now,
        known.version if known else 1,
    )
    if known is None:
        if not work.meter_profiles.add(row):
            msg = f"there is a profile {command.name!r} already"
            raise Conflict(msg, code="profiles.name_taken", remedy="send it again to change it")
    elif known != row:
        row = work.meter_profiles.put(row)
    before = None if known is None else {"habits": known.habits}
    record_action(work, "profile.put", "profile", row.profile_id, before=before, after={"habits": row.habits})
    return row


@dataclass(frozen=True, slots=True)
class EndRule:
    """A rule that decides no more."""

    name: str


def end_rule(work: UnitOfWork, command: EndRule) -> ResolutionRule:
    """Switch a rule off. It stays, because decisions name it."""
    known = work.resolution_rules.one_by(name=command.name)
    if known is None:
        msg = f"there is no rule {command.name!r}"
        raise NotFound(msg, code="rules.not_found", remedy="list them: tallywatt rule list")
    if not known.is_on:
        return known
    record_action(work, "rule.end", "rule", known.rule_id, before=_told(known))
    return work.resolution_rules.put(replace(known, is_on=False))


def _check_name(name: str) -> None:
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        msg = f"a name has 1 to {LONGEST_NAME} characters"
        raise BadInput(msg, code="rules.bad_name")


def _check_room(count: int, is_new: bool) -> None:  # said once, here below
    if is_new and count >= MOST:
        msg = f"there are {MOST} already"
        raise Conflict(msg, code="rules.too_many")
