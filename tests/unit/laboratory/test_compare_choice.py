from __future__ import annotations

import pytest

from simulator.errors import UserError
from simulator.laboratory.compare_choice import BARE, by_chance, group_of, releases
from simulator.laboratory.compare_values import Group
from simulator.privacy.release import Place
from simulator.privacy.releases import KEYED, RELEASES, find_release
from simulator.privacy.rules.registry import RULES


def test_all_releases_are_compared_and_rules_in_both_places() -> None:
    chosen = releases()
    assert {release.name for release in chosen} == set(RELEASES)
    places = {(release.name, release.place) for release in chosen}
    assert {name for name, place in places if place is Place.SITE} == set(RULES)
    in_both = {name for name in RULES if (name, Place.NETWORK) in places}
    assert in_both == set(RULES) - {KEYED}
    assert [r.noise.epsilon for r in chosen if r.noise] == ["1/2", "1", "3"]


def test_they_stand_by_group_in_the_order_of_the_registries() -> None:
    groups = [group_of(release) for release in releases()]
    assert groups == sorted(groups, key=list(Group).index)
    assert set(groups) == set(Group)
    assert set(BARE) <= set(RULES)


def test_of_a_name_given_twice_there_is_one() -> None:
    chosen = releases(["acro", "secure-sum", "acro"])
    assert [(one.name, one.place) for one in chosen] == [
        ("secure-sum", Place.NETWORK),
        ("acro", Place.SITE),
        ("acro", Place.NETWORK),
    ]


def test_on_the_sum_answers_are_masked() -> None:
    at_sites, on_the_sum = releases(["round-up-10"])
    assert (at_sites.masked, on_the_sum.masked) == (False, True)


@pytest.mark.parametrize(
    ("names", "epsilons", "message"),
    [
        (["acrow"], None, "no release 'acrow'"),
        (["acro"], ["1"], "none of these releases takes an epsilon"),
        (["dp"], ["1", "much"], "found 'much'"),
    ],
)
def test_what_does_not_fit_is_told(
    names: list[str], epsilons: list[str] | None, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        releases(names, epsilons)


@pytest.mark.parametrize("name", RELEASES)
def test_what_draws_by_chance_is_known(name: str) -> None:
    drawn = {
        *("dp", "i2b2", "shrine", "pic-sure", "leaf", "samply"),
        *("random-round-3", "random-round-5", "cell-key"),
    }
    assert by_chance(find_release(name)) == (name in drawn)
