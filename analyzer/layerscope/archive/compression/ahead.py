"""Can the next bytes be made while the last ones are looked at?

Decompressing and hashing let go of the interpreter, so a thread does them while another one reads what has come out.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from queue import SimpleQueue

from layerscope.archive.heap import trim

ROOM = 2
BATCH = 1 << 19
"""Small enough that what was made still lies in the processor's cache when it is looked at."""
LEAST = 1 << 20


def pays(size: int, *, hashed: bool) -> bool:
    """Whether a thread is worth its while for so many bytes: they are not few, and there is a core for it.

    Only where they are `hashed`: all else is done with them in less time than handing them over takes.
    """
    if not hashed:
        return False
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return size >= LEAST and cores > 1


def ahead(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what `chunks` yields, which a thread takes from it; what it raises is raised here.

    They wake each other up for batches of about `BATCH` bytes, of which there are `ROOM`. Who stops to ask ends the thread:
    `chunks` is not asked again.
    """
    made: SimpleQueue[tuple[list[bytes], BaseException | None]] = SimpleQueue()
    room: SimpleQueue[None] = SimpleQueue()
    left = threading.Event()

    def take() -> tuple[list[bytes], BaseException | None]:
        batch: list[bytes] = []
        size = 0
        try:
            for chunk in chunks:
                batch.append(chunk)
                size += len(chunk)
                if size >= BATCH or left.is_set():
                    return batch, None
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            return batch, error
        return batch, StopIteration()

    def work() -> None:
        error = None
        while error is None:
            room.get()
            if left.is_set():
                return
            batch, error = take()
            made.put((batch, error))

    for _ in range(ROOM):
        room.put(None)
    worker = threading.Thread(target=work, name="layerscope-ahead", daemon=True)
    worker.start()
    try:
        while True:
            batch, error = made.get()
            yield from batch
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            room.put(None)
    finally:
        left.set()
        room.put(None)
        worker.join()
        trim()  # the thread had a heap of its own, which nobody may use again
