"""Reads YAML so that every complaint can name file, line and column.

Scalars stay text (``0400`` and ``NO`` are codes, not numbers), duplicate keys are refused, and each
value is asked for by type through a `Node`, which knows where it stands.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, NoReturn, TypeVar

import yaml

from simulator.bundled import library
from simulator.errors import UserError, nearest, one_of

Value = TypeVar("Value")
Word = TypeVar("Word", bound=StrEnum)

_KIND: Final = {
    yaml.ScalarNode: "a single value",
    yaml.SequenceNode: "a list",
    yaml.MappingNode: "a mapping (key: value)",
}
_TRUE: Final = ("true", "yes")
_FALSE: Final = ("false", "no")
_AS_TEXT: Final = "Save it as plain text in UTF-8."


@dataclass(frozen=True)
class Node:
    """A value in a document and the place where it stands.

    Attributes:
        name: What the file is called in messages.
        yaml: The composed node.
        path: The way from the top, such as ``cohort.steps[2]``; empty at the top.
    """

    name: str
    yaml: yaml.Node
    path: str = ""

    @property
    def where(self) -> str:
        """``file:line:column``, counted from 1."""
        mark = self.yaml.start_mark
        return f"{self.name}:{mark.line + 1}:{mark.column + 1}"

    def fail(self, message: str, hint: str | None = None) -> NoReturn:
        """Raises a UserError at this place."""
        subject = f"{self.path}: " if self.path else ""
        raise UserError(f"{subject}{message}", where=self.where, hint=hint)

    def _found(self) -> str:
        if isinstance(self.yaml, yaml.ScalarNode):
            return f"'{self.yaml.value}'" if self.yaml.value else "nothing"
        return _KIND[type(self.yaml)]

    @property
    def is_text(self) -> bool:
        """Whether this is a single value."""
        return isinstance(self.yaml, yaml.ScalarNode)

    @property
    def is_list(self) -> bool:
        """Whether this is a list."""
        return isinstance(self.yaml, yaml.SequenceNode)

    @property
    def is_mapping(self) -> bool:
        """Whether this is a mapping."""
        return isinstance(self.yaml, yaml.MappingNode)

    def text(self) -> str:
        """The value as text, never empty."""
        if not isinstance(self.yaml, yaml.ScalarNode) or not self.yaml.value.strip():
            self.fail(f"expected a single value; found {self._found()}")
        return str(self.yaml.value).strip()

    def parsed(self, parse: Callable[[str], Value], expected: str) -> Value:
        """The text through a function that raises ValueError when it does not fit."""
        text = self.text()
        try:
            return parse(text)
        except ValueError:
            self.fail(f"expected {expected}; found '{text}'")

    def integer(self, at_least: int | None = None, at_most: int | None = None) -> int:
        """A whole number within bounds, both included."""
        value = self.parsed(int, "a whole number")
        self._check_bounds(value, at_least, at_most)
        return value

    def number(self, at_least: float | None = None, at_most: float | None = None) -> float:
        """A number within bounds, both included."""
        value = self.parsed(float, "a number")
        if value != value:
            self.fail("expected a number; found 'nan'")
        self._check_bounds(value, at_least, at_most)
        return value

    def _check_bounds(self, value: float, at_least: float | None, at_most: float | None) -> None:
        if at_least is not None and value < at_least:
            self.fail(f"expected at least {at_least}; found {value}")
        if at_most is not None and value > at_most:
            self.fail(f"expected at most {at_most}; found {value}")

    def boolean(self) -> bool:
        """``true`` or ``false`` (also ``yes`` or ``no``)."""
        text = self.text().lower()
        if text not in _TRUE + _FALSE:
            self.fail(f"expected 'true' or 'false'; found '{text}'")
        return text in _TRUE

    def date(self) -> dt.date:
        """A date written YYYY-MM-DD."""
        return self.parsed(dt.date.fromisoformat, "a date written YYYY-MM-DD")

    def word(self, words: type[Word]) -> Word:
        """One of the words of an enumeration."""
        text = self.text()
        try:
            return words(text)
        except ValueError:
            known = [str(word) for word in words]
            self.fail(f"expected {one_of(known)}; found '{text}'", nearest(text, known))

    def items(self) -> tuple[Node, ...]:
        """The members of a list."""
        if not isinstance(self.yaml, yaml.SequenceNode):
            self.fail(f"expected a list; found {self._found()}")
        return tuple(
            Node(self.name, member, f"{self.path}[{number}]")
            for number, member in enumerate(self.yaml.value)
        )

    def entries(self) -> tuple[tuple[Node, Node], ...]:
        """The keys and values of a mapping in the file's order; duplicate keys are refused."""
        if not isinstance(self.yaml, yaml.MappingNode):
            self.fail(f"expected a mapping (key: value); found {self._found()}")
        seen: dict[str, Node] = {}
        found: list[tuple[Node, Node]] = []
        for key_yaml, value_yaml in self.yaml.value:
            key = Node(self.name, key_yaml, self.path)
            word = key.text()
            if word in seen:
                key.fail(f"the key '{word}' stands here twice; first at {seen[word].where}")
            seen[word] = key
            found.append((key, Node(self.name, value_yaml, f"{self.path}.{word}".lstrip("."))))
        return tuple(found)

    def fields(self, required: Iterable[str], optional: Iterable[str] = ()) -> dict[str, Node]:
        """The values of a mapping with a fixed set of keys."""
        needed = list(required)
        known = [*needed, *optional]
        found: dict[str, Node] = {}
        for key, value in self.entries():
            word = key.text()
            if word not in known:
                key.fail(
                    f"unknown key '{word}'; expected {one_of(known)}",
                    nearest(word, known),
                )
            found[word] = value
        missing = [word for word in needed if word not in found]
        if missing:
            self.fail(f"the key {one_of(missing[:1])} is missing")
        return found


def parse_document(text: str, name: str) -> Node:
    """The top node of one YAML document.

    Raises:
        UserError: The text is not YAML, or is empty.
    """
    try:
        top = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise UserError(f"this is not YAML: {_in_words(error, text)}", where=where) from error
    except RecursionError:
        raise UserError("the document is nested too deeply to be read", where=name) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise UserError(
            f"this is not YAML: a sign that is no text (number {error.character}) stands here",
            where=f"{name}:{line}",
            hint=_AS_TEXT,
        ) from error
    except yaml.YAMLError as error:
        raise UserError(f"this is not YAML: {error}", where=name) from error
    if top is None:
        raise UserError("the document is empty", where=name)
    return Node(name, top)


def _in_words(error: yaml.MarkedYAMLError, text: str) -> str:
    """What the parser found, said for someone who writes YAML but has never parsed it."""
    problem, mark = error.problem or "", error.problem_mark
    if problem.endswith("cannot start any token"):
        lines = text.splitlines()
        begun = lines[mark.line][mark.column :] if mark and mark.line < len(lines) else ""
        if begun.startswith("\t"):
            return "a tab stands here; YAML is indented with blanks"
        return f"a text that begins with '{begun[:1]}' needs quotes around it"
    if problem.startswith("expected <block end>"):
        above = error.context_mark
        told = f"; what it stands in begins at {above.line + 1}:{above.column + 1}" if above else ""
        return f"this line does not begin where the lines that it belongs to begin{told}"
    if problem.startswith("mapping values are not allowed"):
        return (
            "no 'key: value' can stand here; either the line is indented too far, "
            "or a text with ': ' in it needs quotes around it"
        )
    if problem.startswith("sequence entries are not allowed"):
        return "no '- ' can stand here; a list begins on a line of its own"
    return problem.replace("'<stream end>'", "the end of the file")


def read_document(path: Path) -> Node:
    """The top node of a YAML file.

    Raises:
        UserError: The file is not there, not UTF-8, or not YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError("there is no such file", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise UserError("this is not text in UTF-8", where=str(path), hint=_AS_TEXT) from error
    except OSError as error:
        raise UserError(f"the file cannot be read: {error.strerror}", where=str(path)) from error
    return parse_document(text, _shown(path))


def _shown(path: Path) -> str:
    """What messages call a file: as it was given, so that it can be opened; ours by its name."""
    ours = any(library(room) in path.parents for room in ("queries", "sites"))
    return path.name if ours else str(path)
