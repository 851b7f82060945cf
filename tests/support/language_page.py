"""Writes docs/language.md: the drawn tables of tests/spec, each with its question and its answer.

The spec tests are called with a `Site` that keeps what it is asked, so that the page shows what is
tested and nothing else. ``python -m tests.support.language_page`` writes the page.
"""

from __future__ import annotations

import importlib.util
import inspect
import itertools
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

from tests.support.recorder import Asked, Recorder
from tests.support.records import WORDS

ROOT: Final = Path(__file__).parents[2]
SPEC: Final = ROOT / "tests" / "spec"
PAGE: Final = ROOT / "docs" / "language.md"
# The one is about size: long questions, short tables. The other is about what can be told of a
# cohort, not about how it is asked for.
LEFT_OUT: Final = ("limits", "descriptions")
TOPICS: Final = (
    "concept_sets",
    "events",
    "windows_and_counts",
    "values",
    "patients_and_groups",
    "observation",
    "cohorts",
    "any_index",
    "subgroups",
    "outcomes",
    "moments",
    "deaths_by_month",
    "lines",
)
_HEAD: Final = """\
# What each form means, patient by patient

Generated from `tests/spec` by `make language`; do not edit. Each table below is a test: the
patients are written into a small OMOP database, and two engines that share no code, the SQL that a
site runs and a plain interpreter, must both find what is written here. [Writing a
study](writing-a-study.md) gives the overview.

A record lists the facts of one patient. `chemo on 5` is a drug on the fifth day after 2020-01-01,
which is day 0; `?` is a day that is not recorded; `watched -9 to 40` is a period of observation.
Patients are women born in 1960 where nothing else is said. Unless a question names another, the
index is the first `index`, and everyone is in one arm. The words stand for codes:

| word | stands for |
| --- | --- |
"""


def page(folder: Path) -> str:
    """The page as Markdown.

    Args:
        folder: Where small databases may be written.
    """
    words = [f"| `{word}` | {_code(code)} |" for word, code in WORDS.items()]
    sections = [_topic(name, folder) for name in TOPICS]
    return _HEAD + "\n".join(words) + "\n\n" + "\n".join(sections)


def _code(text: str) -> str:
    kind, code = text.split(" ", 1)
    return f"{kind} {code}"


def _topic(name: str, folder: Path) -> str:
    module = _module(name)
    introduction = inspect.getdoc(module)
    if not introduction:
        raise ValueError(f"tests/spec/test_{name}.py says in no docstring what it is about")
    parts = [f"## {name.replace('_', ' ').capitalize()}", introduction]
    for test_name, test in list(vars(module).items()):
        if test_name.startswith("test_"):
            recorder = Recorder(folder)
            vars(module)["question"] = recorder.question
            for arguments in _cases(test):
                test(recorder, **arguments)
            parts += [f"### {_sentence(test_name)}", *_shown(recorder.asked)]
    return "\n\n".join(parts) + "\n"


def _module(name: str) -> ModuleType:
    """A copy of a spec module of its own, so that the tests' is not touched."""
    spec = importlib.util.spec_from_file_location(f"language_page_{name}", SPEC / f"test_{name}.py")
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _cases(test: Callable[..., None]) -> Iterator[dict[str, object]]:
    """The arguments of each case of a test: one without any, where it has no parameters."""
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    choices = []
    for mark in marks:
        names = [mark.args[0]] if isinstance(mark.args[0], str) else list(mark.args[0])
        values = [value if len(names) > 1 else (value,) for value in mark.args[1]]
        choices.append([dict(zip(names, value, strict=True)) for value in values])
    for chosen in itertools.product(*choices):
        yield {name: value for part in chosen for name, value in part.items()}


def _sentence(test_name: str) -> str:
    return test_name.removeprefix("test_").replace("_", " ").capitalize()


def _shown(asked: Sequence[Asked]) -> list[str]:
    """The calls of one test; those about the same records become one table."""
    if not asked:
        raise ValueError("a spec test that asks nothing")
    records = [[row["record"] for row in one.people] for one in asked]
    alike = all(found == records[0] for found in records) and not any(one.answer for one in asked)
    if len(asked) > 1 and alike and len({(one.parts, one.by_month) for one in asked}) == 1:
        return _side_by_side(asked)
    found = []
    for one in asked:
        found += _fence(one, one.criterion)
        found.append(_drawn(one.people))
        if one.answer:
            found.append(one.answer)
    return list(dict.fromkeys(found)) if len(asked) > 1 else found


def _side_by_side(asked: Sequence[Asked]) -> list[str]:
    texts = [one.criterion for one in asked]
    before, after = _common(texts), _common([text[::-1] for text in texts])[::-1]
    names = [text[len(before) : len(text) - len(after)] for text in texts]
    head = [f"`{row['record']}`" for row in asked[0].people]
    rows = [
        [f"`{name}`", *(row["fits"] for row in one.people)]
        for name, one in zip(names, asked, strict=True)
    ]
    return [*_fence(asked[0], f"{before}...{after}"), _grid(["...", *head], rows)]


def _common(texts: Sequence[str]) -> str:
    """What all texts begin with, up to the end of a word."""
    pairs = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    found = "".join(letters[0] for letters in pairs)
    return found[: max(found.rfind(mark) for mark in " {}[]") + 1]


def _drawn(people: Sequence[Mapping[str, str]]) -> str:
    head = list(people[0]) if people else ["record"]
    rows = [[f"`{row['record']}`", *list(row.values())[1:]] for row in people]
    return _grid(head, rows) if rows else "No patients."


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _fence(one: Asked, criterion: str) -> list[str]:
    asked = f"require: {criterion}" if one.parts and criterion else criterion
    body = (one.parts + asked).strip("\n")
    told = ["Where a site knows deaths by month only:"] if one.by_month else []
    return [*told, f"```yaml\n{body}\n```"] if body else told


def main() -> None:
    """Writes the page."""
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(page(Path(folder)), encoding="utf-8")
    sys.stderr.write(f"wrote {PAGE.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
