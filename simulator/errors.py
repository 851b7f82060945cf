"""What can go wrong, as a tree, and the exit code that each branch ends a command with.

CohortiumError
├── UserError            exit 2   the study, the network file or the command is wrong
├── Refused              exit 3   a policy or a release rule says no
├── TooFewAnswers        exit 4   too many sites did not answer
├── VerificationFailed   exit 5   two ways to the same number disagree
└── Interrupted          exit 130 the user pressed Ctrl-C
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class CohortiumError(Exception):
    """An error that is told to the user in words, never as a traceback.

    Args:
        message: What was found, and what was expected.
        where: The place, such as ``bclm.yaml:12:5`` or ``site 'northfield'``.
        hint: What to type or change next.
    """

    exit_code = 1

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        self.message = message
        self.where = where
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n  {self.hint}" if self.hint else text


class UserError(CohortiumError):
    """The input is wrong; nothing was run."""

    exit_code = 2


class Refused(CohortiumError):
    """A site's policy or a release rule does not let this out."""

    exit_code = 3


class TooFewAnswers(CohortiumError):
    """Fewer sites answered than the study demands."""

    exit_code = 4


class VerificationFailed(CohortiumError):
    """Two ways to the same number disagree."""

    exit_code = 5


class Interrupted(CohortiumError):
    """The user stopped the command; nothing half-written is left behind."""

    exit_code = 130


def nearest(word: str, known: Iterable[str]) -> str | None:
    """A sentence that names the valid word most like `word`, or None where nothing is like it."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"Did you mean '{close[0]}'?" if close else None


def one_of(words: Iterable[str]) -> str:
    """The words as a person lists them: ``'a', 'b' or 'c'``."""
    quoted = [f"'{word}'" for word in words]
    if len(quoted) < 2:
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"
