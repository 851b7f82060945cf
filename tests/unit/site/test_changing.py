"""What a release does to tables at the site: its share of the noise, or the rule of a system."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.aggregates.table import Table
from simulator.messages.codec import decode_cells
from simulator.messages.needs import Need, layout_of
from simulator.messages.noise import noise_laws, noise_scales, parts_of
from simulator.messages.requests import (
    Refusal,
    ReleaseTerms,
    RoundAnswer,
    RoundRequest,
)
from simulator.privacy.emulated import EMULATED
from simulator.privacy.noise.shares import laplace_share
from simulator.privacy.release import Noise, Place, Release
from simulator.privacy.rules.registry import RULES
from simulator.privacy.rules.rule import Cells, Repeats
from simulator.privacy.sources import keyed_source
from simulator.site.chance import passing_chance, seeded_chance
from simulator.site.changing import by_rule, same_again, with_noise
from simulator.site.ledger import FreshLedger
from simulator.site.policy import LABORATORY
from tests.unit.site.doors import ASKED, NEEDS, clear, make_node, request, told, write_site

SITES = 12


def noisy(*, mechanism: str = "laplace", sites: int = SITES) -> RoundRequest:
    roster = tuple(f"site {place}" for place in range(sites))
    terms = ReleaseTerms("dp", 1, noise=Noise("1", mechanism))
    return request(terms=terms, roster=roster)


def zeros() -> tuple[Table, ...]:
    return tuple(Table.zero(layout_of(need, ASKED)) for need in NEEDS)


def noise_of(asked: RoundRequest, label: str) -> list[NDArray[np.int64]]:
    """The noise alone: what stands in the cells of empty tables."""
    return [table.flat() for table in with_noise(asked, zeros(), keyed_source(b"site", label))]


def test_the_same_source_gives_the_same_noise() -> None:
    for one, same, other in zip(
        *(noise_of(noisy(), label) for label in ("a", "a", "b")), strict=True
    ):
        assert one.tolist() == same.tolist()
        assert one.tolist() != other.tolist()


def test_noise_is_added_to_what_is_there() -> None:
    tables = tuple(
        Table.from_flat(table.layout, np.arange(table.layout.cells)[::-1].copy())
        for table in zeros()
    )
    found = with_noise(noisy(), tables, keyed_source(b"site", "a"))
    for table, cells, noise in zip(tables, found, noise_of(noisy(), "a"), strict=True):
        assert cells.layout == table.layout
        assert cells.flat().tolist() == (table.flat() + noise).tolist()


def test_the_noise_of_a_step_is_that_of_all_who_come_so_far() -> None:
    """A patient stands in one cell, how many came just so far; steps are sums of such cells."""
    asked = noisy()
    (attrition, *_) = noise_of(asked, "a")
    scale = noise_scales(asked)["attrition"]
    own = laplace_share(3, scale.parameter, parts_of(asked), keyed_source(b"site", "a"))
    assert attrition.tolist() == [own[0] + own[1] + own[2], own[1] + own[2], own[2]]


@pytest.mark.parametrize("mechanism", ["laplace", "skellam"])
def test_the_shares_of_the_sites_add_up_to_the_law_that_is_told(mechanism: str) -> None:
    """Site and hub work the noise out alike: the variance of sums is what the hub says."""
    asked = noisy(mechanism=mechanism)
    law = noise_laws(asked, SITES)["survival"]
    draws = np.concatenate(
        [
            sum(noise_of(asked, f"{draw} {site}")[2] for site in range(SITES))
            for draw in range(60)  # of 48 cells each
        ]
    )
    # Of 2,880 draws; heavy tails make the variance of the variance up to 5 times its normal one.
    assert draws.size == 2880
    assert np.mean(draws) == pytest.approx(0, abs=5 * np.sqrt(law.variance / draws.size))
    assert np.var(draws) == pytest.approx(law.variance, rel=5 * np.sqrt(5 / draws.size))


def test_fewer_sites_have_larger_shares() -> None:
    """Shares are made so that 67 in a hundred of the sites alone are enough."""
    assert [parts_of(noisy(sites=sites)) for sites in (3, 12, 100)] == [3, 9, 67]


# Rules


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(tmp_path_factory.mktemp("network") / "north")


def under(release: Release, run: str = "run") -> RoundRequest:
    terms = ReleaseTerms(release.name, release.version, place=Place.SITE)
    return msgspec.structs.replace(clear(run=run), release=terms)


rules = pytest.mark.parametrize("release", EMULATED, ids=lambda release: release.name)


@rules
def test_a_site_lets_out_what_the_rule_makes_of_its_tables(folder: Path, release: Release) -> None:
    """What is shown and withheld is within the rule's own bounds of the exact answer."""
    ledger = FreshLedger()
    node = make_node(folder, policy=LABORATORY, ledger=ledger)
    exact, shown = told(node, clear(run="exact")), told(node, under(release))
    assert isinstance(exact, RoundAnswer)
    assert isinstance(shown, RoundAnswer), shown
    assert exact.withheld == ()
    for need, truth, cells, held in zip(
        NEEDS, exact.cells, shown.cells, shown.withheld, strict=True
    ):
        size = layout_of(need, ASKED).cells
        bits = np.unpackbits(np.frombuffer(held, np.uint8), count=size).astype(np.bool_)
        told_cells = decode_cells(cells, size)
        assert not told_cells[bits].any()
        lowest, highest = RULES[release.rule].bounds(Cells(told_cells.copy(), bits))
        true = decode_cells(truth, size)
        assert (lowest <= true).all()
        assert (true <= highest).all()
    assert [entry.place for entry in ledger.entries] == ["network", "site"]


@rules
def test_asked_again_the_rule_says_what_it_promises(release: Release) -> None:
    tables = (Table.from_flat(layout_of(NEEDS[2], ASKED), np.arange(48) * 5 + 2),)
    keys = (Table.from_flat(layout_of(NEEDS[2], ASKED), np.arange(48) * 7919),)
    chance = passing_chance()
    first, second = (
        by_rule(release, tables, keys, chance, (run, "1"), [("question", "state")])[0]
        for run in ("one", "two")
    )
    same = first.shown.tolist() == second.shown.tolist()
    assert same is (RULES[release.rule].repeats is Repeats.SAME)


@pytest.mark.parametrize("name", ["random-round-5", "samply"])
def test_kept_noise_is_other_noise_for_another_question_or_state(name: str) -> None:
    release = next(one for one in EMULATED if one.name == name)
    tables = (Table.from_flat(layout_of(NEEDS[2], ASKED), np.arange(48) * 5 + 2),)
    chance = seeded_chance(1, "north")
    repeats = RULES[release.rule].repeats
    found = [
        by_rule(release, tables, None, chance, (run, "1"), [same])[0].shown.tolist()
        for run, same in (("one", ("a", "b")), ("two", ("a", "b")), ("one", ("a", "c")))
    ]
    # Where noise is new each time it follows from the run alone, else from question and state.
    assert (found[0] == found[1]) is (repeats is Repeats.SAME)
    assert (found[0] == found[2]) is (repeats is Repeats.FRESH)


SAME = [one for one in EMULATED if RULES[one.rule].repeats is Repeats.SAME]


@pytest.mark.parametrize("release", SAME, ids=lambda release: release.name)
def test_nothing_that_who_asks_makes_up_draws_kept_noise_anew(
    folder: Path, release: Release
) -> None:
    """Rosters, thresholds, other needs and their order have no part in a site's own table."""
    node = make_node(folder, policy=LABORATORY, chance=seeded_chance(1, "north"))
    asked = under(release)
    higher = msgspec.structs.replace(asked.release, network_threshold=99)
    variants = [
        asked,
        *(msgspec.structs.replace(asked, roster=f"made up {number}") for number in range(20)),
        msgspec.structs.replace(asked, roster_size=77),
        msgspec.structs.replace(asked, release=higher),
        *(msgspec.structs.replace(asked, needs=needs) for needs in permutations(NEEDS)),
        *(msgspec.structs.replace(asked, needs=(need,)) for need in NEEDS),
    ]
    seen: dict[Need, set[tuple[bytes, bytes]]] = {need: set() for need in NEEDS}
    for number, variant in enumerate(variants):
        answer = told(node, msgspec.structs.replace(variant, run=f"run {number}"))
        assert isinstance(answer, RoundAnswer), answer
        for need, cells, held in zip(variant.needs, answer.cells, answer.withheld, strict=True):
            seen[need].add((cells, held))
    assert [len(answers) for answers in seen.values()] == [1, 1, 1]


def test_each_need_and_question_has_noise_of_its_own() -> None:
    """Equal tables of two needs, or of two questions, are not shifted alike."""
    (leaf,) = (one for one in EMULATED if one.name == "leaf")
    table = Table.from_flat(layout_of(NEEDS[2], ASKED), np.full(48, 500))
    arms = msgspec.structs.replace(ASKED, arms=ASKED.arms[::-1])
    first, other = (msgspec.structs.replace(under(leaf), question=asked) for asked in (ASKED, arms))
    named = [*same_again(first, "state"), *same_again(other, "state"), *same_again(first, "new")]
    found = by_rule(leaf, [table] * 9, None, seeded_chance(1, "north"), ("run", "1"), named)
    assert len({cells.shown.tobytes() for cells in found}) == 9


def test_a_rule_may_run_in_the_laboratory_alone(folder: Path) -> None:
    (release,) = (one for one in EMULATED if one.name == "suppress-10")
    answer = told(make_node(folder), under(release))
    assert answer == Refusal("north", "its policy does not allow the release 'suppress-10'")
