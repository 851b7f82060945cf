"""Shares of noise are exact: every bit of the distribution counts, and the sum has its law."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from simulator.privacy.noise.counting import Counting, NegativeBinomial, Poisson
from simulator.privacy.noise.inversion import draw, floors
from simulator.privacy.noise.laws import Mechanism, sum_law
from simulator.privacy.noise.shares import MOST_SCALE, laplace_share, skellam_share
from simulator.privacy.sources import ByteSource, keyed_source, system_source
from tests.support.draws import chance_of

LAWS = [
    Poisson(Fraction(1, 50)),
    Poisson(Fraction(7, 3)),
    Poisson(Fraction(400)),
    NegativeBinomial(Fraction(1), 1),
    NegativeBinomial(Fraction(7, 10), 68),
    NegativeBinomial(Fraction(1, 30), 5),
    NegativeBinomial(Fraction(10**7), 3),
]
GOLDEN_LAPLACE = [-1, -13, 0, 0, -2, -2, -12, 0, -4, -5, 0, 0]
GOLDEN_SKELLAM = [-1, -4, -1, -1, -1, -1, -2, 1, -1, -3, 1, 1]


def source(*labels: str) -> ByteSource:
    return keyed_source(b"shares of noise", *labels)


def distribution(law: Counting, reach: int) -> np.ndarray:
    """F(0), F(1), ... by scipy."""
    places = np.arange(reach)
    if isinstance(law, Poisson):
        return np.asarray(stats.poisson.cdf(places, float(law.mean)))
    assert isinstance(law, NegativeBinomial)
    return np.asarray(stats.nbinom.cdf(places, 1 / law.parts, -math.expm1(-law.rate)))


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_the_table_is_the_distribution_function(law: Counting) -> None:
    table = floors(law, 64)
    known = np.array([entry / 2**64 for entry in table])
    np.testing.assert_allclose(known, distribution(law, len(table)), rtol=0, atol=1e-12)
    assert table[-1] == 2**64 - 1
    assert list(table) == sorted(table)


@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize("fine", [72, 128, 200])
def test_fewer_bits_are_the_first_of_more(law: Counting, fine: int) -> None:
    """Each precision is worked out anew, so a digit that was not certain would differ."""
    coarse = floors(law, 64)
    assert coarse == tuple(entry >> (fine - 64) for entry in floors(law, fine)[: len(coarse)])


class Stingy(Poisson):
    """Says that it needs fewer bits than it does."""

    @property
    def lost_bits(self) -> int:
        return -94


def test_where_digits_do_not_suffice_there_are_more() -> None:
    mean = Fraction(400)
    assert floors(Stingy(mean), 64) == floors(Poisson(mean), 64)


def test_a_geometric_table_is_right_to_the_last_bit() -> None:
    """F(k) = 1 - e^-(k + 1), here from e to 60 digits (OEIS A001113)."""
    e = Fraction(271828182845904523536028747135266249775724709369995957496696, 10**59)
    last = 2**64 - 1
    for place, entry in enumerate(floors(NegativeBinomial(Fraction(1), 1), 64)):
        assert entry == min(math.floor((1 - 1 / e ** (place + 1)) * 2**64), last)


class Bits:
    """A source that gives these bytes and counts them."""

    def __init__(self, known: bytes) -> None:
        self.known, self.used = known, 0

    def __call__(self, size: int) -> bytes:
        self.used += size
        return self.known[self.used - size : self.used]


@settings(derandomize=True, max_examples=300, deadline=None)
@given(law=st.sampled_from(LAWS), known=st.binary(min_size=32, max_size=32))
def test_a_draw_depends_on_the_bits_and_not_on_how_many_are_looked_at(
    law: Counting, known: bytes
) -> None:
    (whole,) = draw(law, 1, Bits(known))
    for word in (8, 16, 32):
        assert draw(law, 1, Bits(known), word) == [whole]


@pytest.mark.parametrize("law", LAWS[:-1], ids=str)
@pytest.mark.parametrize("place", [0, 1, 3])
def test_bits_on_the_edge_are_decided_by_more(law: Counting, place: int) -> None:
    """64 bits of F(k) and then ones are above F(k); the same and then zeros are below it."""
    edge = floors(law, 64)[place]
    first = floors(law, 64).index(edge)
    above, below = (edge.to_bytes(8, "big") + rest * 24 for rest in (b"\xff", b"\x00"))
    one, other = Bits(above), Bits(below)
    assert draw(law, 1, one)[0] > place
    assert draw(law, 1, other)[0] == first
    assert min(one.used, other.used) >= 16


def test_short_words_give_the_same_law() -> None:
    """With 8 bits most draws need more, so this is the path that 64 bits hardly ever take."""
    law = Poisson(Fraction(20))
    counts = draw(law, 20_000, source("words"), 8)
    chances = stats.poisson.pmf(np.arange(0, 41), 20)
    assert chance_of(counts - 20, chances) > 1e-4


@pytest.mark.parametrize("scale", ["1/3", "1", "10/7", "40"])
def test_the_whole_laplace_noise(scale: str) -> None:
    exact = Fraction(scale)
    q = math.exp(-1 / exact)
    drawn = laplace_share(40_000, exact, 1, source(scale))
    places = np.arange(-4, 5)
    assert chance_of(drawn, (1 - q) / (1 + q) * q ** np.abs(places)) > 1e-4
    nothing = stats.binomtest(int((drawn == 0).sum()), len(drawn), (1 - q) / (1 + q))
    assert nothing.pvalue > 1e-4


@pytest.mark.parametrize("variance", ["1/5", "3", "60", "20000"])
def test_the_whole_skellam_noise(variance: str) -> None:
    mean = Fraction(variance) / 2
    reach = math.ceil(2 * math.sqrt(2 * mean))
    chances = stats.skellam.pmf(np.arange(-reach, reach + 1), float(mean), float(mean))
    drawn = skellam_share(20_000, Fraction(variance), 1, source(variance))
    assert chance_of(drawn, chances) > 1e-4


def test_68_shares_make_the_central_noise_and_61_a_known_part_of_it() -> None:
    """At epsilon 1: P(0) is 0.4621, the variance 1.841; of 61 answering, 61/68 of it."""
    shares = np.stack([laplace_share(20_000, Fraction(1), 68, source(str(n))) for n in range(68)])
    q = math.exp(-1)
    chances = (1 - q) / (1 + q) * q ** np.abs(np.arange(-6, 7))
    assert chances[6] == pytest.approx(0.4621, abs=5e-5)
    assert chance_of(shares.sum(axis=0), chances) > 1e-4
    some = shares[:61].sum(axis=0)
    law = sum_law(Mechanism.LAPLACE, Fraction(1), 68, 61)
    assert law.variance == pytest.approx(61 / 68 * 1.8413, abs=1e-4)
    assert chance_of(some, law.probabilities(6)) > 1e-4
    assert some.var() == pytest.approx(law.variance, rel=0.05)


def test_68_skellam_shares_likewise() -> None:
    variance = Fraction(30)
    shares = np.stack([skellam_share(20_000, variance, 68, source(str(n))) for n in range(68)])
    chances = stats.skellam.pmf(np.arange(-12, 13), 15, 15)
    assert chance_of(shares.sum(axis=0), chances) > 1e-4
    law = sum_law(Mechanism.SKELLAM, variance, 68, 61)
    assert law.variance == pytest.approx(30 * 61 / 68)
    assert chance_of(shares[:61].sum(axis=0), law.probabilities(12)) > 1e-4


def test_one_share_of_68_is_nearly_always_nothing() -> None:
    """(1 - q)^(2/68) is 0.987 at epsilon 1, and two equal counts hardly add to it."""
    share = laplace_share(100_000, Fraction(1), 68, source("alone"))
    chance = sum_law(Mechanism.LAPLACE, Fraction(1), 68, 1).probabilities(0)[0]
    assert chance == pytest.approx(0.987, abs=5e-4)
    assert stats.binomtest(int((share == 0).sum()), len(share), chance).pvalue > 1e-4


def test_the_same_bytes_give_the_same_shares() -> None:
    laplace = laplace_share(12, Fraction(20), 4, source("golden"))
    skellam = skellam_share(12, Fraction(30), 4, source("golden"))
    assert (laplace.tolist(), skellam.tolist()) == (GOLDEN_LAPLACE, GOLDEN_SKELLAM)
    assert laplace.dtype == np.int64
    assert laplace.shape == (12,)
    assert skellam.dtype == np.int64
    assert skellam.shape == (12,)


def test_the_greatest_scale_can_be_drawn() -> None:
    drawn = laplace_share(20_000, Fraction(MOST_SCALE), 1, source("greatest"))
    assert drawn.std() == pytest.approx(math.sqrt(2) * MOST_SCALE, rel=0.03)


@pytest.mark.parametrize("scale", [Fraction(0), Fraction(-1), 1.5, Fraction(10_001), math.nan])
def test_a_scale_out_of_range_is_refused(scale: Fraction) -> None:
    with pytest.raises(ValueError, match="a scale that is a fraction above 0 and at most 10000"):
        laplace_share(1, scale, 68, system_source)


@pytest.mark.parametrize("variance", [Fraction(0), 1.5, Fraction(2097153 * 2), math.inf])
def test_a_variance_out_of_range_is_refused(variance: Fraction) -> None:
    with pytest.raises(ValueError, match="a variance that is a fraction above 0"):
        skellam_share(1, variance, 2, system_source)


@pytest.mark.parametrize("parts", [0, -1])
def test_shares_of_nobody_are_refused(parts: int) -> None:
    for share in (laplace_share, skellam_share):
        with pytest.raises(ValueError, match="expected at least 1 part; found"):
            share(1, Fraction(1), parts, system_source)
