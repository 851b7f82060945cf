"""The aggregator's memory: where it is kept, and what it refuses."""

from __future__ import annotations

import datetime as dt
import stat
import threading
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pytest

from simulator.aggregates.table import Table
from simulator.errors import Refused, UserError
from simulator.hub.aggregator import open_sums
from simulator.hub.auditing import Rule, audit, is_audited
from simulator.hub.memory import MEMORY, FileMemory, FreshMemory, Memory, NoMemory
from simulator.language.reading import parse_study
from simulator.messages.needs import AssignmentNeed, AttritionNeed, Need, layout_of
from simulator.messages.requests import ReleaseTerms, RoundRequest, roster_hash
from simulator.privacy.releases import EXACT, PLATFORM, RELEASES, SECURE_SUM, Release
from simulator.privacy.sources import system_source
from tests.unit.hub.wires import TEXT

DAY: Final = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
SITES: Final = ("north", "south", "west")
ASKED: Final = TEXT.replace("COMPLETENESS", "1.0")
ONE_DAY_LESS: Final = ASKED.replace("2024-07-31", "2024-07-30")
NEEDS: Final = (AttritionNeed(), AssignmentNeed())
"""Those with an index, in these years, in an arm; and the two arms."""
COUNTS: Final = (500, 100, 100, 60, 40)


def ask(
    memory: Memory,
    text: str = ASKED,
    counts: tuple[int, ...] = COUNTS,
    *,
    run: str = "first-1",
    sites: tuple[str, ...] = SITES,
    release: Release = SECURE_SUM,
    rule: Rule = Rule.REFUSE,
    round_number: int = 1,
    needs: tuple[Need, ...] = NEEDS,
) -> tuple[str, ...]:
    """Lets sums be audited as a round would, after the release has had its say."""
    question = parse_study(text).question
    terms = ReleaseTerms(release.name, release.version, release.threshold)
    roster = roster_hash(sites)
    request = RoundRequest(run, round_number, roster, len(sites), terms, question, needs)
    tables = [counts[:3], (*counts[3:], 0, 0)]
    sums = {
        need: Table.from_flat(layout_of(need, question), np.array(cells, dtype=np.int64))
        for need, cells in zip(NEEDS, tables, strict=True)
        if need in needs
    }
    released = open_sums(request, release, sums, len(sites), system_source).released
    return audit(memory, request, release, rule, roster=sites, sums=sums, released=released, at=DAY)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "aggregator" / MEMORY


def test_a_second_run_that_differs_by_one_patient_is_refused(path: Path) -> None:
    assert ask(FileMemory(path)) == ()
    with pytest.raises(Refused) as refused:
        ask(FileMemory(path), ONE_DAY_LESS, (500, 99, 99, 60, 39), run="second-1")
    assert refused.value.exit_code == 3
    assert str(refused.value).startswith(
        "together with earlier answers, this one would give a few patients away: with run first of "
        "2026-01-05, 'in these years' tells how many of fewer than 11 patients are in this group: "
        "the patients in 'in these years' who are not in 'in these years'"
    )


def test_a_refusal_tells_neither_the_difference_nor_the_new_count() -> None:
    said = set()
    for count in (99, 95, 90):
        memory = FreshMemory()
        ask(memory)
        with pytest.raises(Refused) as refused:
            ask(memory, ONE_DAY_LESS, (500, count, count, 60, count - 60), run="second-1")
        said.add(str(refused.value))
    assert len(said) == 1


def test_what_was_refused_is_not_remembered(path: Path) -> None:
    memory = FileMemory(path)
    ask(memory)
    before = path.read_bytes()
    with pytest.raises(Refused):
        ask(memory, ONE_DAY_LESS, (500, 99, 99, 60, 39), run="second-1")
    assert path.read_bytes() == before


def test_a_warning_says_the_same_and_lets_it_out(path: Path) -> None:
    memory = FileMemory(path)
    ask(memory)
    warned = ask(memory, ONE_DAY_LESS, (500, 99, 99, 60, 39), run="second-1", rule=Rule.WARN)
    assert warned
    assert all("run first of 2026-01-05" in warning for warning in warned)
    assert {count.run for count in memory.recall().counts} == {"first-1", "second-1"}


def test_what_is_allowed_is_remembered_for_later_rules(path: Path) -> None:
    memory = FileMemory(path)
    assert ask(memory, rule=Rule.ALLOW) == ()
    less = (500, 99, 99, 60, 39)
    assert ask(memory, ONE_DAY_LESS, less, run="second-1", rule=Rule.ALLOW) == ()
    with pytest.raises(Refused):
        ask(memory, ASKED.replace("2024-07-31", "2024-07-29"), (500, 95, 95, 60, 35), run="third-1")


def test_a_difference_of_the_threshold_passes(path: Path) -> None:
    memory = FileMemory(path)
    ask(memory)
    assert ask(memory, ONE_DAY_LESS, (500, 89, 89, 45, 44), run="second-1") == ()


def test_the_same_question_is_free(path: Path) -> None:
    memory = FileMemory(path)
    ask(memory)
    renamed = ASKED.replace("in these years", "treated then").replace("with:", "drug:")
    assert ask(memory, run="second-1") == ()
    assert ask(memory, renamed, run="third-1") == ()


def test_a_site_that_is_left_out_is_named(path: Path) -> None:
    memory = FileMemory(path)
    ask(memory)
    with pytest.raises(Refused, match="the patients in 'in these years' at west"):
        ask(memory, counts=(460, 95, 95, 55, 40), run="second-1", sites=SITES[:2])


def test_a_start_that_was_given_up_told_nobody_anything() -> None:
    memory = FreshMemory()
    ask(memory, run="first-1")
    less = (495, 95, 95, 58, 37)
    assert ask(memory, counts=less, run="first-2", sites=SITES[:2]) == ()
    assert ask(memory, counts=less, run="second-1", sites=SITES[:2]) == ()
    with pytest.raises(Refused):
        ask(memory, run="third-1")


def test_later_rounds_of_a_start_belong_to_it() -> None:
    """What two rounds of one run show together is the release's to decide."""
    memory = FreshMemory()
    few_in_no_arm = (500, 100, 95, 60, 35)
    assert ask(memory, counts=few_in_no_arm, needs=NEEDS[:1]) == ()
    assert ask(memory, counts=few_in_no_arm, needs=NEEDS[1:], round_number=2) == ()


def test_an_identifier_is_not_given_twice() -> None:
    memory = FreshMemory()
    ask(memory)
    with pytest.raises(UserError, match="a run 'first' is in the aggregator's memory already"):
        ask(memory, ONE_DAY_LESS, (500, 99, 99, 60, 39))


def test_what_is_shown_as_ten_is_not_taken_for_a_count() -> None:
    memory = FreshMemory()
    ask(memory, counts=(500, 100, 100, 93, 7), release=PLATFORM)
    shown = {count.name: count.released for count in memory.recall().counts}
    assert shown["with"]
    assert not shown["without"]


def test_only_exact_totals_are_audited() -> None:
    audited = {name for name, release in RELEASES.items() if is_audited(release)}
    assert {"secure-sum", "platform"} <= audited
    assert not audited & {"exact", "dp"}
    memory = FreshMemory()
    ask(memory, release=EXACT)
    assert memory.recall().counts == ()


def test_no_memory_forgets() -> None:
    memory = NoMemory()
    ask(memory)
    assert ask(memory, ONE_DAY_LESS, (500, 99, 99, 60, 39)) == ()


def test_a_file_gives_back_what_it_was_given(path: Path) -> None:
    kept, fresh = FileMemory(path), FreshMemory()
    for memory in (kept, fresh):
        ask(memory)
        ask(memory, ONE_DAY_LESS, (500, 80, 80, 40, 40), run="second-1")
    again = FileMemory(path).recall()
    assert set(again.counts) == set(fresh.recall().counts)
    assert again.known == fresh.recall().known


def test_what_literals_stand_for_is_written_once(path: Path) -> None:
    ask(FileMemory(path))
    ask(FileMemory(path), run="second-1")
    first, second = (msgspec.json.decode(line) for line in path.read_bytes().splitlines())
    assert first["known"]
    assert second["known"] == {}


def test_only_its_owner_may_read_the_file(path: Path) -> None:
    ask(FileMemory(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_damaged_line_refuses_and_says_where(path: Path) -> None:
    ask(FileMemory(path))
    with path.open("ab") as file:
        file.write(b'{"at": "2026-01-0')
    with pytest.raises(UserError) as refused:
        ask(FileMemory(path), run="second-1")
    assert str(refused.value).startswith(
        f"{path}:2: the memory of what was released cannot be used"
    )
    assert "put back a copy" in str(refused.value)


def test_a_file_that_cannot_be_read_refuses(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(UserError, match="nothing is released"):
        ask(FileMemory(path))


def test_a_folder_that_cannot_be_made_refuses(tmp_path: Path) -> None:
    (tmp_path / "aggregator").write_text("no folder")
    with pytest.raises(UserError, match="nothing is released"):
        ask(FileMemory(tmp_path / "aggregator" / MEMORY))


@pytest.mark.parametrize("kept", [True, False])
def test_of_two_runs_at_once_one_is_refused(path: Path, *, kept: bool) -> None:
    """Neither slips through between the other's look and what it adds."""
    shared = FreshMemory()
    outcomes: list[bool] = []
    together = threading.Barrier(2)

    def begin(text: str, counts: tuple[int, ...], run: str) -> None:
        memory = FileMemory(path) if kept else shared
        together.wait()
        try:
            ask(memory, text, counts, run=run)
        except Refused:
            outcomes.append(False)
        else:
            outcomes.append(True)

    less = (500, 99, 99, 60, 39)
    threads = [
        threading.Thread(target=begin, args=(ASKED, COUNTS, "first-1")),
        threading.Thread(target=begin, args=(ONE_DAY_LESS, less, "second-1")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, True]
