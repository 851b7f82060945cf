"""What sites tell of their policies, and what follows for a run before anybody is asked."""

from __future__ import annotations

import os

import msgspec
import pytest

from simulator.aggregates.grid import Unit
from simulator.errors import TooFewAnswers
from simulator.hub.auditing import Rule
from simulator.hub.exchanging import Traffic
from simulator.hub.foreseeing import differences_rule, foreseen, unit_of
from simulator.hub.planner import Candidate, make_plan
from simulator.hub.run import Finished, carry_out
from simulator.hub.wire import Lost
from simulator.messages.catalogue import PolicyTerms
from simulator.messages.needs import SurvivalNeed
from simulator.privacy.release import Release
from simulator.privacy.releases import DP, EXACT, SECURE_SUM
from tests.unit.hub.wires import FakeWire, described, is_lost, study, well

TERMS = PolicyTerms(
    releases=("secure-sum", "dp"),
    answers="masked",
    finest_bin=Unit.MONTH,
    coarsest_bin=Unit.YEAR,
    least_persons=10,
    least_roster=3,
    network_threshold=11,
    differences="warn",
)


def terms(**changed: object) -> PolicyTerms:
    return msgspec.structs.replace(TERMS, **changed)


@pytest.mark.parametrize(
    ("release", "bins", "unit"),
    [
        (SECURE_SUM, [Unit.MONTH, Unit.DAY], Unit.MONTH),
        (SECURE_SUM, [Unit.MONTH, Unit.QUARTER, Unit.DAY], Unit.QUARTER),
        (SECURE_SUM, [Unit.YEAR, Unit.QUARTER], Unit.YEAR),
        (SECURE_SUM, [], Unit.MONTH),
        (EXACT, [Unit.QUARTER], Unit.DAY),  # which these policies do not allow
    ],
)
def test_the_coarsest_of_the_finest_bins_is_asked_for(
    release: Release, bins: list[Unit], unit: Unit
) -> None:
    assert unit_of(release, [terms(finest_bin=found) for found in bins]) is unit


@pytest.mark.parametrize(
    ("release", "changed", "why"),
    [
        (SECURE_SUM, {}, None),
        (DP, {}, None),  # noise takes the place of a threshold
        (EXACT, {}, "does not allow 'exact'"),
        (SECURE_SUM, {"answers": "clear"}, "lets answers out clear only"),
        (SECURE_SUM, {"answers": "either"}, None),
        (SECURE_SUM, {"least_roster": 6}, "asks for at least 6 sites in a run"),
        (SECURE_SUM, {"network_threshold": 12}, "asks for a network threshold of at least 12"),
        (
            SECURE_SUM,
            {"finest_bin": Unit.DAY, "coarsest_bin": Unit.DAY},
            "lets survival out by day at the coarsest",
        ),
    ],
)
def test_who_will_refuse_is_foreseen(
    release: Release, changed: dict[str, object], why: str | None
) -> None:
    assert foreseen(release, Unit.MONTH, 5, terms(**changed)) == why


@pytest.mark.parametrize(
    ("wanted", "rule"),
    [
        (["warn", "allow"], Rule.WARN),
        (["warn", "refuse", "allow"], Rule.REFUSE),
        (["allow"], Rule.ALLOW),
        ([], Rule.REFUSE),  # nobody says anything
    ],
)
def test_the_strictest_says_what_becomes_of_small_differences(
    wanted: list[str], rule: Rule
) -> None:
    assert differences_rule([terms(differences=word) for word in wanted]) is rule


SITES = ("a", "b", "c", "d")


def carried(least: int) -> Finished:
    """A run of four sites that loses one, where one site wants so many in a sum."""
    asked = study("0.5")
    candidates = []
    for site in SITES:
        policy = terms(least_roster=least if site == "d" else 1)
        found = msgspec.structs.replace(described(site, asked.question), policy=policy)
        candidates.append(Candidate(site, found))
    wire = FakeWire(dict.fromkeys(SITES, well) | {"a": is_lost(Lost.SILENT)})
    return carry_out(
        make_plan(asked, SECURE_SUM, candidates),
        wire,
        run="run",
        seconds=5.0,
        traffic=Traffic(),
        source=os.urandom,
    )


def test_a_run_goes_on_with_as_many_as_every_policy_wants() -> None:
    assert carried(3).roster == ("b", "c", "d")


def test_a_run_over_fewer_than_a_policy_wants_is_not_opened() -> None:
    with pytest.raises(TooFewAnswers, match="3 sites are left; a policy asks for sums of at least"):
        carried(4)


def test_the_plan_asks_in_whole_bins() -> None:
    asked = study()  # follow-up of 12 months
    coarse = terms(finest_bin=Unit.QUARTER)
    found = msgspec.structs.replace(described("a", asked.question), policy=coarse)
    plan = make_plan(asked, SECURE_SUM, [Candidate("a", found)])
    (grid,) = {need.grid for need in plan.needs[0] if isinstance(need, SurvivalNeed)}
    assert (plan.unit, grid.unit, grid.size) == (Unit.QUARTER, Unit.QUARTER, 4)
