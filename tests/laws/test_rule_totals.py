"""What each rule makes of 418 patients at 68 sites, site by site and once on the sum.

The expected figures were computed by other programs from the rules as their systems state them,
with as many draws as is said beside them; a tolerance is what chance leaves between two such runs.
The laws of the sizes, all with at least one patient at each of 68 sites and 418 in all:

* equal: 58 sites of 6 and 10 of 7;
* even: 1 + multinomial of the other 350, all sites alike;
* heavy: likewise, with weights drawn from a gamma distribution of shape 1.5;
* zipf: likewise, with weights 1, 1/2, 1/3 and so on;
* near-equal and skewed: likewise, with weights from a Dirichlet distribution of 50 and of 1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.aggregates.bounded import OPEN
from simulator.privacy.rules.noised import HashedShift, LaplaceAndRound
from simulator.privacy.rules.registry import RULES
from simulator.privacy.rules.rounding import RoundUp, SmallAs, ZeroThenNearest
from simulator.privacy.rules.rule import Cells, Mechanism
from simulator.privacy.rules.withholding import WithholdBelow, WithholdTable
from simulator.privacy.sources import keyed_source

Sizes = NDArray[np.int64]
SITES: Final = 68
PATIENTS: Final = 418
REST: Final = PATIENTS - SITES


def generator(*seed: int) -> np.random.Generator:
    return np.random.default_rng([2025, *seed])


def equal(draws: int) -> Sizes:
    return np.tile(np.repeat(np.array([6, 7], dtype=np.int64), [58, 10]), (draws, 1))


def even(draws: int) -> Sizes:
    return 1 + generator(1).multinomial(REST, np.full(SITES, 1 / SITES), size=draws)


def by_weights(weights: NDArray[np.float64], rng: np.random.Generator) -> Sizes:
    return 1 + rng.multinomial(REST, weights / weights.sum(axis=1, keepdims=True))


def heavy(draws: int) -> Sizes:
    rng = generator(2)
    return by_weights(rng.gamma(1.5, size=(draws, SITES)), rng)


def zipf(draws: int) -> Sizes:
    return by_weights(np.tile(1 / np.arange(1, SITES + 1), (draws, 1)), generator(3))


def dirichlet(alpha: float) -> Callable[[int], Sizes]:
    def sizes(draws: int) -> Sizes:
        rng = generator(4)
        # Gamma variables over their sum are Dirichlet.
        return by_weights(rng.gamma(alpha, size=(draws, SITES)), rng)

    return sizes


LAWS: Final[dict[str, Callable[[int], Sizes]]] = {
    "equal": equal,
    "even": even,
    "heavy": heavy,
    "zipf": zipf,
}


def site_by_site(mechanism: Mechanism, sizes: Sizes) -> Cells:
    """Each site's one count as a table of its own, flattened; shape (draws * sites,)."""
    counts = sizes.ravel()
    source = keyed_source(b"seed")
    if isinstance(mechanism, HashedShift | LaplaceAndRound | WithholdTable):
        # Their answer to a count hangs on what else is in the table.
        one_by_one = [mechanism.apply(counts[i : i + 1], source, None) for i in range(counts.size)]
        return Cells(
            np.concatenate([cells.shown for cells in one_by_one]),
            np.concatenate([cells.withheld for cells in one_by_one]),
        )
    keys = generator(5).integers(0, 1 << 40, counts.size)
    return mechanism.apply(counts, source, keys)


def totals(mechanism: Mechanism, sizes: Sizes, small_as: int = 0) -> Sizes:
    """The total of the network, withheld sites counted as that many; shape (draws,)."""
    cells = site_by_site(mechanism, sizes)
    total: Sizes = (cells.shown + small_as * cells.withheld).reshape(sizes.shape).sum(axis=1)
    return total


@dataclass(frozen=True)
class Figure:
    """Mean and standard deviation of the total, from 20,000 draws, as printed."""

    mean: float
    deviation: float = 0.0


@dataclass(frozen=True)
class Row:
    mechanism: Mechanism
    figures: tuple[Figure, Figure, Figure, Figure]
    small_as: int = 0


def row(mechanism: Mechanism, *figures: tuple[float, float], small_as: int = 0) -> Row:
    one, two, three, four = (Figure(*figure) for figure in figures)
    return Row(mechanism, (one, two, three, four), small_as)


def of(name: str) -> Mechanism:
    return RULES[name].mechanism


ROWS: Final[Mapping[str, Row]] = {
    "up to tens": row(of("round-up-10"), (680, 0), (704.7, 13.6), (796.2, 19.0), (851.0, 13.5)),
    "1 to 10 as 10": row(
        SmallAs(threshold=11, shown=10), (680, 0), (684.2, 2.8), (730.8, 11.7), (810.0, 8.7)
    ),
    "next ten": row(of("codex"), (680, 0), (732.1, 17.6), (825.4, 19.8), (865.8, 13.9)),
    "below 10 as 0": row(of("suppress-10"), (0, 0), (56.3, 18.9), (181.9, 22.3), (216.1, 14.0)),
    "up to 10 as 0": row(of("pcornet"), (0, 0), (28.9, 15.9), (156.0, 24.0), (206.0, 14.4)),
    "below 5 as 0": row(of("ohdsi"), (418, 0), (362.4, 9.6), (339.9, 10.1), (307.5, 9.9)),
    "below 10 as 5": row(
        SmallAs(threshold=10, shown=5), (340, 0), (370.3, 10.3), (456.4, 14.9), (513.1, 9.9)
    ),
    "opensafely": row(of("opensafely"), (0, 0), (178.1, 22.6), (250.3, 19.9), (245.4, 14.8)),
    "midpoint 6": row(of("midpoint-6"), (264, 0), (373.9, 14.0), (406.1, 13.2), (421.0, 11.0)),
    "nearest 5": row(
        ZeroThenNearest(threshold=1, base=5),
        (340, 0),
        (418.3, 11.3),
        (411.4, 11.9),
        (409.3, 12.4),
    ),
    "random to 3": row(of("random-round-3"), (418, 4.5), (418, 9.6), (418, 9.8), (418, 9.8)),
    "random to 5": row(of("random-round-5"), (418, 17.1), (418, 16.3), (418, 16.9), (418, 17.6)),
    "i2b2": row(of("i2b2"), (418, 11.2), (398.2, 12.1), (369.4, 11.9), (342.1, 11.2)),
    "shrine, small as 0": row(of("shrine"), (0, 0), (17.3, 16.5), (122.7, 35.1), (191.7, 25.0)),
    "shrine, small as 10": row(
        of("shrine"), (680, 0), (687.3, 7.5), (740.1, 19.5), (813.8, 17.6), small_as=10
    ),
}
PRINTED: Final = 20_000


def agrees(found: Sizes, figure: Figure, draws: int) -> None:
    """Mean and deviation within five standard errors of both runs, and half the last digit."""
    spread = math.sqrt(1 / draws + 1 / PRINTED)
    # SHRINE's totals have heavier tails than a normal, so that a deviation errs by more.
    assert found.mean() == pytest.approx(figure.mean, abs=5 * figure.deviation * spread + 0.06)
    assert found.std() == pytest.approx(figure.deviation, abs=5 * figure.deviation * spread + 0.06)


def check(name: str, draws: int) -> None:
    expected = ROWS[name]
    for law, figure in zip(LAWS.values(), expected.figures, strict=True):
        agrees(totals(expected.mechanism, law(draws), expected.small_as), figure, draws)


@pytest.mark.parametrize("name", ROWS)
def test_totals_of_four_laws_of_sizes(name: str) -> None:
    check(name, 1_000)


@pytest.mark.laws
@pytest.mark.parametrize("name", ROWS)
def test_totals_of_four_laws_of_sizes_with_many_draws(name: str) -> None:
    check(name, 20_000)


def test_the_laws_of_sizes_are_those_meant() -> None:
    below = {name: (law(2_000) < 10).mean() for name, law in LAWS.items()}
    assert below == pytest.approx({"equal": 1, "even": 0.92, "heavy": 0.81, "zipf": 0.87}, abs=0.01)
    for law in (*LAWS.values(), dirichlet(50), dirichlet(1)):
        sizes = law(50)
        assert sizes.shape == (50, SITES)
        assert sizes.min() >= 1
        assert (sizes.sum(axis=1) == PATIENTS).all()


def binomial(trials: int, chance: float) -> NDArray[np.float64]:
    """The probabilities of 0 to `trials` successes."""
    return np.array(
        [math.comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(trials + 1)]
    )


@pytest.mark.parametrize(
    "name",
    [name for name in ROWS if not name.startswith(("random", "i2b2", "shrine"))],
)
def test_totals_under_the_even_law_in_closed_form(name: str) -> None:
    """A site has 1 + binomial(350, 1/68) patients, so that the mean is a sum over its sizes."""
    expected = ROWS[name]
    sizes = np.arange(1, REST + 2, dtype=np.int64)
    shown = expected.mechanism.apply(sizes, keyed_source(b"seed"), None).shown
    mean = SITES * (binomial(REST, 1 / SITES) * shown).sum()
    figure = expected.figures[1]
    assert mean == pytest.approx(figure.mean, abs=5 * figure.deviation / math.sqrt(PRINTED) + 0.06)


def test_unbiased_rules_are_unbiased_under_every_law() -> None:
    for law in LAWS.values():
        sizes = law(1_000)
        for name in ("random-round-3", "random-round-5", "cell-key"):
            found = totals(of(name), sizes)
            error = found.std() / math.sqrt(sizes.shape[0])
            assert found.mean() == pytest.approx(PATIENTS, abs=5 * error)


# Each rule at 2,000 draws of another program: near-equal and skewed totals, in whole patients.
REPLAYED: Final = {
    "i2b2": (396, 365),
    "datashield": (413, 389),
    "ohdsi": (360, 339),
    "opensafely": (182, 264),
    "bunny": (60, 204),
    "pcornet": (35, 184),
    "shrine": (22, 151),
    "samply": (685, 747),
}
SLOW: Final = {"samply", "datashield"}


@pytest.mark.parametrize("name", REPLAYED)
def test_totals_of_other_systems_where_sites_differ_little_and_much(name: str) -> None:
    draws = 100 if name in SLOW else 2_000
    for alpha, expected in zip((50, 1), REPLAYED[name], strict=True):
        found = totals(of(name), dirichlet(alpha)(draws))
        spread = math.sqrt(1 / draws + 1 / 2_000)
        assert found.mean() == pytest.approx(expected, abs=5 * found.std() * spread + 0.5)


def test_the_sizes_of_that_replay() -> None:
    for alpha, median, large in ((50, 6, 5.8), (1, 4.5, 13.9)):
        sizes = dirichlet(alpha)(2_000)
        assert np.median(sizes) == pytest.approx(median, abs=0.5)
        assert (sizes >= 10).sum(axis=1).mean() == pytest.approx(large, abs=0.25)


def test_pic_sures_floor_adds_to_the_totals_of_a_shift_alone() -> None:
    """64 and 208 were found without the floor at 10, which lifts shifts of 10, 11 and 12."""
    sizes = {alpha: dirichlet(alpha)(100) for alpha in (50, 1)}
    lifted = np.zeros(PATIENTS + 1)
    lifted[10:13] = [6 / 7, 3 / 7, 1 / 7]
    for (alpha, drawn), expected in zip(sizes.items(), (64, 208), strict=True):
        found = totals(of("pic-sure"), drawn)
        floor = lifted[drawn].sum(axis=1).mean()
        spread = math.sqrt(1 / 100 + 1 / 2_000)
        assert found.mean() - floor == pytest.approx(
            expected, abs=5 * found.std() * spread + 0.5
        ), alpha
        assert floor > 2


def once(mechanism: Mechanism, draws: int = 1) -> Sizes:
    """The one count of all patients, that many times."""
    counts = np.full(draws, PATIENTS, dtype=np.int64)
    return mechanism.apply(counts, keyed_source(b"seed"), None).shown


def test_one_rule_after_the_sum() -> None:
    assert once(RoundUp(10)).tolist() == [420]
    assert once(ZeroThenNearest(threshold=1, base=5)).tolist() == [420]
    assert once(of("midpoint-6")).tolist() == [417]
    assert once(of("bunny")).tolist() == [420]
    for exact in ("ohdsi", "pcornet", "datashield", "acro", "suppress-10"):
        assert once(of(exact)).tolist() == [418]
    shrine = once(of("shrine"), 20_000)
    assert shrine.mean() == pytest.approx(420, abs=0.2)
    assert shrine.std() == pytest.approx(6.0, abs=0.1)
    assert (shrine.min(), shrine.max()) == (410, 430)


# Total of site x arm cells under the even and the heavy law; four arms alike.
BY_ARM: Final[Mapping[str, tuple[Mechanism, float, float]]] = {
    "up to tens": (of("round-up-10"), 2156, 1922),
    "below 10 as 0": (WithholdBelow(10), 0, 4),
    "below 5 as 0": (of("ohdsi"), 26, 88),
    "nearest 5": (ZeroThenNearest(threshold=1, base=5), 269, 299),
    "midpoint 6": (of("midpoint-6"), 648, 598),
}


def by_arm(law: Callable[[int], Sizes], draws: int) -> Sizes:
    """The patients of each site split over four arms; shape (draws, sites * arms)."""
    sizes = law(draws)
    split = generator(6).multinomial(sizes, [0.25] * 4)
    return split.reshape(draws, -1)


@pytest.mark.parametrize("name", BY_ARM)
def test_totals_of_sites_by_arms(name: str) -> None:
    mechanism, *expected = BY_ARM[name]
    for law, mean in zip((even, heavy), expected, strict=True):
        found = totals(mechanism, by_arm(law, 500))
        error = found.std() * math.sqrt(1 / 500 + 1 / PRINTED)
        assert found.mean() == pytest.approx(mean, abs=5 * error + 0.6)


def test_a_site_has_few_of_an_arm() -> None:
    for law, empty, single in ((even, 0.21, 0.33), (heavy, 0.29, 0.30)):
        cells = by_arm(law, 500)
        assert (cells == 0).mean() == pytest.approx(empty, abs=0.01)
        assert (cells == 1).mean() == pytest.approx(single, abs=0.01)


def test_random_rounding_of_sites_by_arms() -> None:
    found = totals(of("random-round-3"), by_arm(even, 1_000))
    assert found.std() == pytest.approx(18.6, rel=0.1)
    assert found.mean() == pytest.approx(PATIENTS, abs=5 * 18.6 / math.sqrt(1_000))


PAGES: Final = Path(__file__).parents[2] / "docs" / "mechanisms"
LINES: Final = {
    "58 sites of 6, 10 of 7": equal,
    "even": even,
    "heavy tail": heavy,
    "Zipf's": zipf,
}


def printed(name: str) -> dict[str, tuple[str, str]]:
    """The last table of a rule's page: for each law, the total and what it may be."""
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8").split("| total | may be |")[1]
    return {law: (total, may_be) for law, total, may_be in re.findall(ROW, text)}


ROW: Final = r"\| ([^|-][^|]*) \| ([^|]*) \| ([^|]*) \|"


def near(printed: str, drawn: NDArray[np.float64]) -> bool:
    """Whether a printed mean is that of the draws, as far as chance and the last digit let see."""
    slack = 5 * drawn.std() * math.sqrt(1 / drawn.size + 1 / 1_000) + 0.51
    return bool(abs(float(printed.replace(",", "")) - float(drawn.mean())) <= slack)


@pytest.mark.parametrize("name", RULES)
def test_the_page_of_a_rule_tells_its_totals(name: str) -> None:
    rule, told = RULES[name], printed(name)
    draws = 30 if name in {"pic-sure", "samply", "datashield"} else 300
    for line, law in LINES.items():
        sizes = law(draws)
        cells = site_by_site(rule.mechanism, sizes)
        mean, *deviation = told[line][0].split(" ± ")
        total = cells.shown.reshape(sizes.shape).sum(axis=1)
        assert near(mean, total)
        # A deviation errs by a part of itself, 1 / sqrt(2 n); SHRINE's by more.
        slack = 0.5 + 6 * total.std() / math.sqrt(2 * draws)
        assert float((deviation or ["0"])[0]) == pytest.approx(total.std(), abs=slack)
        least, greatest = (bound.reshape(sizes.shape) for bound in rule.bounds(cells))
        low, high = told[line][1].split(" to ")
        assert near(low, least.sum(axis=1))
        assert (high == "no end") == bool((greatest >= OPEN).any())
        assert high == "no end" or near(high, greatest.sum(axis=1))


@pytest.mark.parametrize("name", RULES)
def test_the_page_of_a_rule_tells_what_it_does_to_the_sum(name: str) -> None:
    rule = RULES[name]
    total, may_be = printed(name)["once, on the sum"]
    keys = generator(7).integers(0, 1 << 40, 300)
    source = keyed_source(b"seed")
    answers = [
        rule.apply(np.array([PATIENTS], dtype=np.int64), source, keys[i : i + 1])
        for i in range(300)
    ]
    assert near(total.split(" ± ")[0], np.array([cells.shown[0] for cells in answers]))
    least, greatest = (
        np.array(ends)[:, 0] for ends in zip(*map(rule.bounds, answers), strict=True)
    )
    low, high = (may_be.split(" to ") * 2)[:2]
    assert near(low, least)
    assert (high == "no end") == bool((greatest >= OPEN).any())
    assert high == "no end" or near(high, greatest)


@pytest.mark.parametrize("name", RULES)
def test_the_overview_tells_what_the_pages_tell(name: str) -> None:
    text = (PAGES / "README.md").read_text(encoding="utf-8")
    (line,) = re.findall(rf"^\| \[`{name}`\]\(.*$", text, re.M)
    *_, hides, asked, one, two, three, last = (cell.strip() for cell in line.strip("|").split("|"))
    rule, told = RULES[name], printed(name)
    assert (hides, asked) == (rule.says[0], str(rule.repeats))
    laws = ("58 sites of 6, 10 of 7", "even", "heavy tail", "once, on the sum")
    assert [one, two, three, last] == [told[law][0] for law in laws]
