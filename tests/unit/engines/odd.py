"""Sites that misbehave, each in a way of its own, for processes that tests start."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from simulator.engines.frames import Answered, GaveUp, Ready, framed
from simulator.engines.processes import ProcessesWire
from simulator.errors import UserError


class Site:
    """Does what it is told; `data` is the number of the exchange in digits."""

    def __init__(self, name: str, told: str) -> None:
        self.name = name
        self.word, _, self.rest = told.partition(" ")
        self.asked = 0
        self.interrupted = threading.Event()

    def handle(self, data: bytes, seconds: float) -> bytes:
        self.asked += 1
        return _DEEDS[self.word](self, data, seconds)

    def interrupt(self) -> None:
        self.interrupted.set()


def _say(frame: bytes) -> None:
    """Writes to the hub behind the back of whatever serves the socket."""
    os.write(int(sys.argv[1]), frame)


def _echo(_site: Site, data: bytes, _seconds: float) -> bytes:
    return data


def _name(site: Site, _data: bytes, _seconds: float) -> bytes:
    return site.name.encode()


def _left(_site: Site, _data: bytes, seconds: float) -> bytes:
    return f"{seconds:.6f}".encode()


def _pid(_site: Site, _data: bytes, _seconds: float) -> bytes:
    return str(os.getpid()).encode()


def _count(site: Site, _data: bytes, _seconds: float) -> bytes:
    return str(site.asked).encode()


def _sleep(site: Site, data: bytes, _seconds: float) -> bytes:
    time.sleep(float(site.rest))
    return data


def _patient(site: Site, data: bytes, _seconds: float) -> bytes:
    site.interrupted.wait()
    return data


def _once_patient(site: Site, data: bytes, seconds: float) -> bytes:
    return _patient(site, data, seconds) if site.asked == 1 else data


def _die(_site: Site, _data: bytes, _seconds: float) -> bytes:
    os.kill(os.getpid(), signal.SIGKILL)
    return b"still here"


def _leave(_site: Site, _data: bytes, _seconds: float) -> bytes:
    os._exit(0)


def _again(site: Site, data: bytes, _seconds: float) -> bytes:
    """Answers so many times more than once."""
    for _ in range(int(site.rest)):
        _say(framed(Answered(int(data), site.name, data)))
    return data


def _raw(frame: Callable[[Site, int], bytes]) -> Callable[[Site, bytes, float], bytes]:
    """Sends what does not fit, then sleeps, so that nothing else can be the reason."""

    def deed(site: Site, data: bytes, _seconds: float) -> bytes:
        _say(frame(site, int(data)))
        time.sleep(60.0)
        return data

    return deed


MISFITS: Final[Mapping[str, Callable[[Site, int], bytes]]] = {
    "noise": lambda _site, _number: b"\x00\x00\x00\x05noise",
    "long": lambda _site, _number: b"\xff\xff\xff\xff",
    "empty": lambda _site, _number: bytes(4),
    "text": lambda _site, _number: b"\x00\x00\x00\x04\xa3\xff\xfe\xfd",
    "ready-again": lambda _site, _number: framed(Ready()),
    "another-site": lambda _site, number: framed(Answered(number, "elsewhere", b"")),
    "later-exchange": lambda site, number: framed(Answered(number + 1, site.name, b"")),
    "no-exchange": lambda site, _number: framed(Answered(0, site.name, b"")),
    "gives-up-later": lambda _site, number: framed(GaveUp(number + 1)),
}

_DEEDS: Final[Mapping[str, Callable[[Site, bytes, float], bytes]]] = {
    "echo": _echo,
    "name": _name,
    "left": _left,
    "pid": _pid,
    "count": _count,
    "sleep": _sleep,
    "patient": _patient,
    "once-patient": _once_patient,
    "die": _die,
    "leave": _leave,
    "again": _again,
    **{word: _raw(frame) for word, frame in MISFITS.items()},
}


def make(sites: tuple[str, ...], settings: bytes) -> dict[str, Site]:
    """Sites that do what the settings say of each."""
    told: dict[str, str] = msgspec.msgpack.decode(settings)
    return {site: Site(site, told[site]) for site in sites}


def unfit(sites: tuple[str, ...], _settings: bytes) -> dict[str, Site]:
    """Fails where the second site is to be held."""
    if "b" in sites:
        raise UserError("there is nothing", where="site 'b'", hint="Build it.")
    return {site: Site(site, "echo") for site in sites}


def broken(sites: tuple[str, ...], _settings: bytes) -> dict[str, Site]:
    """Ends the process where the second site is to be held."""
    if "b" in sites:
        os._exit(1)
    return {site: Site(site, "echo") for site in sites}


def wire(*groups: Mapping[str, str], threads: int = 2, grace: float = 0.3) -> ProcessesWire:
    """A process for each group; what each of its sites does stands beside its name."""
    told = {site: deed for group in groups for site, deed in group.items()}
    names: Sequence[Sequence[str]] = [tuple(group) for group in groups]
    return ProcessesWire(names, make, msgspec.msgpack.encode(told), threads=threads, grace=grace)
