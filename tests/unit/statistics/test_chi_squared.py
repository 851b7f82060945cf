from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.statistics.chi_squared import (
    ChiSquared,
    chi_squared,
    components,
    covariance_from,
    score_test,
)


def test_one_degree_of_freedom_is_a_squared_normal() -> None:
    assert chi_squared(1.959963984540054**2, 1).p == pytest.approx(0.05, abs=1e-15)


def test_two_degrees_of_freedom_are_exponential() -> None:
    assert chi_squared(6.0, 2).p == pytest.approx(math.exp(-6.0 / 2.0), rel=1e-14)


def test_a_tiny_p_is_not_rounded_to_nothing() -> None:
    assert chi_squared(600.0, 2).p == pytest.approx(math.exp(-300.0), rel=1e-12)


def test_nothing_to_compare_speaks_against_nothing() -> None:
    assert chi_squared(0.0, 0) == ChiSquared(0.0, 0, 1.0)


class TestScoreTest:
    def test_two_arms_are_one_squared_difference(self) -> None:
        variance = np.array([[4.0, -4.0], [-4.0, 4.0]])
        assert score_test(np.array([3.0, -3.0]), variance) == chi_squared(3.0**2 / 4.0, 1)

    def test_an_arm_without_links_takes_no_degree_of_freedom(self) -> None:
        variance = np.array([[4.0, 0.0, -4.0], [0.0, 0.0, 0.0], [-4.0, 0.0, 4.0]])
        assert score_test(np.array([3.0, 0.0, -3.0]), variance) == chi_squared(9.0 / 4.0, 1)

    def test_two_pairs_that_never_met_are_two_tests(self) -> None:
        pair = np.array([[1.0, -1.0], [-1.0, 1.0]])
        variance = np.kron(np.diag([4.0, 2.0]), pair)
        assert score_test(np.array([3.0, -3.0, 1.0, -1.0]), variance) == chi_squared(
            9.0 / 4.0 + 1.0 / 2.0, 2
        )

    def test_it_is_the_generalised_inverse(self) -> None:
        variance = covariance_from(-np.array([[0, 2.0, 1], [2.0, 0, 3], [1, 3, 0]]))
        score = np.array([1.0, 0.5, -1.5])
        expected = float(score @ np.linalg.pinv(variance) @ score)
        found = score_test(score, variance)
        assert found.statistic == pytest.approx(expected, rel=1e-12)
        assert found.degrees_of_freedom == 2


class TestComponents:
    @staticmethod
    def graph(nodes: int, *edges: tuple[int, int]) -> list[int]:
        drawn = np.zeros((nodes, nodes), dtype=np.bool_)
        for source, target in edges:
            drawn[source, target] = True
        return [int(group) for group in components(drawn)]

    def test_a_node_alone_is_a_group(self) -> None:
        assert self.graph(3) == [0, 1, 2]

    def test_one_way_is_not_enough(self) -> None:
        assert self.graph(3, (0, 1), (1, 2)) == [0, 1, 2]

    def test_a_circle_is_a_group(self) -> None:
        assert self.graph(4, (0, 1), (1, 3), (3, 0), (0, 2)) == [0, 0, 2, 0]

    def test_groups_are_named_by_their_first_member(self) -> None:
        assert self.graph(5, (1, 4), (4, 1), (2, 3), (3, 2), (1, 2)) == [0, 1, 2, 2, 1]


def test_a_covariance_has_rows_that_add_up_to_nothing() -> None:
    links = -np.array([[9.0, 2.0, 0.0], [2.0, 9.0, 0.0], [0.0, 0.0, 9.0]])
    assert covariance_from(links).tolist() == [[2.0, -2.0, 0.0], [-2.0, 2.0, 0.0], [0.0, 0.0, 0.0]]
