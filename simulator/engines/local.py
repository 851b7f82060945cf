"""The wire to sites of this process: each message handled by one of a few threads."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Mapping
from typing import Final

from simulator.engines.crew import Crew, Door
from simulator.hub.wire import Failure, Lost, Reply

_GRACE_SECONDS: Final = 2.0


class LocalWire:
    """Nodes of this process, each message handled by one of a few threads.

    Args:
        nodes: The doors of the sites that are on line, by site.
        jobs: How many threads work at once.
    """

    def __init__(self, nodes: Mapping[str, Door], jobs: int) -> None:
        self._nodes = nodes
        self._jobs = jobs

    def exchange(self, messages: Mapping[str, bytes], seconds: float) -> Iterator[Reply | Failure]:
        """Carries one message to each site; see `simulator.hub.wire.Wire`."""
        ends = time.monotonic() + seconds
        replies: queue.SimpleQueue[Reply] = queue.SimpleQueue()
        asked = {site: data for site, data in messages.items() if site in self._nodes}

        def deliver(site: str, data: bytes) -> None:
            replies.put(Reply(site, data))

        crew = Crew(self._nodes, asked, seconds, self._jobs, deliver)
        missing = dict.fromkeys(asked)
        try:
            for site in messages:
                if site not in self._nodes:
                    yield Failure(site, Lost.OFF_LINE)
            while missing:
                left = ends + _GRACE_SECONDS - time.monotonic()
                reply = replies.get(timeout=max(left, 0.0))
                del missing[reply.site]
                yield reply
        except queue.Empty:
            for site in missing:
                yield Failure(site, Lost.SILENT)
        finally:
            crew.give_up(_GRACE_SECONDS)

    @property
    def strays(self) -> tuple[str, ...]:
        """None: whoever is late here is interrupted, and nobody can answer twice."""
        return ()

    def close(self) -> None:
        """Nothing is to be ended here: the databases are closed with this process."""
