"""A plan: what is going to happen to a house within an hour, drawn from a seed, step by step, so that steps can be left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.simulation import disputes, lost_captures
from tests.simulation.debits import ANSWERS, FEE, RETURNS
from tests.simulation.holds import SMALL
from tests.simulation.keeping import ANSWERS as RESERVE_ANSWERS
from tests.simulation.keeping import CANCEL_ANSWERS, LATE
from tests.simulation.provider import READERS
from tests.simulation.readers import COMES, TAPS_AFTER, THEN
from tests.simulation.reservations import DRIVERS
from tests.simulation.station import QUIRKS
from tests.simulation.world import MINUTE, SECOND

HORIZON = 60 * MINUTE
ADYENS_SHARE = 1 / 3
DISPUTED_SHARE = 0.4
LOST_SHARE = 0.5
GROWING_SHARE = 0.25

FAULTS = (
    "lost_answer",
    "hang_up",
    "rate_limit",
    "error_500",
    "error_500_after_work",
    "duplicate_webhook",
    "reordered_webhook",
    "lost_webhook",
)
ON = (
    "StartTransaction",
    "StopTransaction",
    "MeterValues",
    "TransactionEvent",
    "charge",
    "capture",
    "hosted_page",
    "void",
    "enquiry",
    "webhook",
)
"""What a crash may wait for."""
CARDS = ("CARD1", "CARD1", "CARD1", "DECLINED", "NOCARD", "NOBODY", "ASKS")
"""Tokens: of a customer whose card is good, is declined, is missing, asks its holder each time; and of nobody."""
ON_ACCOUNT = ("BALANCE", "TERMS")
"""Tokens of customers whose accounts are in the house's own books."""
BY_DEBIT = ("TERMS", "FLEET")
"""Tokens of customers who have signed a mandate."""
KEEPERS = ("CARD1", "CARD1", "ASKS", "DECLINED", "BALANCE", "TERMS", "FLEET")
"""Tokens of customers who reserve."""
AD_HOC = ("pays", "pays", "pays", "pays_late", "is_declined_first", "abandons", "never_plugs_in", "moves", "cancels")


@dataclass(frozen=True)
class Step:
    """One thing that happens at a time after the beginning, or begins to."""

    at: int
    kind: str
    told: dict[str, Any] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        told = " ".join(f"{name}={value}" for name, value in self.told.items())
        return f"{self.at / SECOND:>9.3f} s  {self.kind} {told}".rstrip()


@dataclass(frozen=True)
class Plan:
    """What a run is made of."""

    seed: int
    quirks: tuple[frozenset[str], ...]
    """Of the four stations: two that speak 1.6, one that speaks 2.0.1, and one that speaks 2.1."""
    steps: tuple[Step, ...]
    provider: str = "stripe"
    """Who takes the cards of this house."""

    def __str__(self) -> str:
        quirks = [
            f"  station {place}: {', '.join(sorted(one)) or 'well behaved'}" for place, one in enumerate(self.quirks)
        ]
        return "\n".join(
            [f"seed {self.seed}, cards by {self.provider}", *quirks, *(f"  {step}" for step in self.steps)]
        )


def plan_of(seed: int) -> Plan:
    """The plan of a seed."""
    luck = Random(f"plan/{seed}")  # a text is hashed the same in every process
    quirks = tuple(frozenset(one for one in QUIRKS if luck.random() < 0.12) for _ in range(3))
    visits = [_visit(luck) for _ in range(luck.randint(5, 14))]
    steps = list(visits)
    for kind, most, make in (
        ("cut", 5, _cut),
        ("reboot", 2, _reboot),
        ("crash", 6, _crash),
        ("provider", 5, _provider),
        ("refuses", 1, _refuses),
        ("reset_meter", 1, _place),
        ("refund", 2, _refund),
        ("price", 1, _price),
        ("stop", 2, _place),
        ("inbox", 2, _nothing),
        ("weather", 2, _weather),
        ("disk_fails", 1, _bad_disk),
        ("disk_full", 1, _full_disk),
    ):
        steps += [Step(_near(luck, visits), kind, make(luck)) for _ in range(luck.randint(0, most))]
    # Drawn last: the plans of older seeds stay what they were, and have this besides.
    steps += [_visit_of(luck, ON_ACCOUNT) for _ in range(luck.randint(0, 4))]
    for kind, make in (("bank_line", _bank_line), ("top_up", _top_up)):
        steps += [Step(luck.randrange(HORIZON), kind, make(luck)) for _ in range(luck.randint(0, 3))]
    # Later still, for the same reason.
    steps += [_visit_of(luck, BY_DEBIT) for _ in range(luck.randint(0, 3))]
    steps += [Step(luck.randrange(HORIZON), "debit", _debit(luck)) for _ in range(luck.randint(0, 3))]
    quirks = (*quirks, frozenset(one for one in QUIRKS if luck.random() < 0.12))
    steps += [_anywhere(luck, _visit_of(luck, CARDS)) for _ in range(luck.randint(0, 2))]
    steps += [Step(luck.randrange(int(HORIZON * 0.6)), "reserve", _reserve(luck)) for _ in range(luck.randint(0, 5))]
    taps = [_tap(luck) for _ in range(luck.randint(0, 6))]
    # Two people want the same reader now and then.
    taps += [Step(tap.at + luck.randrange(3 * MINUTE), "tap", _tap(luck).told) for tap in taps if luck.random() < 0.3]
    steps += taps
    for kind, most, make in (
        ("reader_lost", 2, _reader_lost),
        ("provider", 2, _reader_fault),
        ("crash", 2, _reader_crash),
    ):
        steps += [Step(_at_the_reader(luck, taps), kind, make(luck)) for _ in range(luck.randint(0, most)) if taps]
    for _ in range(luck.randint(0, 2)):
        steps += _doubtful(luck)
    steps += [Step(luck.randrange(HORIZON), "undo_line", _undo_line(luck)) for _ in range(luck.randint(0, 3))]
    provider, with_provider = _with_provider(luck)
    return Plan(seed, quirks, tuple(sorted(steps + with_provider, key=lambda step: step.at)), provider)


def _with_provider(luck: Random) -> tuple[str, list[Step]]:
    """Who takes the cards, and what comes of that."""
    provider = "adyen" if luck.random() < ADYENS_SHARE else "stripe"
    steps = [Step(0, "several_captures", {})] if luck.random() < 0.5 else []
    steps += [Step(luck.randrange(HORIZON), "pay_out", {}) for _ in range(luck.randint(0, 2))]
    for kind, make in (("read_settlements", _nothing), ("crash", _crash_of_reading), ("provider", _fault_of_reading)):
        if luck.random() < 0.3:
            steps.append(Step(luck.randrange(HORIZON), kind, make(luck)))
    if luck.random() < DISPUTED_SHARE:
        steps += _disputes(luck)
    if provider == "adyen" and luck.random() < LOST_SHARE:
        steps += _lost(luck)
    if luck.random() < GROWING_SHARE:
        steps += _growing(luck)
    return provider, steps


def _near(luck: Random, visits: list[Step]) -> int:
    """A moment at which something is going on: about the beginning or the end of a visit."""
    visit = luck.choice(visits)
    ends = luck.choice((0, 0, visit.told["minutes"], visit.told["minutes"] + visit.told["idle"]))
    return min(HORIZON - 1, visit.at + ends * MINUTE + luck.randrange(luck.choice((5, 90, 300)) * SECOND))


def _nothing(_: Random) -> dict[str, Any]:
    return {}


def _place(luck: Random) -> dict[str, Any]:
    return {"station": luck.randrange(3), "plug": luck.randrange(2)}


def _visit(luck: Random) -> Step:
    ad_hoc = luck.random() < 0.45
    told = {
        **_place(luck),
        "payer": luck.choice(AD_HOC if ad_hoc else CARDS),
        "watts": luck.choice((3_700, 7_400, 11_000, 22_000)),
        "minutes": luck.randint(1, 25),
        "idle": luck.choice((0, 0, 0, 3, 12)),
        "leaves": luck.choice((5, 20, 240)),
        "haste": luck.randrange(60),
    }
    return Step(luck.randrange(int(HORIZON * 0.8)), "visit_ad_hoc" if ad_hoc else "visit", told)


def _visit_of(luck: Random, payers: tuple[str, ...]) -> Step:
    visit = _visit(luck)
    return Step(visit.at, "visit", {**visit.told, "payer": luck.choice(payers)})


def _anywhere(luck: Random, visit: Step) -> Step:
    return Step(visit.at, visit.kind, {**visit.told, "station": luck.randrange(4)})


def _doubtful(luck: Random) -> list[Step]:
    """Somebody has paid, the meter loses its count on the way, and nobody has decided when the hold is about to end."""
    paid = {**_visit(luck).told, "payer": "pays", "watts": 22_000, "minutes": luck.randint(12, 20), "idle": 0}
    begins = luck.randrange(int(HORIZON * 0.3))
    place = {name: paid[name] for name in ("station", "plug")}
    resets = begins + luck.randint(6, 10) * MINUTE
    looks = [begins + luck.randint(22, 58) * MINUTE for _ in range(luck.randint(1, 3))]
    fault = {"fault": luck.choice(("lost_answer", "error_500_after_work", "hang_up")), "times": 1, "path": "/capture"}
    wrong = [Step(looks[0] - luck.randrange(MINUTE), "provider", fault)] if luck.random() < 0.5 else []
    ends = [Step(at, "hold_ends", {}) for at in looks]
    return [Step(begins, "visit_ad_hoc", paid), Step(resets, "reset_meter", place), *ends, *wrong]


def _reserve(luck: Random) -> dict[str, Any]:
    """A driver keeps an EVSE, and comes, or does not; the station plays along, or does not."""
    station = luck.randrange(4)
    return {
        "station": station,
        "plug": luck.randrange(2),
        "any": station == 3 and luck.random() < 0.3,
        "payer": luck.choice(KEEPERS),
        "other": luck.choice(KEEPERS),
        "minutes": luck.choice((1, 2, 5, 15, 30)),
        "percent": luck.choice((2, 40, 90, 120)),
        "driver": luck.choice(DRIVERS),
        "haste": luck.randrange(3 * SECOND),
        "answer": luck.choice(RESERVE_ANSWERS),
        "cancel": luck.choice(CANCEL_ANSWERS),
        "late": luck.randrange(len(LATE)),
        "strict": luck.random() < 0.6,
        "names_it": luck.random() < 0.6,
        "watts": 11_000,
        "charges": luck.randint(1, 12),
    }


def _tap(luck: Random) -> Step:
    visit = _anywhere(luck, _visit(luck))
    told = {
        **visit.told,
        "reader": luck.randrange(len(READERS)) if visit.told["station"] < 2 else 0,
        "comes": luck.choice(COMES),
        "taps_after": luck.choice(TAPS_AFTER),
        "then": luck.choice(THEN),
    }
    return Step(visit.at, "tap", told)


def _at_the_reader(luck: Random, taps: list[Step]) -> int:
    """A moment at which somebody stands at a reader."""
    return min(HORIZON - 1, luck.choice(taps).at + luck.randrange(luck.choice((3, 30, 180)) * SECOND))


def _reader_lost(luck: Random) -> dict[str, Any]:
    return {"reader": luck.randrange(len(READERS)), "seconds": luck.choice((3, 30, 300))}


def _reader_fault(luck: Random) -> dict[str, Any]:
    path = luck.choice(("process_payment_intent", "process_payment_intent", "cancel_action", "terminal", "cancel"))
    return {"fault": luck.choice(FAULTS), "times": luck.randint(1, 3), "path": path}


def _reader_crash(luck: Random) -> dict[str, Any]:
    on = luck.choice(("prepare", "present", "present", "enquiry", "void"))
    return {"on": on, "points": luck.randrange(luck.choice((2, 4, 12))), "downtime": luck.choice((1, 10, 120))}


def _crash_of_reading(luck: Random) -> dict[str, Any]:
    return {"on": "settlements", "points": luck.randrange(luck.choice((2, 12))), "downtime": luck.choice((1, 10, 120))}


def _fault_of_reading(luck: Random) -> dict[str, Any]:
    fault = luck.choice(("lost_answer", "hang_up", "rate_limit", "error_500"))
    return {"fault": fault, "times": luck.randint(1, 3), "path": luck.choice(("balance_transactions", "payouts"))}


def _disputes(luck: Random) -> list[Step]:
    """Banks take charges back; what is told of that, and what is said to it, may be lost."""
    begun = [
        Step(
            luck.randrange(HORIZON // 3, HORIZON),
            "dispute",
            {"place": luck.randrange(100), "then": luck.choice(disputes.THEN), "after": luck.choice(disputes.AFTER)},
        )
        for _ in range(luck.randint(1, 3))
    ]
    wrong: list[Step] = []
    for one in begun:
        near = min(HORIZON - 1, max(0, one.at + luck.randrange(-MINUTE, 3 * MINUTE)))
        if luck.random() < 0.4:
            path = luck.choice(("dispute", "disputes"))
            wrong.append(
                Step(near, "provider", {"fault": luck.choice(FAULTS), "times": luck.randint(1, 2), "path": path})
            )
        if luck.random() < 0.4:
            on = luck.choice(("dispute", "dispute", "webhook"))
            points = luck.randrange(luck.choice((2, 4)))
            wrong.append(Step(near, "crash", {"on": on, "points": points, "downtime": luck.choice((1, 10, 120))}))
    return [*begun, *wrong]


def _lost(luck: Random) -> list[Step]:
    """Captures never arrive; what tells of that comes late, twice, or before what it is about."""
    steps: list[Step] = []
    for _ in range(luck.randint(1, 3)):
        at = luck.randrange(HORIZON // 3, HORIZON)
        told = {"place": luck.randrange(100), "after": luck.choice(lost_captures.AFTER)}
        steps.append(Step(at, "lose_capture", told))
        if luck.random() < 0.4:
            kind = luck.choice(("reordered_webhook", "duplicate_webhook"))
            fault = {"fault": kind, "times": luck.randint(1, 2), "path": luck.choice(("capture", "capture_failed"))}
            steps.append(Step(max(0, at - luck.randrange(5 * MINUTE)), "provider", fault))
        if luck.random() < 0.4:
            points = luck.randrange(luck.choice((2, 4)))
            steps.append(Step(at, "crash", {"on": "webhook", "points": points, "downtime": luck.choice((1, 10, 120))}))
    return steps


def _growing(luck: Random) -> list[Step]:
    """Little is held, and sessions go on for longer than that lasts; what is said to a larger hold may be lost."""
    steps = [Step(0, "small_holds", {"minor": luck.choice(SMALL)})]
    for _ in range(luck.randint(1, 4)):
        told = {
            **_visit(luck).told,
            "payer": "pays",
            "watts": luck.choice((11_000, 22_000)),
            "minutes": luck.randint(10, 30),
        }
        begins = luck.randrange(HORIZON // 2)
        steps.append(Step(begins, "visit_ad_hoc", told))
        near = begins + luck.randrange(3 * MINUTE, 12 * MINUTE)
        if luck.random() < 0.5:
            fault = {"fault": luck.choice(FAULTS), "times": luck.randint(1, 2), "path": "increment"}
            steps.append(Step(near, "provider", fault))
        if luck.random() < 0.3:
            points = luck.randrange(luck.choice((2, 4)))
            steps.append(Step(near, "crash", {"on": "adjust", "points": points, "downtime": luck.choice((1, 10, 120))}))
    return steps


def _bank_line(luck: Random) -> dict[str, Any]:
    """A customer pays what is open, or another sum; the file comes twice; their bank takes it back."""
    return {"percent": luck.choice((100, 100, 40, 130)), "twice": luck.random() < 0.4, "returned": luck.random() < 0.3}


def _undo_line(luck: Random) -> dict[str, Any]:
    """A person has second thoughts about one of the lines that are decided, and says otherwise, or nothing yet."""
    return {"place": luck.randrange(100), "anew": luck.random() < 0.7}


def _debit(luck: Random) -> dict[str, Any]:
    """What is open is collected: the file is asked for twice, the bank answers in its own way, and some of it goes back."""
    return {
        "answer": luck.choice(ANSWERS),
        "waits": luck.choice((3, 10, 40)),
        "days": luck.choice((5, 20, 30)),
        "twice": luck.random() < 0.4,
        "returned": luck.choice(RETURNS),
        "fee": luck.choice((0, FEE)),
    }


def _top_up(luck: Random) -> dict[str, Any]:
    return {"minor": luck.choice((500, 2000, 6000)), "twice": luck.random() < 0.4, "returned": luck.random() < 0.2}


def _cut(luck: Random) -> dict[str, Any]:
    seconds = luck.choice((1, 20, 90, 600))
    return {"station": luck.randrange(3), "seconds": seconds, "noticed": luck.random() < 0.6}


def _reboot(luck: Random) -> dict[str, Any]:
    return {"station": luck.randrange(3), "seconds": luck.choice((5, 60, 400))}


def _crash(luck: Random) -> dict[str, Any]:
    on = luck.choice(("", *ON))
    return {"on": on, "points": luck.randrange(luck.choice((2, 4, 12, 40))), "downtime": luck.choice((1, 10, 120))}


def _weather(luck: Random) -> dict[str, Any]:
    return {"loss": luck.choice((0.0, 0.02, 0.1, 0.3))}


def _bad_disk(luck: Random) -> dict[str, Any]:
    return {"seconds": luck.choice((5, 60)), "one_in": luck.choice((3, 20, 100))}


def _full_disk(luck: Random) -> dict[str, Any]:
    return {"seconds": luck.choice((5, 60, 300))}


def _provider(luck: Random) -> dict[str, Any]:
    path = luck.choice(("", "", "payment_intent", "capture", "confirm", "sessions", "cancel"))
    return {"fault": luck.choice(FAULTS), "times": luck.randint(1, 4), "path": path}


def _refuses(luck: Random) -> dict[str, Any]:
    return {"seconds": luck.choice((5, 120, 1200))}


def _refund(luck: Random) -> dict[str, Any]:
    return {"part": luck.choice((1, 2, 3))}


def _price(luck: Random) -> dict[str, Any]:
    return {"price": luck.choice((0.25, 0.333, 0.79))}
