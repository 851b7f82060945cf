"""A progress bar on stderr, shown only on a terminal and only when it takes over a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_PATIENCE_SECONDS: Final = 1.0


@contextmanager
def progress_bar(verb: str, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Lends a function to call with the total whenever one site is done."""
    if quiet or not sys.stderr.isatty():
        yield lambda _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    started = time.monotonic()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("sites"),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(verb, total=None)
    shown = False

    def advance(total: int) -> None:
        nonlocal shown
        if not shown and time.monotonic() - started > _PATIENCE_SECONDS:
            bar.start()
            shown = True
        bar.update(task, total=total, advance=1)

    try:
        yield advance
    finally:
        if shown:
            bar.stop()
