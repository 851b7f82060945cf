from typing import Any

import numpy as np
import pytest

from simulator.privacy.masking.errors import MaskingError, RingOverflow
from simulator.privacy.masking.ring import Ring
from tests.unit.privacy.masking.rounds import numbers

RINGS = pytest.mark.parametrize("ring", [Ring(32), Ring(64)])


@RINGS
@pytest.mark.parametrize("parties", [1, 2, 3, 68])
def test_the_greatest_values_that_are_let_in_add_up(ring: Ring, parties: int) -> None:
    most = ring.limit(parties)
    vector = numbers(most, -most, 0, -1)
    total = ring.zeros(4)
    for _ in range(parties):
        total += ring.encode(vector, parties)
    assert ring.decode(total).tolist() == [parties * most, -parties * most, 0, -parties]


@RINGS
@pytest.mark.parametrize("parties", [2, 3, 68])
@pytest.mark.parametrize("sign", [1, -1])
def test_one_more_is_refused(ring: Ring, parties: int, sign: int) -> None:
    limit = 2 ** (ring.bits - 1)
    # The least value that does not fulfil |value| * parties < 2^(bits - 1).
    beyond = next(value for value in range(limit // parties, limit) if value * parties >= limit)
    with pytest.raises(RingOverflow, match=rf"a value is {sign * beyond}\b"):
        ring.encode(numbers(0, sign * beyond), parties)
    ring.encode(numbers(0, sign * (beyond - 1)), parties)


def test_the_least_int64_is_refused() -> None:
    with pytest.raises(OverflowError, match="-9223372036854775808"):
        Ring(64).encode(numbers(-(2**63)), 1)


def test_bytes_are_little_endian_and_twos_complement() -> None:
    assert Ring(32).to_bytes(Ring(32).encode(numbers(1, -2), 1)).hex() == "01000000feffffff"
    assert Ring(64).to_bytes(Ring(64).encode(numbers(-2), 1)).hex() == "feffffffffffffff"
    assert Ring(32).from_bytes(bytes.fromhex("01000000feffffff")).tolist() == [1, 2**32 - 2]


def test_no_cells_are_no_error() -> None:
    assert Ring(32).decode(Ring(32).encode(numbers(), 3)).tolist() == []


@pytest.mark.parametrize(
    "values", [np.array([1.0]), np.array([1], np.int32), np.array([[1]], np.int64)]
)
def test_only_vectors_of_int64_are_encoded(values: Any) -> None:
    with pytest.raises(MaskingError, match="expected a vector of int64"):
        Ring(32).encode(values, 1)


def test_other_rings_bytes_and_parties_are_refused() -> None:
    with pytest.raises(MaskingError, match="32 or 64 bits, not 16"):
        Ring(16)  # type: ignore[arg-type]
    with pytest.raises(MaskingError, match="no whole number of cells"):
        Ring(32).from_bytes(b"123")
    with pytest.raises(MaskingError, match="at least one party"):
        Ring(32).limit(0)
