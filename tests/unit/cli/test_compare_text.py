from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import pytest

from simulator.aggregates.released import Partial
from simulator.cli.compare_csv import as_csv
from simulator.cli.compare_text import _axis, _strip, print_comparison, write_comparison
from simulator.errors import UserError
from simulator.laboratory.compare_drawn import drawn, files
from simulator.laboratory.compare_held import held_count
from simulator.laboratory.compare_values import Group, Held
from simulator.laboratory.compare_words import brief, off, p, shown, times
from tests.unit.laboratory.made import ROWS, TRUTH, near, report, row


def printed(capsys: pytest.CaptureFixture[str], form: str) -> str:
    print_comparison(report(), form)
    return capsys.readouterr().out


def test_the_text_fits_and_says_all(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    text = printed(capsys, "text")
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "round-up-10 site │ ▸ 400 +300 +300%" in lines
    assert "sum │● 110 +10 +10%" in lines
    assert any("30 + 35 withheld: 65-345 in 280 wide" in line for line in lines)
    assert "secure-sum sum 0 +6.2 0.125 x 2.00" in lines
    assert "refused: suppress-10: an arm has nobody" in lines
    assert "true p of the log-rank test: 0.250" in lines


def test_what_was_withheld_is_never_a_number_of_the_csv() -> None:
    rows = {
        (line["release"], line["place"]): line
        for line in csv.DictReader(io.StringIO(as_csv(report())))
    }
    assert len(rows) == len(ROWS)
    held = rows["suppress-10", "site"]
    assert (held["cohort_estimate"], held["cohort_error"]) == ("", "")
    assert (held["cohort_at_least"], held["cohort_at_most"]) == ("65", "345")
    with pytest.raises(ValueError, match="could not convert"):
        float(held["shown"])
    assert rows["round-up-10", "site"]["cohort_error"] == "300"
    assert rows["round-up-10", "network"]["worst_survival_error"] == "0.25"


@pytest.mark.parametrize(
    ("held", "strip"),
    [
        (None, "     │     "),
        (held_count(100, 100), "     ●     "),
        (held_count(0, 100), "●    │     "),
        (held_count(200, 100), "     │    ●"),
        (held_count(201, 100), "     │    ▸"),
        (held_count(Partial(0, 1, 60, 140), 100), "   ━━┿━━   "),
        (held_count(Partial(0, 1, 140, None), 100), "     │ ━━━▸"),
        (Held(100), "     │     "),
    ],
)
def test_a_strip_shows_where_a_number_stands(held: Held | None, strip: str) -> None:
    assert _strip(held, 100) == strip


@pytest.mark.parametrize(
    ("truth", "axis"), [(100, "0   100 200"), (9, "0    9   18"), (12345, "0  12345   ")]
)
def test_over_the_strips_stands_the_truth(truth: int, axis: str) -> None:
    assert _axis(truth) == axis


@pytest.mark.parametrize(
    ("held", "text"),
    [
        (None, "-"),
        (Held(5), "none"),
        (Held(5, 1505, 1500), "+1,500"),
        (Held(5, 5.2, 0.2), "0"),
        (Held(5, 3, -2), "-2"),
        (Held(5, at_least=1, at_most=9, outside=0, beyond=0, width=8), "in 8 wide"),
        (Held(5, at_least=7, at_most=9, outside=1, beyond=2, width=2), "2 off 2 wide"),
        (Held(5, at_least=6, at_most=9, outside=0.5, beyond=1, width=2), "50% miss 2 wide"),
        (Held(5, at_least=1, outside=0, beyond=0), "in, no end"),
        (Held(5, 5, 0.04, deviation=2, root_mean_square=2), "rms 2.0 bias 0"),
        (Held(5, 6, 1, deviation=2, root_mean_square=3), "rms 3.0 bias +1.0"),
    ],
)
def test_how_far_off_in_words(held: Held | None, text: str) -> None:
    assert off(held) == text


def test_other_words() -> None:
    several = msgspec.structs.replace(
        ROWS[1], repeats=3, total=Held(100, 400.25, 300.25, deviation=7.5)
    )
    assert shown(several) == "400.2 (sd 7.5, 3 runs)"
    noisy = msgspec.structs.replace(
        several, total=Held(100, 101.0, 1.0, outside=1 / 3, deviation=7.5)
    )
    assert shown(noisy) == "101.0 (sd 7.5, 3 runs); 33% miss"
    assert brief(noisy) == "101.0 (sd 7.5, 3 runs)"
    assert brief(ROWS[3]) == "65–345 (30 shown)"  # noqa: RUF001 - a dash that means to
    assert shown(row("acro", "site", None)) == "nothing"
    assert [p(value) for value in (None, 0.0001, 0.25)] == ["-", "<0.001", "0.250"]
    assert [times(value) for value in (1.0, 1234.5)] == ["x 1.00", "x >99"]


def test_what_is_missing_of_a_row_is_said_with_its_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reason = "no log-rank p and no hazard ratios: they would take the rule for patients"
    untested = msgspec.structs.replace(
        ROWS[2], log_rank_p=None, hazard_ratios=(), reasons=(reason,)
    )
    curveless = row("dp", "network", 99, (Held(0.5), near()[1]), Group.OURS)
    print_comparison(report((untested, curveless)), "text")
    text = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "round-up-10 sum 0 +25.0 none none" in lines
    assert "dp sum 0 none (1/2 arms) 0.125 x 2.00" in lines
    assert f"{reason}: round-up-10" in " ".join(text.split())
    made = files(report((untested, curveless)))
    figure = ET.fromstring(made["compare.svg"])  # noqa: S314 - our own
    texts = [found.text for found in figure.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("none") == 1
    page = made["compare.html"].decode()
    assert reason.removeprefix("no") in page


def test_what_is_by_day_has_the_truth_by_day_beside_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exact = msgspec.structs.replace(row("exact", "network", 100, near()), unit="day")
    print_comparison(report((ROWS[0], exact)), "text")
    text = capsys.readouterr().out
    assert "truth: one: 60 patients, 50.0 % alive at 36 months (51.0 by day)" in text
    assert "true p of the log-rank test: 0.250 (0.200 by day)" in text
    assert "by day for exact" in " ".join(text.split())
    lines = list(csv.DictReader(io.StringIO(as_csv(report((ROWS[0], exact))))))
    assert [(line["time"], line["true_p"]) for line in lines] == [("month", "0.25"), ("day", "0.2")]


def test_the_figure_draws_every_row_and_no_number_for_what_is_withheld() -> None:
    groups, truth = drawn(report().result)
    assert [group.heading for group in groups] == [Group.OURS, Group.BARE]
    assert [len(group.lines) for group in groups] == [1, 4]
    withheld = groups[1].lines[2]
    assert (withheld.total.at, withheld.total.least, withheld.total.most) == (None, 65, 345)
    assert truth.survival == (0.5, 0.4)
    svg = files(report())["compare.svg"].decode()
    root = ET.fromstring(svg)  # noqa: S314 - our own
    texts = [found.text for found in root.iter("{http://www.w3.org/2000/svg}text")]
    for said in ("truth: 100", "round-up-10", "each site", "the sum", "400", "BARE RULES"):
        assert said in texts
    assert texts.count("refused") == 4
    assert "alive at 36 months" in svg


def test_the_same_comparison_gives_the_same_files() -> None:
    assert files(report()) == files(report())


def test_the_page_needs_nothing_else_and_escapes_what_it_is_told() -> None:
    page = files(report())["compare.html"].decode()
    assert "A study of &lt;nobody&gt;" in page
    assert "<nobody>" not in page
    assert not re.search(r"<script|(?:src|href)=.?(?!#)http", page)
    assert "default-src &#x27;none&#x27;" in page
    assert "it is so." in page


def test_figures_of_studies_without_landmarks_or_with_many_arms_are_drawn() -> None:
    bare = msgspec.structs.replace(
        report().result,
        months=None,
        truth=msgspec.structs.replace(
            TRUTH,
            by_month=msgspec.structs.replace(TRUTH.by_month, survival=(None, None)),
        ),
        rows=(row("exact", "network", 100, group=Group.OURS),),
    )
    made = report((row("exact", "network", 100, group=Group.OURS),))
    assert files(msgspec.structs.replace(made, result=bare))["compare.png"].startswith(b"\x89PNG")


def test_all_forms_are_written(tmp_path: Path) -> None:
    write_comparison(report(), tmp_path / "new")
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        f"compare.{suffix}" for suffix in ("json", "csv", "txt", "html", "svg", "png")
    }
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        write_comparison(report(), tmp_path / "file")


def test_survival_near_the_truth_is_shown_so() -> None:
    assert near()[0].farthest == 0.0
