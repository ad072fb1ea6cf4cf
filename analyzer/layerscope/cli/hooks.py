"""How does git ask before it pushes? Installs, removes and runs the pre-push hook."""

from __future__ import annotations

# paths are text from the command line and from git here
# ruff: noqa: PTH100, PTH101, PTH103, PTH104, PTH105, PTH108, PTH110, PTH111, PTH117, PTH118, PTH120, PTH123, S603, S607
import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

from layerscope.cli.answer import Answer, OutputError

NAME, LEGACY, MARK = "pre-push", ".legacy", "# layerscope pre-push hook"
Judge = Callable[[str], Answer]


def install(images: Sequence[str], *, if_present: bool, secret_rules: str | None = None) -> Answer:
    """Write the hook where git looks for it; one that is there is kept beside it, and run first.

    Paths are from the folder that git runs hooks in, the top of the work tree; one outside of it is absolute.
    """
    place, top = os.path.join(_folder(), NAME), _top()
    images = [_from(top, image) for image in images]
    if os.path.lexists(place) and not _is_ours(place):
        if os.path.lexists(place + LEGACY):
            raise OutputError(f"{place}: a hook is there, and {NAME}{LEGACY} as well: put one of them away")
        os.rename(place, place + LEGACY)
    words = [sys.executable, "-m", "layerscope", "hook", "run", *(["--if-present"] if if_present else [])]
    words += [] if secret_rules is None else ["--secret-rules", _from(top, secret_rules)]
    script = "\n".join(
        [
            "#!/bin/sh",
            f"{MARK}: audits images before a push. `layerscope hook uninstall` takes it out again.",
            f'exec {shlex.join(words)} --pre-push "$0" --remote "${{1:-}}" --url "${{2:-}}" -- {shlex.join(images)}',
            "",
        ]
    )
    os.makedirs(os.path.dirname(place), exist_ok=True)
    beside = f"{place}.{os.getpid()}.tmp"
    with open(beside, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as stream:
        stream.write(script)
    os.chmod(beside, 0o755)  # noqa: S103 - git runs it
    os.replace(beside, place)
    chained = f"; {NAME}{LEGACY} runs first" if os.path.lexists(place + LEGACY) else ""
    return Answer(f"{place}: audits {', '.join(images)} before each push{chained}\n")


def uninstall() -> Answer:
    """Take the hook out, and put back the one that was there before."""
    place = os.path.join(_folder(), NAME)
    if not os.path.lexists(place):
        return Answer(f"{place}: no hook is there\n")
    if not _is_ours(place):
        raise OutputError(f"{place}: this hook is not layerscope's, and stays")
    if os.path.lexists(place + LEGACY):
        os.replace(place + LEGACY, place)
        return Answer(f"{place}: the hook from before is back\n")
    os.unlink(place)
    return Answer(f"{place}: removed\n")


def run(images: Sequence[str], judge: Judge, *, hook: str | None, remote: str, url: str, if_present: bool) -> Answer:
    """Audit images; as git's hook read what is pushed first, run the hook from before, and let deletions pass.

    The gravest of the exit codes counts: what could not be judged (2, 3) before what may not pass (1).
    """
    if hook is not None:
        pushed = sys.stdin.buffer.read()
        code = _run_legacy(hook + LEGACY, remote, url, pushed)
        if code:
            return Answer(warning=f"{NAME}{LEGACY} ended with {code}", code=code if code > 1 else 2)
        if not _pushes(pushed):
            return Answer()
    texts, warnings, codes = [], [], [0]
    for image in images:
        if if_present and not os.path.exists(image):
            warnings.append(f"{image}: not there, so not audited")
            continue
        answer = replace(judge(image), source=None)  # one image at a time
        texts.append(answer.text or "")
        warnings += [answer.warning] if answer.warning else []
        codes.append(answer.code)
    code = max(codes, key=lambda one: (one > 1, one))
    if code:
        warnings.append("the push is stopped; git push --no-verify passes the hook by")
    return Answer("\n".join(texts) or None, warning="\n".join(warnings) or None, code=code)


def _pushes(lines: bytes) -> bool:
    """Whether anything but deletions is pushed; git says nothing where there is nothing to push (githooks(5))."""
    for line in lines.splitlines():
        parts = line.rsplit(b" ", 3)
        if len(parts) == 4 and parts[1].strip(b"0"):
            return True
    return False


def _run_legacy(path: str, remote: str, url: str, data: bytes) -> int:
    if not os.access(path, os.X_OK):
        return 0
    return subprocess.run([path, remote, url], input=data, check=False).returncode


def _folder() -> str:
    """Return the folder of hooks, as git has it: `core.hooksPath` and worktrees are its business."""
    return os.path.expanduser(_ask("--git-path", "hooks"))


def _top() -> str:
    """Return the folder that git runs hooks in; a bare repository's is the repository."""
    bare = _ask("--is-bare-repository") == "true"
    return os.path.realpath(_ask("--absolute-git-dir" if bare else "--show-toplevel"))


def _from(top: str, path: str) -> str:
    """Return a path as it is named in a folder; an absolute one stays, and one that lies elsewhere becomes absolute."""
    if os.path.isabs(path):
        return path
    folder, name = os.path.split(os.path.abspath(path))
    here = os.path.join(os.path.realpath(folder), name)
    return os.path.relpath(here, top) if here.startswith(os.path.join(top, "")) else here


def _ask(*words: str) -> str:
    try:
        done = subprocess.run(["git", "rev-parse", *words], capture_output=True, check=False)
    except FileNotFoundError:
        raise OutputError("git is not installed") from None
    if done.returncode:
        raise OutputError(f"git: {done.stderr.decode('utf-8', 'replace').strip() or 'no repository here'}")
    return os.fsdecode(done.stdout.rstrip(b"\n"))


def _is_ours(place: str) -> bool:
    try:
        if not stat.S_ISREG(os.lstat(place).st_mode):
            return False
        with open(place, "rb") as stream:
            return MARK.encode() in stream.read(4096)
    except OSError:
        return False
