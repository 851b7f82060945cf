"""A site's chance: bytes new each time, and noise that comes back for the same question."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simulator.privacy.sources import ByteSource, keyed_source, system_source

SECRET: Final = "secret.key"  # noqa: S105  # the name of the file
_BYTES: Final = 32


@dataclass(frozen=True)
class Chance:
    """Where a site's randomness comes from.

    Attributes:
        secret: Gives the site's own secret, which never leaves it.
        seeded: Whether all chance follows from the secret, so that runs can be repeated. Whoever
            knows the seed can then take every mask and all noise away.
    """

    secret: Callable[[], bytes]
    seeded: bool = False

    def fresh(self, *labels: str) -> ByteSource:
        """Bytes that are new each time; with a seed, new for other labels."""
        return keyed_source(self.secret(), "fresh", *labels) if self.seeded else system_source

    def sticky(self, *labels: str) -> ByteSource:
        """The same bytes for the same labels, which nobody else can tell from chance."""
        return keyed_source(self.secret(), "sticky", *labels)


def kept_chance(folder: Path) -> Chance:
    """Chance whose secret is kept in a site's folder, made when it is first needed.

    Raises:
        OSError: The secret can neither be read nor made; raised where it is needed.
    """
    return Chance(lambda: _secret(folder / SECRET))


def passing_chance() -> Chance:
    """Chance whose secret ends with the process."""
    secret = os.urandom(_BYTES)
    return Chance(lambda: secret)


def seeded_chance(seed: int, site: str) -> Chance:
    """Chance that follows from a seed and the site's name: for the laboratory, not private."""
    secret = keyed_source(str(seed).encode(), "site", site)(_BYTES)
    return Chance(lambda: secret, seeded=True)


def _secret(path: Path) -> bytes:
    """The secret in a file that only its owner may read."""
    if not path.is_file():
        made = path.with_name(f"{path.name}.{os.getpid()}.partial")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(_BYTES))
        try:
            os.link(made, path)  # of two that make one at the same time, the first wins
        except FileExistsError:
            pass
        finally:
            made.unlink()
    found = path.read_bytes()
    if len(found) != _BYTES:
        raise OSError(f"'{path.name}' holds {len(found)} bytes; {_BYTES} were expected")
    return found
