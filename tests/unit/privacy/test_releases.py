"""Every release says what happens to every request and what every analysis gives; a gap refuses."""

from __future__ import annotations

from typing import get_args

import pytest

from simulator.errors import UserError
from simulator.messages.needs import Need
from simulator.privacy.releases import (
    ANALYSES,
    RELEASES,
    SECURE_SUM,
    Place,
    Release,
    Treatment,
    find_release,
)

KINDS = {need.__struct_config__.tag for need in get_args(Need)}
releases = pytest.mark.parametrize("release", RELEASES.values(), ids=list(RELEASES))


@releases
def test_a_release_treats_known_requests_only(release: Release) -> None:
    assert set(release.treatments) <= KINDS
    assert all(isinstance(treatment, Treatment) for treatment in release.treatments.values())


@releases
def test_a_treatment_that_needs_a_threshold_has_one(release: Release) -> None:
    needs_one = {Treatment.SMALL_WITHHELD, Treatment.ARMS_AT_LEAST} & {*release.treatments.values()}
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
    assert set(cells) <= set(RELEASES)
    assert all(cells.values())


@releases
def test_an_analysis_is_offered_only_where_its_request_is_answered(release: Release) -> None:
    asks = {"attrition": "attrition"} | dict.fromkeys(
        ("arms", "log-rank", "hazard ratios"), "survival"
    )
    assert set(asks) == set(ANALYSES)
    for analysis, request in asks.items():
        assert (release.name in ANALYSES[analysis]) <= (request in release.treatments)


def test_a_release_is_found_by_its_name() -> None:
    assert find_release("secure-sum") is SECURE_SUM


def test_an_unknown_release_names_those_there_are_and_the_nearest() -> None:
    with pytest.raises(UserError) as caught:
        find_release("secure-summ")
    assert str(caught.value) == (
        "there is no release 'secure-summ'; expected 'secure-sum' or 'exact'\n"
        "  Did you mean 'secure-sum'?"
    )
