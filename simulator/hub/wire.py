"""The wire: one method that carries bytes to sites and brings their bytes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Lost(StrEnum):
    """Why nothing came back from a site."""

    OFF_LINE = "off line"
    SILENT = "no answer before the deadline"
    CRASHED = "its process ended"


@dataclass(frozen=True)
class Reply:
    """The bytes that a site sent back."""

    site: str
    data: bytes


@dataclass(frozen=True)
class Failure:
    """Nothing came back from a site."""

    site: str
    lost: Lost


class Wire(Protocol):
    """A way to the sites of a network. Engines differ only here."""

    def exchange(self, messages: Mapping[str, bytes], seconds: float) -> Iterator[Reply | Failure]:
        """Carries one message to each site; replies come in order of arrival, each site once.

        Args:
            messages: The bytes for each site.
            seconds: The time after which a site that has not answered counts as silent.
        """
