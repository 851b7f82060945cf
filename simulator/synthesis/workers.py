"""A few processes that each build one site after another, and stop at once when asked to."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from typing import Final

from simulator.errors import CohortiumError
from simulator.synthesis.networks import NetworkFile
from simulator.synthesis.plan import SitePlan
from simulator.synthesis.site_build import SiteBuilder

_PATIENCE: Final = 5.0  # seconds that a stopped worker is given before it is killed


def _work(channel: Connection, network: NetworkFile, seed: int, destination: Path) -> None:
    """Runs in a worker: builds what it is sent until it is sent nothing more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    builder = SiteBuilder(network, seed, destination)
    while True:
        try:
            plan: SitePlan | None = channel.recv()
        except EOFError:  # the parent was killed: nobody is left to tell
            return
        if plan is None:
            return
        try:
            builder.build(plan)
        except Exception as error:  # noqa: BLE001 - the parent raises it in its own name
            channel.send(error)
        else:
            channel.send(plan.number)


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Ctrl-C waits meanwhile, and processes started meanwhile never see it.

    A worker must not answer Ctrl-C with a traceback of its own; the parent stops it instead.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass
class _Worker:
    process: SpawnProcess
    channel: Connection
    site: str = ""


def _start(context: SpawnContext, network: NetworkFile, seed: int, destination: Path) -> _Worker:
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, network, seed, destination), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _stop(workers: Sequence[_Worker]) -> None:
    for worker in workers:
        worker.channel.close()
        worker.process.terminate()
    for worker in workers:
        worker.process.join(_PATIENCE)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def _receive(worker: _Worker, network: NetworkFile) -> None:
    try:
        answer = worker.channel.recv()
    except (EOFError, OSError):
        raise CohortiumError(
            f"the process that built site '{worker.site}' died",
            where=f"network '{network.name}'",
            hint="Build again; it goes on with the missing sites. Fewer --jobs need less memory.",
        ) from None
    if isinstance(answer, Exception):
        raise answer


def build_in_processes(
    plans: Sequence[SitePlan],
    network: NetworkFile,
    *,
    seed: int,
    destination: Path,
    jobs: int,
    on_site: Callable[[str], None],
) -> None:
    """Builds sites in processes of their own.

    Args:
        plans: The sites, in the order in which they are begun.
        network: The network.
        seed: Its seed.
        destination: The network's folder.
        jobs: Processes.
        on_site: Told the name of each site that is done, in this process.

    Raises:
        CohortiumError: A process died.
        KeyboardInterrupt: Ctrl-C; all processes are stopped by then.
    """
    context = multiprocessing.get_context("spawn")
    # Its first start lets Ctrl-C through again, so it must not fall into the time held back below.
    resource_tracker.ensure_running()
    waiting = list(reversed(plans))
    workers: list[_Worker] = []

    def hand_out(worker: _Worker) -> bool:
        plan = waiting.pop() if waiting else None
        worker.site = "" if plan is None else network.organisations[plan.number].site
        worker.channel.send(plan)
        return plan is not None

    try:
        with _interrupts_held_back():
            workers.extend(
                _start(context, network, seed, destination) for _ in range(min(jobs, len(plans)))
            )
        busy = {worker.channel: worker for worker in workers if hand_out(worker)}
        while busy:
            for channel in wait(list(busy)):
                worker = busy[channel]  # type: ignore[index]
                _receive(worker, network)
                done = worker.site
                if not hand_out(worker):
                    del busy[worker.channel]
                on_site(done)
        for worker in workers:
            worker.process.join(_PATIENCE)
    finally:
        _stop(workers)
