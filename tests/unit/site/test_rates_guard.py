"""A node holds to its rates, quota and budget, also where two runs ask at once."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from simulator.messages.masked import KeysAnswer, KeysRequest
from simulator.messages.needs import AttritionNeed, Need
from simulator.messages.protocol import Answer
from simulator.messages.requests import (
    Apology,
    CatalogueAnswer,
    CatalogueRequest,
    Refusal,
    ReleaseTerms,
    RoundAnswer,
    RoundRequest,
    Trouble,
)
from simulator.privacy.budget import pure_cost
from simulator.privacy.release import Noise
from simulator.site.catalogue import read_catalogue
from simulator.site.chance import Chance, passing_chance, seeded_chance
from simulator.site.guard import Guard
from simulator.site.ledger import LEDGER, FileLedger, FreshLedger, opening, read_ledger
from simulator.site.ledger_check import check_ledger
from simulator.site.node import Node
from simulator.site.policy import LABORATORY
from simulator.site.policy_rules import Budget, Policy, Quota, Rates
from simulator.site.pool import StorePool
from simulator.site.rates import LOCKED
from tests.unit.site.doors import ASKED, NEEDS, NOON, Clock, make_node, request, told, write_site

# In the clear, so that one request has one answer.
RATED = msgspec.structs.replace(LABORATORY, rates=Rates(identical=2, days=30))
QUOTA = msgspec.structs.replace(LABORATORY, quota=Quota(soft=2, minutes=1, hard=3, days=7))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(tmp_path_factory.mktemp("network") / "north")


def asking(run: str, months: int = 12) -> RoundRequest:
    """A question whose follow-up makes it another one."""
    follow_up = msgspec.structs.replace(ASKED.follow_up, months=months)
    asked = msgspec.structs.replace(ASKED, follow_up=follow_up)
    return request(run=run, terms=ReleaseTerms("exact", 1), needs=(AttritionNeed(),), asked=asked)


def reason(answer: Answer) -> str | None:
    """Why it was refused; None where it was answered."""
    if isinstance(answer, Refusal):
        return answer.reason
    assert isinstance(answer, RoundAnswer), answer
    return None


def node_of(folder: Path, policy: Policy) -> tuple[Node, FreshLedger, Clock]:
    ledger, clock = FreshLedger(), Clock()
    return make_node(folder, policy=policy, ledger=ledger, clock=clock), ledger, clock


def test_the_same_question_is_refused_once_too_often(folder: Path) -> None:
    node, ledger, _ = node_of(folder, RATED)
    for run in ("a-1", "b-1"):
        assert reason(told(node, asking(run))) is None
    said = "its policy allows the same question 2 times in 30 days"
    assert reason(told(node, asking("c-1"))) == said
    assert reason(told(node, asking("d-1", 24))) is None
    assert [entry.answered for entry in ledger.entries] == [True, True, False, True]


def test_a_round_that_is_asked_for_again_is_no_new_question(folder: Path) -> None:
    node, ledger, _ = node_of(folder, RATED)
    for _ in range(5):
        assert reason(told(node, asking("a-1"))) is None
    assert [entry.repeated for entry in ledger.entries] == [False] + 4 * [True]
    assert reason(told(node, asking("b-1"))) is None


@pytest.mark.parametrize("policy", [RATED, QUOTA])
def test_a_number_behind_a_runs_name_buys_no_more_than_a_few_answers(
    folder: Path, policy: Policy
) -> None:
    """One more question is allowed after the first, so of eight starts only four are answered."""
    node, _, _ = node_of(folder, policy)
    answers = [reason(told(node, asking(f"a-{start}"))) for start in range(1, 9)]
    assert [answer is None for answer in answers] == 4 * [True] + 4 * [False]


@pytest.mark.parametrize("policy", [RATED, QUOTA])
def test_a_node_that_has_forgotten_a_round_counts_it_anew(folder: Path, policy: Policy) -> None:
    """Its answer may then have new noise, so it is another answer to the same run and round."""
    ledger = FreshLedger()
    nodes = [make_node(folder, policy=policy, ledger=ledger) for _ in range(3)]
    answers = [reason(told(node, asking("a-1"))) for node in nodes]
    assert [answer is None for answer in answers] == [True, True, False]


def test_nor_do_made_up_rosters_or_thresholds_make_another_question(folder: Path) -> None:
    node, _, _ = node_of(folder, RATED)
    first, second, third = (asking(f"{run}-1") for run in "abc")
    second = msgspec.structs.replace(second, roster="made up", roster_size=70)
    higher = msgspec.structs.replace(third.release, network_threshold=12)
    third = msgspec.structs.replace(third, roster="made up", release=higher)
    answers = [reason(told(node, each)) for each in (first, second, third)]
    assert [answer is None for answer in answers] == [True, True, False]


def test_variants_of_one_question_in_one_run_are_questions(folder: Path) -> None:
    node, _, _ = node_of(folder, QUOTA)
    one = asking("a-1")
    variants = [
        msgspec.structs.replace(one, round=number, needs=needs)
        for number, needs in enumerate((NEEDS[:1], NEEDS[:2], NEEDS), start=1)
    ]
    answers = [reason(told(node, each)) for each in variants]
    assert [answer is None for answer in answers] == [True, True, False]


def test_catalogues_are_written_down_and_count_in_no_quota(folder: Path) -> None:
    node, ledger, _ = node_of(folder, QUOTA)
    for _ in range(9):
        assert isinstance(told(node, CatalogueRequest(ASKED.codes)), CatalogueAnswer)
    assert [(one.needs, one.run, one.answered) for one in ledger.entries] == 9 * [
        (("catalogue",), "", True)
    ]
    assert reason(told(node, asking("a-1"))) is None


def test_a_quota_that_is_used_up_locks_until_someone_opens(folder: Path) -> None:
    node, ledger, clock = node_of(folder, QUOTA)
    assert reason(told(node, asking("a-1", 12))) is None
    assert reason(told(node, asking("b-1", 13))) is None
    soft = "its policy allows 2 questions in a minute; ask again later"
    assert reason(told(node, asking("c-1", 14))) == soft
    clock.now = NOON.replace(hour=13)
    assert reason(told(node, asking("c-2", 14))) is None
    assert reason(told(node, asking("d-1", 15))) == LOCKED
    clock.now = NOON.replace(year=2030)
    assert reason(told(node, asking("e-1", 16))) == LOCKED
    assert [entry.locked for entry in ledger.entries] == 4 * [False] + 2 * [True]
    ledger.append(opening(clock.now))
    assert reason(told(node, asking("f-1", 17))) is None


def test_a_ledger_that_cannot_be_read_answers_nothing(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / LEDGER
    node = make_node(folder, policy=QUOTA, ledger=FileLedger(path, "north"))
    assert reason(told(node, asking("a-1", 12))) is None
    path.write_bytes(path.read_bytes().replace(b'"a-1"', b'"b-1"'))
    assert told(node, asking("c-1", 13)) == Apology("north", Trouble.LEDGER)


def test_runs_that_ask_at_once_do_not_pass_a_limit_together(folder: Path, tmp_path: Path) -> None:
    """Each node passes the first look, as nothing is written yet; the ledger lets one by."""
    path = tmp_path / LEDGER
    policy = msgspec.structs.replace(QUOTA, quota=Quota(soft=1, minutes=1, hard=9, days=7))
    begun, answers = threading.Barrier(4), list[Answer]()

    def ask(number: int) -> None:
        node = make_node(folder, policy=policy, ledger=FileLedger(path, "north"))
        begun.wait(30.0)
        answers.append(told(node, asking(f"{number}-1", 12 + number)))

    askers = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert sorted(reason(answer) is None for answer in answers) == [False, False, False, True]
    assert sum(entry.answered for entry in read_ledger(path)) == 1
    assert check_ledger(path, "north").faults == ()


def test_entries_say_what_the_limits_need(folder: Path) -> None:
    node, ledger, _ = node_of(folder, LABORATORY)
    told(node, asking("a-1"))
    told(node, asking("b-1"))
    first, second = ledger.entries
    assert (first.roster_size, first.place, first.step) == (3, "network", "")
    assert (first.cost, first.zcdp, first.locked) == (None, None, False)
    assert (first.key, first.question) == (second.key, second.question)
    assert first.request != second.request


# Noise that is paid for once


def noisy(needs: tuple[Need, ...] = NEEDS, run: str = "a-1", epsilon: str = "1") -> RoundRequest:
    return request(run=run, needs=needs, terms=ReleaseTerms("dp", 1, noise=Noise(epsilon)))


def test_whoever_takes_the_identifier_of_an_earlier_run_pays_anew(tmp_path: Path) -> None:
    """A node that was started again has forgotten the round, and draws other noise."""
    folder = write_site(tmp_path / "north")
    budget = msgspec.structs.replace(LABORATORY, budget=Budget(Fraction(3, 2), None, days=365))
    ledger = FreshLedger()

    def opened(chance: Chance) -> Answer:
        site = Node(
            *(folder, read_catalogue(folder), budget, ledger, StorePool(), Clock()), chance=chance
        )
        answer = told(site, KeysRequest(noisy(), 32))
        if isinstance(answer, KeysAnswer):
            site._guard.masked(noisy(), b"", pure_cost(Fraction(1)), site._rounds["a-1", 1].noise)
        return answer

    assert isinstance(opened(passing_chance()), KeysAnswer)
    assert isinstance(opened(passing_chance()), Refusal)
    assert [entry.cost for entry in ledger.entries if entry.step == "masked"] == ["1"]


def test_with_a_seed_the_same_run_has_the_same_noise(tmp_path: Path) -> None:
    folder = write_site(tmp_path / "north")

    def name(asked: RoundRequest, seed: int = 1) -> str:
        site = Node(
            *(folder, read_catalogue(folder), LABORATORY, FreshLedger(), StorePool(), Clock()),
            chance=seeded_chance(seed, "north"),
        )
        told(site, KeysRequest(asked, 32))
        return site._rounds[asked.run, asked.round].noise

    first = name(noisy())
    assert first == name(noisy())
    others = [name(noisy(run="b-1")), name(noisy(NEEDS[:1])), name(noisy(), seed=2)]
    others.append(name(noisy(epsilon="1/2")))
    assert len({first, *others}) == 1 + len(others)
    assert name(request(terms=ReleaseTerms("secure-sum", 1, 11))) == ""


def test_an_answer_with_other_noise_is_paid_anew() -> None:
    policy = msgspec.structs.replace(LABORATORY, budget=Budget(Fraction(2), None, days=365))
    ledger = FreshLedger()
    guard = Guard("north", policy, 24, ledger, Clock())
    cost = pure_cost(Fraction(1))

    def let_out(noise: str) -> bool:
        if guard.refusal(noisy(), cost, masked=True, noise=noise) is not None:
            return False
        return not isinstance(guard.masked(noisy(), b"", cost, noise), Refusal)

    assert [let_out(noise) for noise in ("a", "a", "b", "c", "a", "b")] == [
        *(True, True, True, False, True, True)
    ]
    assert {entry.cost for entry in ledger.entries if entry.answered} == {"1"}
    # The second look is as strict as the first, should another run have come in between.
    assert isinstance(guard.masked(noisy(), b"", cost, "d"), Refusal)
