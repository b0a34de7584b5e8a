"""An operator's own data and decisions: changed, checked, and written down with what they were before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.errors import BadInput
from tallywatt.rating.policy import STANDARD
from tallywatt.workflows.change_operator import ChangeOperator, ChoosePolicy, change_operator, choose_policy

if TYPE_CHECKING:
    from tallywatt.customers.access import ActionRecord
    from tallywatt.customers.operator import Operator
    from tests.workflows.house_of import HouseOf


def operator(house: HouseOf) -> Operator:
    """The operator as it stands."""
    found: Operator = house.do(lambda work, _: work.operators.get(), None)
    return found


def recorded(house: HouseOf, action: str) -> list[ActionRecord]:
    """What was recorded of such actions."""
    found: list[ActionRecord] = house.do(lambda work, name: work.actions.by(action=name), action)
    return found


def test_what_is_left_out_stays_and_the_change_is_recorded_with_both_sides(house: HouseOf) -> None:
    """Who asks next year why holds were lower has an answer."""
    before = operator(house)
    house.do(change_operator, ChangeOperator(hold_minor=3000, tax_id="GB123"))
    after = operator(house)
    assert (after.hold_minor, after.tax_id, after.name) == (3000, "GB123", before.name)
    [change] = recorded(house, "operator.change")
    assert change.before == {"hold_minor": before.hold_minor, "tax_id": before.tax_id}
    assert change.after == {"hold_minor": 3000, "tax_id": "GB123"}


def test_nothing_changed_is_nothing_written(quick_house: HouseOf) -> None:
    """A form that was sent as it was."""
    seen = operator(quick_house)
    quick_house.do(change_operator, ChangeOperator(name=seen.name, hold_minor=seen.hold_minor))
    assert operator(quick_house).version == seen.version


@pytest.mark.parametrize(
    "wrong",
    [
        ChangeOperator(name=""),
        ChangeOperator(hold_minor=0),
        ChangeOperator(hold_minor=-1),
        ChangeOperator(start_deadline_seconds=2),
        ChangeOperator(lost_stop_after_seconds=10**9),
        ChangeOperator(pay_to="Dundee Charging, GB28 NWBK 6016 1331 9268 19"),
    ],
)
def test_what_no_operator_can_mean_is_refused(quick_house: HouseOf, wrong: ChangeOperator) -> None:
    """A hold of nothing protects nobody; a deadline of two seconds refuses everybody."""
    with pytest.raises(BadInput):
        quick_house.do(change_operator, wrong)


def test_a_policy_holds_for_new_offers_and_is_a_version(house: HouseOf) -> None:
    """The same choices are the same version; nothing is edited."""
    chosen = house.do(choose_policy, ChoosePolicy({"step_size": "off"}))
    assert operator(house).policy_version_id == chosen.policy_version_id
    assert house.do(choose_policy, ChoosePolicy({"step_size": "off"})).policy_version_id == chosen.policy_version_id
    house.do(choose_policy, ChoosePolicy())
    assert operator(house).policy_version_id == STANDARD.version_id
    assert len(recorded(house, "policy.choose")) == 2


def test_a_choice_that_is_none_is_refused(quick_house: HouseOf) -> None:
    """Misspelt choices would silently be the standard."""
    with pytest.raises(BadInput):
        quick_house.do(choose_policy, ChoosePolicy({"step_size": "maybe"}))
