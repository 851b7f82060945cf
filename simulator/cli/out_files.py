"""Writes files into the folder that --out names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from simulator.errors import UserError


def write_files(what: str, contents: Mapping[str, bytes], folder: Path) -> None:
    """Writes files into a folder, which is made if it is not there.

    Args:
        what: What they are, for the error, such as ``the result``.
        contents: The bytes of each file by its name.
        folder: The folder.

    Raises:
        UserError: Nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise UserError(
            f"{what} cannot be written to '{folder}': {error.strerror}",
            hint="Give --out a folder that can be made or written to.",
        ) from error
