"""May this push run? Audits what a command would push, and runs the command only if it passes."""

from __future__ import annotations

# ruff: noqa: PTH116, PTH118, PTH119, S603
import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace

from layerscope import api
from layerscope.audit import Audit
from layerscope.cli import clock
from layerscope.cli.answer import Answer, OutputError, complain
from layerscope.cli.judgement import Court, judge_image
from layerscope.cli.pushes import Push, read_push
from layerscope.cli.verbs import Order
from layerscope.render import Options
from layerscope.render.audit import AUDIT_FORMATS, exit_code
from layerscope.render.audit.places import summary_line

_CANNOT = 2


def guard(order: Order, court: Court, command: Sequence[str]) -> Answer:
    """Audit, then run the command as it is.

    The exit code is the audit's if it fails, else the command's; its 1 is told as 2.
    """
    push = read_push(command)
    before = _stamp(push)
    made = _audits(order, court, push, before)
    for one in made:
        code = exit_code(one)
        if code:
            complain(AUDIT_FORMATS["text"](one, Options()).rstrip())
            return Answer(warning=f"not run: {' '.join(command)}", code=code)
        complain(summary_line(one))
    if _stamp(push) != before:
        return Answer(warning=f"not run: {push.path or push.name} changed while it was audited", code=_CANNOT)
    complain(_pinned(push, made, before))
    clock.stop()
    try:
        code = subprocess.run(list(command), check=False).returncode
    except OSError as error:
        raise OutputError(f"{command[0]}: {error.strerror or error}") from error
    if _stamp(push) != before:
        return Answer(
            warning=f"{push.path or push.name} changed while it was pushed: what got there was not audited", code=_CANNOT
        )
    if code:
        return Answer(warning=f"{command[0]} ended with {code}", code=_CANNOT if code == 1 else abs(code))
    return Answer()


def _audits(order: Order, court: Court, push: Push, stamp: object) -> list[Audit]:
    """Return the audit of every image that would be pushed; an engine saves it by its ID, whatever the name means by then."""
    if push.path is not None:
        chosen = replace(order, source=push.path, image=order.image or push.name)
        return [judge_image(one, court) for one in _every(chosen)]
    with _start([*push.engine, "save", str(stamp)]) as process:
        try:
            chosen = replace(order, source="-", platform=order.platform or push.platform)
            made = judge_image(chosen, court, stdin=process.stdout, name=push.name)
        finally:
            assert process.stdout is not None
            while process.stdout.read(1 << 20):
                pass
    if process.returncode:
        raise OutputError(f"{push.engine[0]} save {stamp} ended with {process.returncode}")
    return [made]


def _start(words: list[str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(words, stdout=subprocess.PIPE)
    except OSError as error:
        raise OutputError(f"{words[0]}: {error.strerror or error}") from error


def _every(order: Order) -> list[Order]:
    """Return an order for each image that an archive holds, unless one is chosen: what is not audited may not be pushed."""
    if order.image or order.platform:
        return [order]
    summaries = api.list_images(order.source, limits=order.limits or None)
    if len(summaries) < 2:
        return [order]
    return [
        replace(order, image=(one.names[0] if one.names else one.config_digest), platform=one.platform) for one in summaries
    ]


def _stamp(push: Push) -> object:
    """Return what tells that the bytes, or the engine's image, are still those that were audited."""
    if push.path is not None:
        return tuple(_stat(path) for path in _files(push.path))
    words = [*push.engine, "image", "inspect", "--format", "{{.Id}}", str(push.name)]
    try:
        done = subprocess.run(words, capture_output=True, check=False)
    except OSError as error:
        raise OutputError(f"{words[0]}: {error.strerror or error}") from error
    if done.returncode:
        raise OutputError(f"{words[0]}: {done.stderr.decode('utf-8', 'replace').strip() or 'no such image'}")
    return done.stdout.decode("utf-8", "replace").strip()


def _files(path: str) -> list[str]:
    """Return a file, or all that a folder holds."""
    inside = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]
    return [path, *sorted(inside)]


def _stat(path: str) -> tuple[str, int, int, int, int]:
    try:
        told = os.stat(path)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror or error}") from error
    return path, told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns


def _pinned(push: Push, made: Sequence[Audit], stamp: object) -> str:
    if push.path is not None:
        return f"{push.path}: passed; the bytes that were audited are the bytes that are pushed"
    engine, digest = os.path.basename(push.engine[0]), made[0].report.image.config_digest
    return f"{push.name}: passed; {engine} pushes the image with the ID {stamp} (config {digest}), unchanged"
