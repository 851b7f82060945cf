from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.aggregates.table import Axis, Layout, Measure, Table

LAYOUT = Layout(
    (Axis.of("arm", ("A", "B")), Axis("month", 3)), (Measure("events"), Measure("censored"))
)
# arm A: months 1, 2, 3; then arm B. In each month events, then censored.
DRAWN = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]

_tables = st.lists(st.integers(-(2**40), 2**40), min_size=LAYOUT.cells, max_size=LAYOUT.cells).map(
    lambda cells: Table.from_flat(LAYOUT, np.array(cells, dtype=np.int64))
)
_law = settings(derandomize=True, max_examples=60)


def drawn() -> Table:
    return Table.from_flat(LAYOUT, np.array(DRAWN, dtype=np.int64))


@_law
@given(a=_tables, b=_tables)
def test_the_order_of_a_sum_does_not_matter(a: Table, b: Table) -> None:
    assert a + b == b + a


@_law
@given(a=_tables, b=_tables, c=_tables)
def test_how_a_sum_is_grouped_does_not_matter(a: Table, b: Table, c: Table) -> None:
    assert (a + b) + c == a + (b + c)


@_law
@given(a=_tables)
def test_zero_changes_nothing(a: Table) -> None:
    assert a + Table.zero(LAYOUT) == a
    assert Table.zero(LAYOUT) + a == a


@_law
@given(a=_tables)
def test_flattening_comes_back(a: Table) -> None:
    assert Table.from_flat(LAYOUT, a.flat()) == a


def test_the_measure_turns_fastest_then_the_last_axis() -> None:
    table = drawn()
    assert table.measure("events").tolist() == [[1, 3, 5], [7, 9, 11]]
    assert table.measure("censored").tolist() == [[2, 4, 6], [8, 10, 12]]
    assert table.flat().tolist() == DRAWN


def test_a_layout_knows_its_shape() -> None:
    assert LAYOUT.shape == (2, 3, 2)
    assert LAYOUT.cells == 2 * 3 * 2
    assert Layout((), (Measure("patients"),)).cells == 1


def test_only_tables_of_one_layout_add() -> None:
    other = Layout(LAYOUT.axes, (Measure("events"), Measure("entered")))
    with pytest.raises(ValueError, match="same layout"):
        drawn() + Table.zero(other)


def test_a_table_of_another_layout_is_another_table() -> None:
    renamed = Layout((Axis.of("arm", ("A", "C")), Axis("month", 3)), LAYOUT.measures)
    assert drawn() != Table.from_flat(renamed, drawn().flat())
    assert drawn() != "a table"


def test_a_table_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        drawn().values[0, 0, 0] = 5


def test_a_table_is_whole_numbers_of_its_shape() -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 3, 2\) was expected"):
        Table(LAYOUT, np.zeros((2, 3), dtype=np.int64))
    with pytest.raises(ValueError, match="whole numbers"):
        Table(LAYOUT, np.zeros(LAYOUT.shape))  # type: ignore[arg-type]  # that is the point
    with pytest.raises(ValueError, match="12 cells were expected"):
        Table.from_flat(LAYOUT, np.zeros(11, dtype=np.int64))


def test_labels_name_every_position_or_none() -> None:
    assert Axis("month", 3).labels == ()
    with pytest.raises(ValueError, match="3 labels were expected; got 2"):
        Axis("arm", 3, ("A", "B"))


def test_a_table_has_no_hash() -> None:
    with pytest.raises(TypeError):
        hash(drawn())
