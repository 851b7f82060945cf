import numpy as np
import pytest

from simulator.aggregates.bounded import OPEN, BoundedTable
from simulator.aggregates.table import Axis, Layout, Measure

LAYOUT = Layout((Axis.of("step", ("all", "some")),), (Measure("patients"),))


def bounded(
    shown: list[int], lowest: list[int], highest: list[int], withheld: list[int]
) -> BoundedTable:
    cells = (
        np.array(column, dtype=np.int64)[:, None] for column in (shown, lowest, highest, withheld)
    )
    return BoundedTable(LAYOUT, *cells)


def test_bounds_of_a_sum_are_the_sums_of_the_bounds() -> None:
    both = bounded([20, 0], [20, 1], [20, 9], [0, 1]) + bounded([0, 30], [1, 30], [9, 30], [1, 0])
    assert both.shown.ravel().tolist() == [20, 30]
    assert both.lowest.ravel().tolist() == [21, 31]
    assert both.highest.ravel().tolist() == [29, 39]
    assert both.withheld.ravel().tolist() == [1, 1]


def test_what_is_open_stays_open_and_does_not_run_over() -> None:
    total = bounded([5, 0], [0, 0], [OPEN, 3], [0, 0])
    for _ in range(1000):
        total = total + bounded([5, 0], [0, 0], [OPEN, 3], [0, 0])
    assert total.highest.ravel().tolist() == [OPEN, 3003]


def test_tables_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="above its upper"):
        bounded([1, 1], [2, 1], [1, 1], [0, 0])
    with pytest.raises(ValueError, match="shape"):
        BoundedTable(LAYOUT, *(np.zeros(3, dtype=np.int64) for _ in range(4)))
    other = Layout((Axis.of("step", ("one", "two")),), (Measure("patients"),))
    zeros = np.zeros((2, 1), dtype=np.int64)
    with pytest.raises(ValueError, match="same layout"):
        bounded([1, 1], [1, 1], [1, 1], [0, 0]) + BoundedTable(other, zeros, zeros, zeros, zeros)
