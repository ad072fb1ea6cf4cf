"""How long may a run take? After the limit `seconds` it is interrupted wherever it is, as Ctrl-C would.

Windows has no such timer; there a run has no end but those of the other limits.
"""

from __future__ import annotations

import signal
import threading

LONGEST = 10**8
_passed: list[int] = []


def start(seconds: int) -> None:
    """Interrupt the run when so many seconds have gone by from now on; a timer that was started before no longer counts."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return

    def stop_run(_number: int, _frame: object) -> None:
        _passed.append(seconds)
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, stop_run)
    signal.setitimer(signal.ITIMER_REAL, min(seconds, LONGEST))


def stop() -> None:
    """Let the run take as long as it wants from now on."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


def time_is_up() -> int:
    """Return after how many seconds the run was interrupted, 0 if it was not by the clock; it is told once."""
    return _passed.pop() if _passed else 0
