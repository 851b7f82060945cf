import numpy as np
import pytest

from simulator.privacy.masking.additive import add, join, split
from simulator.privacy.masking.errors import MaskingError, RingOverflow
from simulator.privacy.masking.ring import Ring
from simulator.privacy.sources import keyed_source
from tests.unit.privacy.masking.rounds import numbers


@pytest.mark.parametrize("ring", [Ring(32), Ring(64)])
def test_two_sums_of_shares_are_the_sum(ring: Ring) -> None:
    vectors = [numbers(1, -7, 0), numbers(5, 3, -1), numbers(0, 0, 0)]
    source = keyed_source(b"test")
    pairs = [split(vector, ring, 3, source) for vector in vectors]
    sums = [add([pair[side] for pair in pairs], ring) for side in (0, 1)]
    assert join(sums[0], sums[1], ring).tolist() == [6, -4, -1]


def test_neither_share_is_the_vector_and_both_are_new_each_time() -> None:
    ring, source = Ring(32), keyed_source(b"test")
    vector = numbers(1, 2, 3)
    seen = {share for _ in range(3) for share in split(vector, ring, 1, source)}
    assert len(seen) == 6
    assert ring.to_bytes(ring.encode(vector, 1)) not in seen


def test_the_first_share_does_not_depend_on_the_vector() -> None:
    firsts = {split(numbers(value), Ring(64), 1, keyed_source(b"test"))[0] for value in range(5)}
    assert len(firsts) == 1


def test_what_might_not_fit_is_refused() -> None:
    with pytest.raises(RingOverflow):
        split(numbers(2**30), Ring(32), 2, keyed_source(b"test"))


def test_shares_of_different_lengths_are_refused() -> None:
    with pytest.raises(MaskingError, match=r"one length, found lengths \[4, 8\]"):
        add([bytes(4), bytes(8)], Ring(32))
    with pytest.raises(MaskingError, match=r"found lengths \[\]"):
        add([], Ring(32))
    with pytest.raises(MaskingError, match="no whole number"):
        add([bytes(3)], Ring(32))


def test_int64_comes_back_at_the_ends() -> None:
    ring = Ring(64)
    vector = np.array([2**63 - 1, -(2**63) + 1])
    assert join(*split(vector, ring, 1, keyed_source(b"x")), ring).tolist() == vector.tolist()
