"""Types what a guide shows, in order, and says what its outputs should be.

A ``yaml`` block of a study or cohort is saved under its name. Each line of a ``console`` block is
typed; a comment ``<!-- ends with 2 -->`` before the block says how it ends, if not with 0. A
``text`` block after it is what is printed; a line ``...`` stands for lines that are not shown.
"""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

BLOCK: Final = re.compile(r"```(yaml|console|text)\n(.*?)```", re.S)
_ENDS: Final = re.compile(r"<!-- ends with (\d+) -->\s*$")
_NAMED: Final = re.compile(r"(?:study|cohort): (\S+)\n")
_DIGITS: Final = re.compile(r"[-0-9.,a-f]*\d[-0-9.,a-f]*")
# What is typed once, outside of what a test can repeat.
NOT_TYPED: Final = ("make network", "source .venv/bin/activate")

Typing = Callable[[Sequence[str]], tuple[int, str]]
"""Runs the words after ``cohortium``; gives the exit code and what was printed."""


def typed(guide: str, folder: Path, run: Typing) -> str:
    """The guide with the outputs that its commands print now.

    Args:
        guide: The text of the guide.
        folder: Where its files are saved; commands are run there.
        run: Types a command.

    Raises:
        AssertionError: A command ends otherwise than the guide says.
    """
    parts, last, printed = [], 0, ""
    for block in BLOCK.finditer(guide):
        kind, body = block.groups()
        before, last = guide[last : block.start()], block.end()
        if kind == "yaml":
            _save(body, folder)
        elif kind == "console":
            ends = _ENDS.search(before)
            printed = _type(body, int(ends[1]) if ends else 0, run)
        else:
            body = as_shown(body, printed)
        parts += [before, f"```{kind}\n{body}```"]
    return "".join([*parts, guide[last:]])


def as_shown(shown: str, printed: str) -> str:
    """What was printed, cut to the lines that are shown.

    Each run of shown lines is found by its first line, numbers aside.
    """
    lines, found, start = printed.splitlines(), [], 0
    for left_out, chunk in itertools.groupby(shown.splitlines(), lambda line: line == "..."):
        wanted = list(chunk)
        if left_out:
            found.append("...")
            continue
        alike = [_alike(line) for line in lines[start:]]
        assert _alike(wanted[0]) in alike, f"nothing printed looks like '{wanted[0]}'"
        first = start + alike.index(_alike(wanted[0]))
        start = first + len(wanted)
        found += lines[first:start]
    return "".join(f"{line}\n" for line in found)


def _save(body: str, folder: Path) -> None:
    named = _NAMED.match(body)
    if named:
        (folder / f"{named[1]}.yaml").write_text(body, encoding="utf-8")


def _type(body: str, ends: int, run: Typing) -> str:
    said = []
    for line in body.splitlines():
        if line in NOT_TYPED:
            continue
        name, *words = shlex.split(line, comments=True)
        assert name == "cohortium", f"only cohortium is typed here: {line}"
        code, out = run(words)
        assert code == ends, f"{line}: ends with {code}, not {ends}\n{out}"
        said.append(out)
    return "".join(said)


def _alike(line: str) -> str:
    """A line without its numbers and the room that they take."""
    return " ".join(_DIGITS.sub("#", line).split())
