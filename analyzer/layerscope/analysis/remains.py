"""Which live files are documentation, symbols, leftovers of a build? Path-based traces of groups 7 and 8 of the causes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layerscope.analysis.traces import Trace
from layerscope.regex import regex

if TYPE_CHECKING:
    from layerscope.analysis.scene import Scene

ARCHIVE = regex(rb"\.(?:tar(?:\.(?:gz|bz2|xz|zst|lzma))?|tgz|tbz2?|txz|zip)$")
_PYC = regex(rb"(.*/)?__pycache__/([^/]+?)\.[^/.]+(?:\.opt-\d)?\.pyc")
TESTED = (
    *("js", "ts", "mjs", "cjs", "json", "py", "pyc", "rb", "txt", "html", "css", "map", "yml", "yaml", "snap", "md"),
    *("png", "jpg", "jpeg", "gif", "dat", "csv", "npz", "gz"),
)
_ROOTS = "(?:.*/)?(?:node_modules|site-packages|dist-packages|vendor/bundle|gems)/"

APT = r"\b(?:apt|apt-get|aptitude) "
DNF = r"\b(?:dnf|microdnf|yum|tdnf) "
PIP = r"\bpip[\d.]* install\b"
_EXCLUDE = "keep them out before the install of layer {layer}: dpkg path-exclude={top}/*{spoken}; or"
_FIND_DOCUMENTATION = "end its RUN with: && find {top} -type f ! -name copyright -delete"
_FIND_BYTECODE = "end its RUN with: && find {dependencies} -xdev -path '*/__pycache__/*.pyc' -delete (first start gets slower)"


def _has_source(scene: Scene, path: bytes) -> bool:
    """Whether bytecode can be made again: its source lies there."""
    found = _PYC.fullmatch(path)
    return found is not None and (found[1] or b"") + found[2] + b".py" in scene.stack.visible


def _is_unpacked(scene: Scene, path: bytes) -> bool:
    """Whether an archive's content lies beside it: a folder of its name without the suffix."""
    stem = ARCHIVE.sub(b"", path)
    return stem != path and stem in scene.folders


def _is_foreign(scene: Scene, path: bytes) -> bool:
    """Whether a locale is of no language that the image is set to."""
    parts = path.split(b"/")
    language = re.split(rb"[_.@-]", parts[3])[0] if len(parts) > 4 else b""
    return language not in scene.languages


def _links_nothing(scene: Scene, _path: bytes) -> bool:
    """Whether no compiler stays that could want a static library."""
    return not scene.demand.compiles


DOCUMENTATION = Trace(
    "documentation and man pages",
    folders=(
        "usr/share/doc",
        "usr/share/man",
        "usr/share/info",
        "usr/share/gtk-doc",
        "usr/local/share/doc",
        "usr/local/share/man",
    ),
    spare=r".*/copyright|.*/(?:LICEN[CS]E|COPYING|NOTICE)[^/]*",
    run=f"keep them out before the install of layer {{layer}}: dpkg path-exclude, dnf --nodocs; or {_FIND_DOCUMENTATION}",
    ways=(
        (APT, f"{_EXCLUDE} {_FIND_DOCUMENTATION}"),
        (DNF, f"dnf --nodocs in layer {{layer}}; or {_FIND_DOCUMENTATION}"),
    ),
)
LOCALES = Trace(
    "translations of languages that the image is not set to",
    folders=("usr/share/locale", "usr/local/share/locale"),
    check=_is_foreign,
    run="end the RUN of layer {layer} with: && {others}",
    ways=((APT, f"{_EXCLUDE} end its RUN with: && {{others}}"),),
)
BYTECODE = Trace(
    "Python bytecode beside its source",
    endings=(".pyc",),
    within=r"(?:.*/)?__pycache__/",
    named=("__pycache__",),
    check=_has_source,
    run=f"ENV PYTHONDONTWRITEBYTECODE=1 before layer {{layer}}; or {_FIND_BYTECODE}",
    ways=(
        (r"\bcompileall\b", f"leave compileall out of layer {{layer}}; or {_FIND_BYTECODE}"),
        (PIP, f"ENV PYTHONDONTWRITEBYTECODE=1 before layer {{layer}}, and in it pip install --no-compile; or {_FIND_BYTECODE}"),
        (f"{APT}|{DNF}", "end the RUN of layer {layer} with: && " + _FIND_BYTECODE.partition("&& ")[2]),
    ),
    copy="add __pycache__ to .dockerignore, so that layer {layer} does not copy it",
)
DEBUG_SYMBOLS = Trace(
    "debug symbols",
    folders=("usr/lib/debug",),
    endings=(".debug", ".dwo", ".dwp"),
    run="do not install -dbg and -dbgsym packages in layer {layer}, or end its RUN with: && rm -rf {top}",
)
STATIC_LIBRARIES = Trace(
    "static libraries that nothing here can link",
    endings=(".a", ".la"),
    files=r".+\.l?a",
    within=r"(?:.*/)?lib(?:32|64|x32)?/(?:.*/)?",
    named=("lib", "lib32", "lib64", "libx32"),
    deep=True,
    spare=r".*/(?:node_modules|\.git)/.*",
    check=_links_nothing,
    run="build with --disable-static, or end the RUN of layer {layer} with: && find {top} -name '*.a' -delete",
    copy="leave *.a out of what layer {layer} copies",
)
VERSION_CONTROL = Trace(
    "version-control folder",
    folders=tuple(f"**/{name}" for name in (".git", ".hg", ".svn", ".bzr")),
    run="end the RUN of layer {layer} with: && rm -rf {top}; or fetch a release archive instead of a clone",
)
DEPENDENCY_TESTS = Trace(
    "test suites of dependencies",
    endings=tuple(f".{ending}" for ending in TESTED),
    within=rf"{_ROOTS}(?:.*/)?(?:tests?|__tests__|specs?)/(?:.*/)?",
    named=("test", "tests", "__tests__", "spec", "specs"),
    deep=True,
    spare=r".*/(?:numpy|pandas|scipy|sqlalchemy|django)/(?:testing|test|core)/.*|.*/test/(?:__init__|utils|client|support)\.pyc?"
    r"|(?:.*/)?gems/[^/]+/lib/.*|(?:.*/)?node_modules/(?:@[^/]+/)?(?:tests?|specs?)/.*",  # packages: @playwright/test
    run="end the RUN of layer {layer} with: && find {dependencies} -mindepth 2 -type d {tests} -prune -exec rm -r {{}} +",
    copy="leave the test folders out of what layer {layer} copies (.dockerignore: **/test, **/tests)",
)
LOGS = Trace(
    "logs",
    folders=("var/log",),
    endings=(".log",),
    files=r"(?:npm-debug|yarn-error|yarn-debug|pip|lerna-debug)\.log",
    run="end the RUN of layer {layer} with: && find {top} -type f -delete",
)
TEMPORARY = Trace(
    "temporary files",
    folders=("tmp", "var/tmp"),
    run="end the RUN of layer {layer} with: && rm -rf {top}/*; or RUN --mount=type=tmpfs,target=/tmp",
    copy="copy them to where they belong in layer {layer}, not to /tmp; or use RUN --mount=type=bind",
)
CORE_DUMPS = Trace(
    "core dumps",
    endings=tuple(f"{before}{digit}" for before in ".0123456789" for digit in range(10)),
    files=r"core\.\d+",
    run="a program crashed in the RUN of layer {layer}: find out why, and remove {top}",
)
UNPACKED = Trace(
    "archives beside what was unpacked from them",
    endings=(".tar", ".gz", ".bz2", ".xz", ".zst", ".lzma", ".tgz", ".tbz", ".tbz2", ".txz", ".zip"),
    files=r".*\.(?:tar(?:\.(?:gz|bz2|xz|zst|lzma))?|tgz|tbz2?|txz|zip)",
    check=_is_unpacked,
    run="unpack from a pipe in layer {layer} (curl ... | tar xz), or end its RUN with: && rm {top}",
    copy="let ADD unpack it in layer {layer}, or RUN --mount=type=bind",
)
