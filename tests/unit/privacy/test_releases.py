"""Every release says what happens to every request and what every analysis gives; a gap refuses."""

from __future__ import annotations

from typing import get_args

import pytest

from simulator.aggregates.released import Between, Rounded
from simulator.errors import UserError, one_of
from simulator.messages.needs import Need
from simulator.privacy.offers import ANALYSES, NOT_CHANCE, REASONS, REQUESTS, RULED, gives, reason
from simulator.privacy.releases import (
    EXACT,
    PLATFORM,
    RELEASES,
    SECURE_SUM,
    Place,
    Release,
    Treatment,
    find_release,
    shown,
)

KINDS = {need.__struct_config__.tag for need in get_args(Need)} | {"subgroups"}
BY_THRESHOLD = {*Treatment} - {Treatment.EXACT, Treatment.NOISED, Treatment.RULED}
releases = pytest.mark.parametrize("release", RELEASES.values(), ids=list(RELEASES))


@releases
def test_a_release_treats_known_requests_only(release: Release) -> None:
    assert set(release.treatments) <= KINDS
    assert all(isinstance(treatment, Treatment) for treatment in release.treatments.values())


@releases
def test_a_treatment_that_needs_a_threshold_has_one(release: Release) -> None:
    needs_one = BY_THRESHOLD & {*release.treatments.values()}
    assert (release.threshold > 0) == bool(needs_one)


@releases
def test_what_shows_days_or_single_sites_stays_in_the_laboratory(release: Release) -> None:
    if release.by_day or not release.masked:
        assert release.laboratory_only


@releases
def test_a_release_says_what_it_hides(release: Release) -> None:
    assert release.says
    assert all(release.says)
    assert release.version >= 1
    assert release.place in Place


@pytest.mark.parametrize("analysis", ANALYSES)
def test_each_analysis_says_what_it_gives_under_each_release(analysis: str) -> None:
    cells = ANALYSES[analysis]
    assert set(cells) <= {*RELEASES, RULED}
    assert all(cells.values())


def test_each_analysis_says_what_it_asks() -> None:
    assert set(REQUESTS) == set(ANALYSES)
    assert {kind for kinds in REQUESTS.values() for kind in kinds} <= KINDS


@releases
@pytest.mark.parametrize("analysis", ANALYSES)
def test_an_analysis_is_offered_just_where_its_requests_are_answered(
    analysis: str, release: Release
) -> None:
    answered = all(kind in release.treatments for kind in REQUESTS[analysis])
    refused = reason(analysis, release)
    assert (gives(analysis, release) is not None) == (answered and refused is None)


CONTRASTS = ("log-rank", "hazard ratios", "differences in mean survival", "differences in survival")


@releases
@pytest.mark.parametrize("analysis", CONTRASTS)
def test_what_a_rule_changed_is_neither_tested_nor_contrasted(
    analysis: str, release: Release
) -> None:
    """Its error is no chance, so that no interval and no test knows it."""
    changed = bool(release.rule) or release.name == "secure-steps"
    assert release.changes_survival is changed
    assert (reason(analysis, release) == NOT_CHANCE) is changed
    assert {"secure-steps", RULED} <= set(REASONS[analysis])


@pytest.mark.parametrize("count", [0, 1, 10, 11, 418])
def test_a_total_of_a_released_table_is_exact_but_under_platform(count: int) -> None:
    for release in (SECURE_SUM, EXACT):
        assert shown(count, release, "survival") == count
    small = Rounded(10, Between(1, 10)) if 1 <= count <= 10 else count
    assert shown(count, PLATFORM, "survival") == shown(count, PLATFORM, "subgroups") == small


def test_a_release_is_found_by_its_name() -> None:
    assert find_release("secure-sum") is SECURE_SUM


def test_an_unknown_release_names_those_there_are_and_the_nearest() -> None:
    with pytest.raises(UserError) as caught:
        find_release("secure-summ")
    assert str(caught.value) == (
        "there is no release 'secure-summ'; expected " + one_of(RELEASES) + "\n"
        "  Did you mean 'secure-sum'?"
    )
