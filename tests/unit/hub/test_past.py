"""Sums with noise are given out again as they were, and what they cost adds up."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec
import numpy as np
import pytest

from simulator.aggregates.table import Table
from simulator.errors import UserError
from simulator.hub.past import FileSums, FreshSums, NoisySums, as_kept, key_of, to_keep
from simulator.messages.needs import AttritionNeed, layout_of
from simulator.messages.requests import ReleaseTerms, RoundRequest
from simulator.privacy.release import Noise, Place
from tests.unit.hub.test_aggregator import asked

AT = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)


def request(epsilon: str = "1", **changed: object) -> RoundRequest:
    terms = ReleaseTerms("dp", 1, 0, Place.NETWORK, Noise(epsilon))
    made = RoundRequest("run-1", 1, "roster", 3, terms, asked(), (AttritionNeed(),))
    return msgspec.structs.replace(made, **changed)


def tables() -> tuple[Table, ...]:
    layout = layout_of(AttritionNeed(), asked())
    return (Table.from_flat(layout, np.arange(layout.cells, dtype=np.int64) - 2),)


@pytest.fixture(params=["file", "fresh"])
def sums(request: pytest.FixtureRequest, tmp_path: Path) -> NoisySums:
    return FreshSums() if request.param == "fresh" else FileSums(tmp_path / "a" / "noisy.jsonl")


def test_what_was_kept_is_found_and_is_what_it_was(sums: NoisySums) -> None:
    assert sums.find(key_of(request())) is None
    sums.keep(to_keep(request(), tables(), ("a", "b", "c"), AT))
    found = sums.find(key_of(request(run="run-2")))  # another run, the same question
    assert found is not None
    assert (found.at, found.roster) == (AT, ("a", "b", "c"))
    assert as_kept(request(), found) == tables()


@pytest.mark.parametrize(
    "other",
    [
        request("2"),
        request(roster="another"),
        request(roster_size=4),
        request(round=2),
    ],
)
def test_another_question_of_others_or_at_another_price_is_another(
    sums: NoisySums, other: RoundRequest
) -> None:
    sums.keep(to_keep(request(), tables(), ("a", "b", "c"), AT))
    assert sums.find(key_of(other)) is None


def test_costs_add_up(sums: NoisySums) -> None:
    assert sums.spent() == {"zcdp": "0", "epsilon": "0"}
    for epsilon in ("1", "1/2"):
        sums.keep(to_keep(request(epsilon), tables(), ("a",), AT))
    assert sums.spent() == {"zcdp": "5/8", "epsilon": "3/2"}  # rho = epsilon^2 / 2


def test_with_skellam_noise_there_is_no_pure_epsilon(sums: NoisySums) -> None:
    terms = ReleaseTerms("dp", 1, 0, Place.NETWORK, Noise("1", "skellam"))
    sums.keep(to_keep(request(release=terms), tables(), ("a",), AT))
    assert "epsilon" not in sums.spent()
    assert sums.spent()["zcdp"] != "0"


def test_the_file_is_its_owners_alone_and_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "aggregator" / "noisy.jsonl"
    kept = FileSums(path)
    kept.keep(to_keep(request(), tables(), ("a",), AT))
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    path.write_bytes(path.read_bytes() + b"{}\n")
    with pytest.raises(UserError, match="this is no sum that was kept") as caught:
        kept.find("any")
    assert str(caught.value.where).endswith("noisy.jsonl:2")


def test_a_sum_of_another_shape_is_refused() -> None:
    made = to_keep(request(), tables(), ("a",), AT)
    short = msgspec.structs.replace(made, cells=(made.cells[0][:-8],))
    with pytest.raises(UserError, match="does not fit its key"):
        as_kept(request(), short)
