"""A profile measures the answer that a node would send, step by step."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from simulator.errors import UserError
from simulator.messages.codec import encode
from simulator.messages.needs import AssignmentNeed, AttritionNeed, layout_of
from simulator.messages.requests import CatalogueRequest, ReleaseTerms, RoundAnswer, RoundRequest
from simulator.site.answering import answer
from simulator.site.profiling import SiteProfile, Step, profile_site
from simulator.site.store import DATABASE, Store
from tests.support.omop import write_omop
from tests.support.records import record, rows
from tests.unit.hub.wires import study

QUESTION = study().question
NEEDS = (AttritionNeed(), AssignmentNeed())
REQUEST = RoundRequest("run", 3, "roster", 1, ReleaseTerms("exact", 1), QUESTION, NEEDS)
SIZES = (111, 222)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("profiled") / "a-site"
    write_omop(place, rows((person, record("index on 0, watched 0 to 90")) for person in range(9)))
    return place


def ticking() -> Callable[[], float]:
    """A second passes whenever it is looked at."""
    ticks = count()
    return lambda: float(next(ticks))


@pytest.fixture(scope="module")
def profile(folder: Path) -> SiteProfile:
    return profile_site(folder, encode(REQUEST), SIZES, ticking())


def steps(profile: SiteProfile, within: str | None = None) -> dict[str, Step]:
    return {step.step: step for step in profile.steps if step.within == within}


def test_the_steps_are_those_of_an_answer(profile: SiteProfile) -> None:
    assert list(steps(profile)) == [
        "read request",
        "open",
        "resolve concepts",
        "compile",
        "query",
        "tables",
        "encode",
    ]
    assert (profile.site, profile.round) == ("a-site", 3)


def test_the_steps_make_the_whole(profile: SiteProfile) -> None:
    outer = steps(profile).values()
    assert profile.milliseconds == sum(step.milliseconds for step in outer)
    assert all(step.milliseconds >= 1000.0 for step in outer)
    # Between two looks at the clock that follow each other lies one second.
    assert steps(profile)["open"].milliseconds == 1000.0
    assert steps(profile)["query"].milliseconds == 1000.0


def test_what_comes_out_is_what_the_site_says(folder: Path, profile: SiteProfile) -> None:
    store = Store(folder)
    tables = answer(store, QUESTION, NEEDS, death_by_month=False)
    store.close()
    cells = tuple(table.flat().astype("<i8").tobytes() for table in tables)
    found = steps(profile)
    assert found["encode"].bytes == len(encode(RoundAnswer("a-site", "run", 3, "roster", cells)))
    assert found["encode"].estimated_bytes == 222
    assert found["read request"].bytes == len(encode(REQUEST))
    assert found["read request"].estimated_bytes == 111
    assert found["tables"].rows == sum(layout_of(need, QUESTION).cells for need in NEEDS)
    assert found["open"].bytes == (folder / DATABASE).stat().st_size


def test_the_query_is_taken_apart(profile: SiteProfile) -> None:
    found = steps(profile, "query")
    assert list(found)[:2] == ["once more", "planning"]
    assert {"people", "recorded", "facts", "index_event", "final grouping"} <= set(found)
    assert found["people"].rows == found["index_event"].rows == 9
    assert found["final grouping"].rows == steps(profile)["query"].rows
    relations = [step for name, step in found.items() if name not in {"once more", "planning"}]
    assert all(step.estimated_rows is not None for step in relations)


def test_only_a_request_for_tables_is_profiled(folder: Path) -> None:
    with pytest.raises(UserError, match="only a request for tables"):
        profile_site(folder, encode(CatalogueRequest(QUESTION.codes)), SIZES, ticking())
