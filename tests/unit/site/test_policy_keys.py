"""The keys of a policy's file that need not be there: what they mean, and what is refused."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from simulator.aggregates.grid import Unit
from simulator.bundled import find
from simulator.errors import UserError
from simulator.messages.codec import decode_answer, encode
from simulator.messages.requests import CatalogueAnswer, CatalogueRequest
from simulator.privacy.releases import EXACT, RELEASES
from simulator.site.policy import LABORATORY, _unfit, read_policy, terms_of
from simulator.site.policy_rules import Answers, Budget, Differences, Policy, Quota, Rates
from tests.unit.site.doors import STANDARD, make_node, write_site

TEXT = """\
policy: own
version: 2
releases: [secure-sum]
finest time bin: month
least persons: 7
least roster: 4
network threshold: 5
"""
# As built networks have it in their sites' folders.
OLDER = """\
policy: standard
version: 1
releases: [secure-sum, platform]
masked only: true
finest time bin: month
least persons: 10
least roster: 3
network threshold: 11
"""


def read(folder: Path, text: str) -> Policy:
    (folder / "policy.yaml").write_text(text)
    return read_policy(folder / "policy.yaml")


def test_what_is_not_there_is_strict(tmp_path: Path) -> None:
    found = read(tmp_path, TEXT)
    assert found.answers is Answers.MASKED
    assert found.differences is Differences.REFUSE
    assert found.coarsest_bin is Unit.YEAR
    assert (found.budget, found.rates, found.quota) == (None, None, None)


def test_policies_of_networks_that_stand_are_still_read(tmp_path: Path) -> None:
    found = read(tmp_path, OLDER)
    assert (found.name, found.masked_only, found.least_roster) == ("standard", True, 3)


def test_every_key_is_read(tmp_path: Path) -> None:
    more = """\
answers: clear
coarsest time bin: quarter
differences: warn
budget: {epsilon: 5/2, zcdp: 0.25, per days: 365}
rates: {identical: 7, per days: 30}
quota: {soft: 3, per minutes: 1, hard: 50, per days: 7}
"""
    found = read(tmp_path, TEXT + more)
    assert (found.clear_only, found.masked_only) == (True, False)
    assert found.coarsest_bin is Unit.QUARTER
    assert found.differences is Differences.WARN
    assert found.budget == Budget(Fraction(5, 2), Fraction(1, 4), 365)
    assert found.rates == Rates(7, 30)
    assert found.quota == Quota(soft=3, minutes=1, hard=50, days=7)


@pytest.mark.parametrize(
    ("lines", "answers"),
    [
        ("", Answers.MASKED),
        ("masked only: true", Answers.MASKED),
        ("masked only: false", Answers.EITHER),
        ("answers: masked", Answers.MASKED),
        ("answers: clear", Answers.CLEAR),
        ("answers: either", Answers.EITHER),
        ("answers: masked\nmasked only: true", Answers.MASKED),
        ("answers: either\nmasked only: false", Answers.EITHER),
    ],
)
def test_how_answers_may_be_seen(tmp_path: Path, lines: str, answers: Answers) -> None:
    assert read(tmp_path, f"{TEXT}{lines}\n").answers is answers


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("budgets: {epsilon: 1, per days: 2}", "8:1: unknown key 'budgets'"),
        ("budgets: {epsilon: 1, per days: 2}", "Did you mean 'budget'?"),
        ("budget: 3", "8:9: budget: expected a mapping (key: value); found '3'"),
        ("budget: {epsilon: 3}", "8:9: budget: the key 'per days' is missing"),
        ("budget: {per days: 3}", "8:9: budget: expected 'epsilon', 'zcdp' or both"),
        ("budget: {epsilon: 0, per days: 3}", "8:19: budget.epsilon: expected a number above 0"),
        ("budget: {epsilon: -1, per days: 3}", "found '-1'"),
        ("budget: {epsilon: 1/0, per days: 3}", "found '1/0'"),
        ("budget: {epsilon: inf, per days: 3}", "found 'inf'"),
        ("budget: {zcdp: much, per days: 3}", "8:16: budget.zcdp: expected a number above 0"),
        ("budget: {epsilon: 1, per days: 0}", "8:32: budget.per days: expected at least 1"),
        ("budget: {epsilon: 1, per day: 2}", "8:22: budget: unknown key 'per day'"),
        ("rates: {identical: 0, per days: 30}", "8:20: rates.identical: expected at least 1"),
        ("rates: {identical: 7}", "8:8: rates: the key 'per days' is missing"),
        ("rates: {identical: 7, per days: 1e9}", "expected a whole number; found '1e9'"),
        ("rates: {identical: 7, per days: 36501}", "expected at most 36500; found 36501"),
        ("quota: {soft: 3, per minutes: 1}", "8:8: quota: the key 'hard' is missing"),
        (
            "quota: {soft: few, per minutes: 1, hard: 50, per days: 7}",
            "8:15: quota.soft: expected a whole number; found 'few'",
        ),
        ("differences: refused", "8:14: differences: expected 'refuse', 'warn' or 'allow'"),
        ("differences: refused", "Did you mean 'refuse'?"),
        ("answers: mask", "8:10: answers: expected 'masked', 'clear' or 'either'; found 'mask'"),
        ("answers: clear\nmasked only: true", "8:10: answers: 'masked only' says otherwise"),
        ("answers: masked\nmasked only: false", "8:10: answers: 'masked only' says otherwise"),
        ("coarsest time bin: day", "8:20: coarsest time bin: 'day' is finer than the finest"),
        ("coarsest time bin: week", "expected 'day', 'month', 'quarter' or 'year'; found 'week'"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, f"{TEXT}{line}\n")
    assert said in str(caught.value)
    assert "policy.yaml:" in str(caught.value)


@pytest.mark.parametrize(
    ("finest", "coarsest", "fits"),
    [
        (Unit.DAY, Unit.YEAR, list(Unit)),
        (Unit.MONTH, Unit.MONTH, [Unit.MONTH]),
        (Unit.MONTH, Unit.QUARTER, [Unit.MONTH, Unit.QUARTER]),
        (Unit.YEAR, Unit.YEAR, [Unit.YEAR]),
    ],
)
def test_a_policy_names_a_range_of_time_bins(
    finest: Unit, coarsest: Unit, fits: list[Unit]
) -> None:
    policy = msgspec.structs.replace(STANDARD, finest_bin=finest, coarsest_bin=coarsest)
    assert [unit for unit in Unit if _unfit(policy, EXACT, unit) is None] == fits


def test_the_strict_template_has_limits_as_other_systems_ship_them() -> None:
    found = read_policy(find("sites/policies", "strict"))
    assert found.rates == Rates(7, 30)
    assert found.quota == Quota(soft=3, minutes=1, hard=50, days=7)
    assert found.budget == Budget(Fraction(1), None, 365)
    assert found.differences is Differences.REFUSE


def test_the_laboratory_has_no_limits() -> None:
    assert (LABORATORY.rates, LABORATORY.quota) == (None, None)
    assert LABORATORY.budget is not None
    assert LABORATORY.answers is Answers.EITHER


def test_a_site_tells_its_terms_with_its_catalogue(tmp_path: Path) -> None:
    folder = write_site(tmp_path / "north")
    policy = read_policy(find("sites/policies", "standard"))
    asked = encode(CatalogueRequest(()))
    answer = decode_answer(make_node(folder, policy=policy).handle(asked, 60.0))
    assert isinstance(answer, CatalogueAnswer)
    told = answer.described.policy
    assert told == terms_of(policy)
    assert told is not None
    assert set(told.releases) <= set(RELEASES)
    assert (told.answers, told.differences) == ("masked", "warn")
    assert (told.least_persons, told.least_roster, told.network_threshold) == (10, 3, 11)
    assert (told.finest_bin, told.coarsest_bin) == (Unit.MONTH, Unit.YEAR)
