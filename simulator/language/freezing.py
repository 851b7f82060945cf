"""A study fixed by fingerprints before its results are seen, as a small file beside it."""

from __future__ import annotations

import datetime as dt
import shlex
from pathlib import Path
from typing import Final

import msgspec

from simulator.errors import UserError
from simulator.language.documents import Node, read_document
from simulator.language.fingerprints import PARTS, WHOLE, differing, parts, whole
from simulator.language.study import Study

SUFFIX: Final = ".frozen.yaml"
CODE_LIST: Final = "code list"
_NAMES: Final = (WHOLE, *PARTS, CODE_LIST)
_NO_EDIT: Final = "Take the file as `cohortium freeze` wrote it."
_HEX: Final = frozenset("0123456789abcdef")


class Frozen(msgspec.Struct, frozen=True):
    """What was fixed, and when.

    Attributes:
        study: The study's name.
        version: The study's version.
        at: When it was frozen, in UTC.
        by: The version of cohortium that froze it.
        fingerprints: Of the study's parts, of the whole, and of the bundled code list.
    """

    study: str
    version: int
    at: dt.datetime
    by: str
    fingerprints: dict[str, str]


def freeze(study: Study, *, code_list: str, at: dt.datetime, by: str) -> Frozen:
    """What a study says now.

    Args:
        study: The study. What a publication reported is not frozen: it stands beside the study.
        code_list: The fingerprint of the bundled code list.
        at: The time, in UTC.
        by: The version of cohortium.
    """
    at = at.astimezone(dt.UTC).replace(microsecond=0)
    return Frozen(study.name, study.version, at, by, parts(study) | {CODE_LIST: code_list})


def beside(study: str, name: str) -> Path:
    """Where the file of a frozen study stands: beside a path, otherwise in the current folder.

    Args:
        study: What the user typed: a path, a bundled name, or ``-``.
        name: The study's own name, for what came from standard input.
    """
    if study == "-":
        return Path(f"{name.replace('/', '-')}{SUFFIX}")
    path = Path(study)
    return path.parent / f"{path.name.removesuffix('.yaml')}{SUFFIX}"


def frozen_text(frozen: Frozen) -> str:
    """The file's text, as YAML."""
    lines = [
        "# What was fixed before a result was seen. A run says whether it is what ran.",
        f"frozen: {msgspec.json.encode(frozen.study).decode()}",
        f"version: {frozen.version}",
        f"at: {frozen.at.isoformat()}",
        f"cohortium: {frozen.by}",
        "fingerprints:",
        *(f"  {name}: {frozen.fingerprints[name]}" for name in _NAMES),
    ]
    return "\n".join(lines) + "\n"


def read_frozen(path: Path) -> Frozen:
    """What a file says was frozen.

    Raises:
        UserError: The file is not there or does not fit; the place is named.
    """
    top = read_document(path)
    keys = {key.text() for key, _ in top.entries()} if top.is_mapping else set[str]()
    if not keys & {"frozen", "fingerprints"}:
        top.fail(
            "this is not a file that `cohortium freeze` wrote",
            "`cohortium freeze STUDY` writes one, called STUDY.frozen.yaml.",
        )
    given = top.fields(("frozen", "version", "at", "cohortium", "fingerprints"))
    told = {name: _fingerprint(node) for name, node in given["fingerprints"].fields(_NAMES).items()}
    if told[WHOLE] != whole(told):
        given["fingerprints"].fail("these do not belong together: the file was changed", _NO_EDIT)
    return Frozen(
        study=given["frozen"].text(),
        version=given["version"].integer(at_least=1),
        at=_time(given["at"]),
        by=given["cohortium"].text(),
        fingerprints=told,
    )


def _time(node: Node) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(node.text())
    except ValueError:
        node.fail(f"expected a time such as 2026-01-31T12:00:00+00:00; found '{node.text()}'")
    if found.tzinfo is None:
        node.fail(f"the time '{node.text()}' names no time zone: write +00:00 behind it for UTC")
    return found.astimezone(dt.UTC)


def _fingerprint(node: Node) -> str:
    text = node.text()
    if len(text) != 64 or not set(text) <= _HEX:
        node.fail(
            f"expected a fingerprint, 64 of the signs 0 to 9 and a to f; found '{text}'",
            _NO_EDIT,
        )
    return text


def write_frozen(frozen: Frozen, path: Path) -> Frozen:
    """Writes a file, unless one that says the same stands there; returns what stands there now.

    Raises:
        UserError: A file stands there that says otherwise, or nothing can be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(frozen_text(frozen))
    except FileExistsError:
        return _kept(frozen, path)
    except OSError as error:
        raise UserError(
            f"nothing can be written there: {error.strerror}",
            where=str(path),
            hint="Give --out a file in a folder that can be written to.",
        ) from error
    return frozen


def _kept(frozen: Frozen, path: Path) -> Frozen:
    before = read_frozen(path)
    differs = differing(before.fingerprints, frozen.fingerprints)
    if not differs:
        return before
    raise UserError(
        f"'{before.study}', version {before.version}, was frozen here on {before.at:%Y-%m-%d} and "
        f"said otherwise: {', '.join(differs)}",
        where=str(path),
        hint=f"Freeze beside it with --out FILE, or give it up first: rm {shlex.quote(str(path))}",
    )
