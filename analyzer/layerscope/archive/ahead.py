"""Can the next bytes be made while the last ones are looked at?

Decompressing and hashing let go of the interpreter, so a thread does them while another one reads what has come out.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from queue import Full, Queue

ROOM = 8
PATIENCE = 0.1
LEAST = 1 << 20


def pays(size: int) -> bool:
    """Whether a thread is worth its while for so many bytes: they are not few, and there is a core for it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return size >= LEAST and cores > 1


def ahead(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what `chunks` yields, which a thread takes from it, at most `ROOM` chunks early; what it raises is raised here.

    Who stops to ask ends the thread: `chunks` is not asked again.
    """
    queue: Queue[tuple[bytes, BaseException | None]] = Queue(ROOM)
    left = threading.Event()

    def put(chunk: bytes, error: BaseException | None) -> None:
        while not left.is_set():
            try:
                queue.put((chunk, error), timeout=PATIENCE)
            except Full:
                continue
            return

    def work() -> None:
        try:
            for chunk in chunks:
                put(chunk, None)
                if left.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            put(b"", error)
        else:
            put(b"", StopIteration())

    worker = threading.Thread(target=work, name="layerscope-ahead", daemon=True)
    worker.start()
    try:
        while True:
            chunk, error = queue.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield chunk
    finally:
        left.set()
        worker.join()
