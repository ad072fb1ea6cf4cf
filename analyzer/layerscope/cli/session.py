"""Which exit code does a run end with, and what is said when something goes wrong?

0 fine; 2 a wrong argument, a missing file, an image that must be chosen, output that cannot be written; 3 the image could
not be read, or only in part; 70 a bug in layerscope; 130 interrupted, 143 terminated; 141 the reader of the output went away,
as a shell tells of any filter.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from layerscope.cli import clock
from layerscope.cli.answer import Answer, OutputError, complain, deliver, prepare_streams, silence
from layerscope.errors import ArchiveError, LayerscopeError, SelectionError

FINE, USAGE, UNREADABLE, BUG, INTERRUPTED, PIPE, TERMINATED = 0, 2, 3, 70, 130, 141, 143
_answered: list[Answer] = []
"""The last answer, with all that it tells of, which `main` leaves to the end of the process."""
_WRONG_PATH = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code.

    The process ends at once: to free millions of objects one by one takes longer than to read a layer. For the same reason
    nobody looks for garbage meanwhile: hardly any is made in cycles, and each look walks over all that was imported and read.
    """
    gc.disable()
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = run(sys.argv[1:] if arguments is None else list(arguments))
    except Exception:  # noqa: BLE001 - Python's own code for it is 1, which says that a policy is not met
        traceback.print_exc()
        code = BUG
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # what could not be written was told before; there may be no stream
            stream.flush()
    os._exit(code)


def _terminate(_number: int, _frame: object) -> NoReturn:
    """Leave through every `finally`, so that no half file stays behind."""
    raise SystemExit(TERMINATED)


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code.

    A reader that closes the pipe early (`| head`) ends the run quietly with 141, never 0: with `pipefail`, a hook must
    not take half a run for a pass.
    """
    prepare_streams()
    try:
        return _run(arguments)
    except BrokenPipeError:
        silence(sys.stdout)
        return PIPE
    except KeyboardInterrupt:
        if seconds := clock.time_is_up():
            complain(f"the run took more than {seconds:,} seconds (--limit seconds=VALUE raises the limit)")
            return UNREADABLE
        complain("interrupted")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last door: everything else is told by explain
        code, message = explain(error)
        if code == BUG and "--debug" in arguments:
            message = "".join(traceback.format_exception(error)) + message
        complain(message)
        return code
    finally:
        clock.stop()


def explain(error: Exception) -> tuple[int, str]:
    """Return the exit code and the message of an error."""
    from layerscope.render.escape import one_line

    if isinstance(error, SelectionError):
        return USAGE, "\n".join([one_line(str(error)), *(f"  {one_line(choice)}" for choice in error.choices)])
    if isinstance(error, ArchiveError):
        return UNREADABLE, one_line(str(error))
    if isinstance(error, LayerscopeError | OutputError):
        return USAGE, one_line(str(error))
    if isinstance(error, MemoryError):
        return UNREADABLE, "not enough memory for this image"
    if isinstance(error, OSError):
        code = USAGE if isinstance(error, _WRONG_PATH) else UNREADABLE
        if error.filename is None and isinstance(error, FileNotFoundError) and _is_homeless():
            return code, "the working folder was deleted: change to one that is there"
        place = "" if error.filename is None else f"{_text(error.filename)}: "
        return code, one_line(f"{place}{error.strerror or error}")
    if hasattr(error, "format_message"):
        return USAGE, _say_usage(error)
    return BUG, (
        f"a bug in layerscope: {type(error).__name__}: {error}\n"
        "Please report it with the command you ran; --debug shows the traceback."
    )


def _run(arguments: Sequence[str]) -> int:
    import typer

    from layerscope.cli.assembly import assemble
    from layerscope.cli.values import keep_text

    command = typer.main.get_command(assemble(arguments))
    keep_text(command)
    try:
        answer = command.main(list(arguments), prog_name="layerscope", standalone_mode=False)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except SystemExit as error:  # typer leaves with 1 where a pipe broke, which would say that a policy is not met
        if isinstance(error.__context__, BrokenPipeError):
            raise error.__context__ from None
        raise
    if isinstance(answer, Answer):
        _answered[:] = [answer]
        deliver(answer)
        return answer.code
    if answer == INTERRUPTED:
        raise KeyboardInterrupt
    if sys.stdout is not None:
        sys.stdout.flush()
    return answer if isinstance(answer, int) else FINE


def _say_usage(error: Exception) -> str:
    """Return the message of a wrong argument, and where to read on."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "layerscope"
    if type(error).__name__ == "NoArgsIsHelpError" and context:
        return str(context.get_help())
    message: str = error.format_message()  # type: ignore[attr-defined]
    return f"{message}\nSee '{path} --help'."


def _is_homeless() -> bool:
    """Whether the working folder is gone, of which an error tells no more than that something is not there."""
    try:
        os.getcwd()  # noqa: PTH109
    except FileNotFoundError:
        return True
    return False


def _text(name: object) -> str:
    return name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else str(name)
