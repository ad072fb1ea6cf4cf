"""How far is the reading? A bar on standard error, if that is a terminal that can take a line back."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from layerscope.render.escape import one_line
from layerscope.render.words import fit

Report = Callable[[int, int | None, str], None]
_PAUSE = 0.05


@contextmanager
def show_progress(*, quiet: bool) -> Iterator[Report | None]:
    """Yield what takes the progress, None where nobody would see it; the bar is gone afterwards."""
    if quiet or sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (BarColumn(24), DownloadColumn(), TextColumn("{task.fields[what]}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None, what="")
        shown = 0.0

        def report(done: int, total: int | None, what: str) -> None:
            nonlocal shown
            now = time.monotonic()
            if now - shown >= _PAUSE or done == total:
                shown = now
                progress.update(task, completed=done, total=total, what=fit(one_line(what), 40))

        yield report
