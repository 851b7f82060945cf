import pytest

from simulator.privacy.masking.errors import MaskingError
from simulator.privacy.masking.graph import least_threshold, neighbours

SITES = tuple(f"site-{number}" for number in range(21))


@pytest.mark.parametrize("degree", range(2, 25))
def test_all_have_as_many_neighbours_and_are_theirs(degree: int) -> None:
    graph = neighbours(SITES, degree, b"seed")
    expected = min(degree + degree % 2, len(SITES) - 1)
    assert set(graph) == set(SITES)
    for site, near in graph.items():
        assert len(set(near)) == len(near) == expected
        assert site not in near
        assert list(near) == sorted(near)
        assert all(site in graph[other] for other in near)


@pytest.mark.parametrize("degree", [2, 4])
def test_all_hang_together(degree: int) -> None:
    graph = neighbours(SITES, degree, b"seed")
    seen, ahead = set[str](), {SITES[0]}
    while ahead:
        seen |= ahead
        ahead = {other for site in ahead for other in graph[site]} - seen
    assert seen == set(SITES)


def test_the_seed_alone_decides() -> None:
    graph = neighbours(SITES, 4, b"seed")
    assert neighbours(SITES[::-1], 4, b"seed") == graph
    assert neighbours(SITES, 4, b"other") != graph


def test_rosters_that_cannot_be_are_refused() -> None:
    with pytest.raises(MaskingError, match="at least 3 sites, found 2"):
        neighbours(("a", "b"), 2, b"")
    with pytest.raises(MaskingError, match="twice"):
        neighbours(("a", "b", "a"), 2, b"")
    with pytest.raises(MaskingError, match="at least 2 neighbours, not 1"):
        neighbours(SITES, 1, b"")


def test_the_least_threshold_is_above_two_thirds() -> None:
    for peers in range(2, 200):
        holders = peers + 1
        least = least_threshold(peers)
        assert 3 * least > 2 * holders >= 3 * (least - 1)
        assert least <= holders
