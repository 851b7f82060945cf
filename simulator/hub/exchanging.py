"""One message to each of some sites, and what came of it: an answer that fits, or a loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from simulator.hub.wire import Failure, Lost, Wire
from simulator.messages.codec import MalformedMessage, decode_answer
from simulator.messages.protocol import Answer
from simulator.messages.requests import Apology, Refusal

Progress = Callable[[str], None]
Read = TypeVar("Read")

_TWICE = "it answered twice"


@dataclass
class Traffic:
    """How much crossed the wire."""

    sent: int = 0
    received: int = 0


@dataclass(frozen=True)
class Loss:
    """A site that was asked and gave no usable answer."""

    site: str
    reason: str
    refused: bool = False


@dataclass(frozen=True)
class Exchanges:
    """A way to sites on which every failure becomes a loss that names the site.

    Attributes:
        wire: The way.
        seconds: The deadline of each exchange.
        traffic: Is added to.
    """

    wire: Wire
    seconds: float
    traffic: Traffic

    def ask(
        self,
        messages: Mapping[str, bytes],
        read: Callable[[str, Answer], Read],
        progress: Progress = lambda _site: None,
    ) -> tuple[dict[str, Read], tuple[Loss, ...]]:
        """Sends each site its message.

        Args:
            messages: The bytes for each site.
            read: Makes of a site's answer what is wanted; raises `MalformedMessage` where the
                answer does not fit.
            progress: Is called with the name of each site that has answered.

        Returns:
            What was read of each site that answered, and the others, in the order of the messages.
        """
        self.traffic.sent += sum(map(len, messages.values()))
        found: dict[str, Read] = {}
        lost: dict[str, Loss] = {}
        for reply in self.wire.exchange(messages, self.seconds):
            site = reply.site
            if isinstance(reply, Failure):
                found.pop(site, None)  # it is lost, or it answered; never both
                lost.setdefault(site, Loss(site, str(reply.lost)))
                continue
            self.traffic.received += len(reply.data)
            if site in found:  # which of the two is true cannot be known
                del found[site]
                lost[site] = Loss(site, _TWICE)
            if site in lost or site not in messages:  # too late, or nobody asked it
                continue
            outcome = _outcome(site, reply.data, read)
            if isinstance(outcome, Loss):
                lost[site] = outcome
            else:
                found[site] = outcome
            progress(site)
        for site in messages:
            if site not in found and site not in lost:
                lost[site] = Loss(site, str(Lost.SILENT))
        return found, tuple(lost[site] for site in messages if site in lost)


def _outcome(site: str, data: bytes, read: Callable[[str, Answer], Read]) -> Read | Loss:
    """What a site's answer says, or why it says nothing."""
    try:
        answer = decode_answer(data)
        match answer:
            case Refusal():
                return Loss(site, answer.reason, refused=True)
            case Apology():
                return Loss(site, str(answer.trouble))
            case _:
                return read(site, answer)
    except MalformedMessage as error:
        return Loss(site, f"its answer does not fit: {error}")
