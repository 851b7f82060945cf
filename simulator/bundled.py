"""Finds the files that ship with the package, in a checkout and in an installed wheel alike."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from simulator.errors import UserError, nearest, one_of

_PACKAGE = Path(__file__).resolve().parent


def library(room: str) -> Path:
    """The folder ``queries`` or ``sites``: beside the package, or inside it in a wheel."""
    inside = _PACKAGE / "library" / room
    return inside if inside.is_dir() else _PACKAGE.parent / room


def names(folder: str, suffix: str = ".yaml") -> tuple[str, ...]:
    """The bundled names below a folder such as ``queries/studies``, sorted."""
    room, _, rest = folder.partition("/")
    found = (path.name.removesuffix(suffix) for path in (library(room) / rest).glob(f"*{suffix}"))
    # What is frozen beside a bundled study, as bclm.frozen.yaml, is none itself.
    return tuple(sorted(name for name in found if "." not in name))


def find(folder: str, name: str, suffix: str = ".yaml") -> Path:
    """The bundled file of that name below a folder such as ``sites/scenarios``.

    Raises:
        UserError: There is no such name; the message lists those there are.
    """
    room, _, rest = folder.partition("/")
    path = library(room) / rest / f"{name}{suffix}"
    if name in names(folder, suffix):
        return path
    known = names(folder, suffix)
    raise UserError(
        f"there is no '{name}' among the bundled {rest or room}: {one_of(known)}",
        hint=nearest(name, known),
    )


def locate(folder: str, name_or_path: str, suffix: str = ".yaml") -> Path:
    """A path as it stands if it looks like one (a slash or the suffix), else the bundled file.

    Raises:
        UserError: The path does not exist, or there is no such bundled name.
    """
    if "/" not in name_or_path and not name_or_path.endswith(suffix):
        return find(folder, name_or_path, suffix)
    path = Path(name_or_path)
    if path.is_dir():
        raise UserError(f"'{name_or_path}' is a folder", hint="Give the path of a file in it.")
    if not path.is_file():
        raise UserError(f"there is no file '{name_or_path}'", hint="Give a path or a bundled name.")
    return path


def meant(name: str, known: Iterable[str], suffix: str = ".yaml") -> str | None:
    """What somebody may have meant by a name that is not bundled; None if nothing is like it.

    Args:
        name: What was typed, without a slash and without the suffix.
        known: The bundled names.
        suffix: What the names of files end with.
    """
    if not name.strip():
        return "Give a bundled name, or the path of a file."
    for file in (f"{name}{suffix}", f"./{name}"):
        if Path(file).is_file():
            return f"Did you mean '{file}'?"
    folder = f"'{name}' is a folder: give the path of a file in it."
    return nearest(name, known) or (folder if Path(name).is_dir() else None)
