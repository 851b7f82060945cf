"""One epsilon is split over what a run asks, by a written rule, and never passed."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.privacy.budget import Cost, epsilon_of, sequential
from simulator.privacy.noise.laws import Mechanism
from simulator.privacy.releases import RELEASES
from simulator.privacy.spending import DELTA, UNBOUNDED, WEIGHTS, as_epsilon, plan_spending

STUDY = ("survival", "attrition", "assignment")
_quick = settings(derandomize=True, max_examples=60, deadline=None)


def test_a_study_splits_seven_to_two_to_one() -> None:
    plan = plan_spending(STUDY, Fraction(1))
    assert tuple(plan) == STUDY
    assert [float(scale.part.share) for scale in plan.values()] == [0.7, 0.2, 0.1]
    assert [scale.parameter for scale in plan.values()] == [Fraction(10, 7), 5, 10]
    assert plan["survival"].cost == Cost(Fraction(7, 10), Fraction(49, 200))


@_quick
@given(
    kinds=st.sets(st.sampled_from(sorted(WEIGHTS)), min_size=1),
    epsilon=st.fractions(min_value=Fraction(1, 50), max_value=20, max_denominator=50),
    sites=st.integers(1, 3),
    tests=st.integers(1, 5),
    mechanism=st.sampled_from(Mechanism),
)
def test_a_run_costs_its_epsilon_and_no_more(
    kinds: set[str], epsilon: Fraction, sites: int, tests: int, mechanism: Mechanism
) -> None:
    sizes = {"labs": tests} if "labs" in kinds else {}
    plan = plan_spending(
        sorted(kinds), epsilon, mechanism=mechanism, sizes=sizes, sites_per_patient=sites
    )
    assert sum(scale.part.share for scale in plan.values()) == 1
    total = sequential(scale.cost for scale in plan.values())
    if mechanism is Mechanism.LAPLACE:
        assert total.pure == epsilon
        for scale in plan.values():
            assert scale.parameter == scale.part.sensitivity / (epsilon * scale.part.share)
    else:
        assert total.pure is None
        assert Fraction(9, 10) * epsilon < epsilon_of(total.zcdp, DELTA) <= epsilon


def test_a_patient_in_several_tables_or_at_several_sites_takes_more_noise() -> None:
    plain = plan_spending(["labs"], Fraction(1))["labs"]
    four = plan_spending(["labs"], Fraction(1), sizes={"labs": 4}, sites_per_patient=3)["labs"]
    assert (plain.part.sensitivity, plain.part.squared) == (1, 1)
    assert (four.part.sensitivity, four.part.squared) == (12, 36)
    assert four.parameter == 12 * plain.parameter
    assert four.cost == plain.cost


def test_every_kind_that_is_released_is_priced_or_said_to_be_without_bound() -> None:
    kinds = {kind for release in RELEASES.values() for kind in release.treatments}
    assert kinds <= set(WEIGHTS) | UNBOUNDED


@pytest.mark.parametrize("value", [0, -1, -0.5, math.nan, math.inf, -math.inf, Fraction(0)])
def test_an_epsilon_that_promises_nothing_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="an epsilon that is a finite number above 0; found"):
        plan_spending(STUDY, value)
    with pytest.raises(ValueError, match="an epsilon that is a finite number above 0; found"):
        as_epsilon(value)


def test_an_epsilon_is_taken_as_it_is() -> None:
    assert as_epsilon(0.5) == as_epsilon(Fraction(1, 2)) == Fraction(1, 2)
    assert as_epsilon(0.1) == as_epsilon(Fraction("0.1")) == Fraction(1, 10)
    assert as_epsilon(1e-7) == Fraction(1, 10**7)


def test_an_epsilon_that_leaves_nothing_but_noise_is_refused() -> None:
    assert plan_spending(STUDY, 0.001)["assignment"].parameter == 10_000
    with pytest.raises(ValueError, match=r"leaves assignment noise of scale 1.111e\+04; expected"):
        plan_spending(STUDY, 0.0009)


@pytest.mark.parametrize("kind", sorted(UNBOUNDED))
def test_what_one_patient_changes_without_limit_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=f"found '{kind}' .one patient changes it without limit"):
        plan_spending([kind], Fraction(1))


@pytest.mark.parametrize(
    ("kinds", "sizes", "sites", "said"),
    [
        (["weather"], {}, 1, "found 'weather' .unknown"),
        (["survival"], {"weather": 1}, 1, "found 'weather' .unknown"),
        ([], {}, 1, "at least one kind, each once"),
        (["labs", "labs"], {}, 1, "at least one kind, each once"),
        (["labs"], {"labs": 0}, 1, "sizes and sites of at least 1"),
        (["labs"], {}, 0, "sizes and sites of at least 1"),
    ],
)
def test_what_cannot_be_split_is_refused(
    kinds: list[str], sizes: dict[str, int], sites: int, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        plan_spending(kinds, Fraction(1), sizes=sizes, sites_per_patient=sites)


def test_skellam_noise_refuses_what_it_cannot_promise() -> None:
    with pytest.raises(ValueError, match="expected a delta above 0"):
        plan_spending(STUDY, Fraction(1), mechanism=Mechanism.SKELLAM, delta=Fraction(0))
    with pytest.raises(ValueError, match="too small to be split"):
        plan_spending(STUDY, Fraction(1, 10**8), mechanism=Mechanism.SKELLAM)
