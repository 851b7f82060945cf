"""Keeps all that passes over a wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from simulator.hub.wire import Failure, Reply, Wire


class Tap:
    """A wire that keeps every message with the site that it went to or came from.

    Attributes:
        sent: In the order of asking.
        received: In the order of arrival.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.sent: list[tuple[str, bytes]] = []
        self.received: list[tuple[str, bytes]] = []

    def exchange(self, messages: Mapping[str, bytes], seconds: float) -> Iterator[Reply | Failure]:
        """As `simulator.hub.wire.Wire`."""
        self.sent += messages.items()
        for reply in self._wire.exchange(messages, seconds):
            if isinstance(reply, Reply):
                self.received.append((reply.site, reply.data))
            yield reply
