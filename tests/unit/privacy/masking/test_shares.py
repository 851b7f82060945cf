import itertools

import pytest

from simulator.privacy.masking import shares
from simulator.privacy.masking.errors import MaskingError
from simulator.privacy.sources import keyed_source

P = 2**256 + 297
SECRET = bytes(range(32))


def polynomial(points: list[tuple[int, int]]) -> list[int]:
    """The coefficients, lowest first, through the points: the linear system, by elimination."""
    size = len(points)
    rows = [[pow(x, power, P) for power in range(size)] + [y] for x, y in points]
    for column in range(size):
        pivot = next(row for row in range(column, size) if rows[row][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        scale = pow(rows[column][column], P - 2, P)
        rows[column] = [value * scale % P for value in rows[column]]
        for row in range(size):
            if row != column:
                times = rows[row][column]
                rows[row] = [
                    (a - times * b) % P for a, b in zip(rows[row], rows[column], strict=True)
                ]
    return [row[-1] for row in rows]


@pytest.mark.parametrize(("holders", "threshold"), [(1, 1), (3, 3), (5, 4), (7, 5), (6, 2)])
def test_shares_lie_on_one_polynomial_through_the_secret(holders: int, threshold: int) -> None:
    cut = shares.split(SECRET, holders, threshold, keyed_source(b"test"))
    points = [(x, int.from_bytes(share, "big")) for x, share in enumerate(cut, 1)]
    found = polynomial(points[:threshold])
    assert found[0] == int.from_bytes(SECRET, "big")
    assert all(found[1:])  # Each is zero once in 2^256: it was drawn.
    for x, y in points:
        assert sum(c * x**power for power, c in enumerate(found)) % P == y
    for chosen in itertools.combinations(points, threshold):
        assert polynomial(list(chosen)) == found
        given = {x: y.to_bytes(33, "big") for x, y in chosen}
        assert shares.join(given, threshold) == SECRET


def test_the_field_is_a_field() -> None:
    for base in (2, 3, 5, 7, 11, 13, 17, 19, 23):  # Miller and Rabin's test
        odd, twos = P - 1, 0
        while odd % 2 == 0:
            odd, twos = odd // 2, twos + 1
        powers = [pow(base, odd << times, P) for times in range(twos)]
        assert powers[0] == 1 or P - 1 in powers


@pytest.mark.parametrize("secret", [bytes(32), b"\xff" * 32])
def test_the_ends_of_the_range_come_back(secret: bytes) -> None:
    cut = shares.split(secret, 4, 3, keyed_source(b"test"))
    assert shares.join({2: cut[1], 3: cut[2], 4: cut[3]}, 3) == secret


def test_one_share_too_few_fits_every_secret() -> None:
    cut = shares.split(SECRET, 5, 4, keyed_source(b"test"))
    known = [(x, int.from_bytes(share, "big")) for x, share in enumerate(cut[:3], 1)]
    for other in (0, 1, 2**256 - 1):
        assert polynomial([(0, other), *known])[0] == other
    with pytest.raises(MaskingError, match="4 shares give the secret, found 3"):
        shares.join({x + 1: cut[x] for x in range(3)}, 4)


def test_a_value_beyond_32_bytes_is_no_secret() -> None:
    beyond = (2**256 + 5).to_bytes(33, "big")
    with pytest.raises(MaskingError, match="do not belong together"):
        shares.join({1: beyond}, 1)


def test_what_is_out_of_range_is_refused() -> None:
    source = keyed_source(b"test")
    with pytest.raises(MaskingError, match="a secret has 32 bytes, not 31"):
        shares.split(bytes(31), 3, 3, source)
    for threshold in (0, 4):
        with pytest.raises(MaskingError, match=f"the threshold is {threshold}, expected 1 to 3"):
            shares.split(SECRET, 3, threshold, source)
    for share in (bytes(32), bytes(34), P.to_bytes(33, "big")):
        with pytest.raises(MaskingError, match="not a share"):
            shares.join({1: share}, 1)
