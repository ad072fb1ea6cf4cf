"""What kind of file is it, if no package owns it?

One table; where several lines fit a file, the first class in `CLASSES` that does is the answer.
"""

from __future__ import annotations

from layerscope.frozen import frozen
from layerscope.packages.paths import shallow

TYPES = (
    "apk", "deb", "rpm", "alpm", "opkg", "ebuild", "nix", "conda", "brew", "pypi", "npm", "gem", "composer", "nuget", "maven",
    "cran", "cpan", "golang", "cargo", "generic",
)  # fmt: skip
"""The types of packages that the databases know."""

CLASSES = (
    "package database",
    "cache",
    "version-control",
    "log",
    "temporary",
    "bytecode",
    "debug symbols",
    "documentation",
    "locale",
    "static library",
    "configuration",
    "application",
    "other",
)


@frozen
class Rule:
    """What makes a file one of a class; each field is a list of words, and any word will do.

    below      folders, from the image's root: everything below is of the class
    folders    names of folders, anywhere: everything below is of the class
    names      names of files, anywhere
    endings    what comes after the last dot of a file's name
    """

    class_: str
    below: str = ""
    folders: str = ""
    names: str = ""
    endings: str = ""


RULES = (
    Rule(
        "package database",
        below="var/lib/dpkg var/lib/apt/extended_states lib/apk usr/lib/apk etc/apk var/lib/db/sbom var/lib/rpm "
        "usr/share/rpm usr/lib/sysimage/rpm var/lib/rpmmanifest usr/lib/sysimage/libdnf5 var/lib/dnf var/lib/yum "
        "var/lib/pacman/local var/lib/chisel usr/lib/sysimage/dpkg usr/share/dpkg/database usr/lib/sysimage/lib/pacman/local "
        "usr/lib/holo/pacmandb/local",
        folders="conda-meta",
        names=".package-lock.json .yarn-state.yml .yarn-integrity .modules.yaml",
    ),
    Rule(
        "cache",
        below="var/cache var/lib/apt/lists var/lib/apt/periodic root/.m2/repository root/.gradle/caches "
        "root/.nuget/packages root/.cargo/registry usr/local/cargo/registry go/pkg/mod/cache root/go/pkg/mod/cache "
        "root/.composer/cache root/.bundle/cache root/.ivy2 root/.yarn opt/conda/pkgs",
        folders=".cache .npm _cacache .pip-cache .pytest_cache .mypy_cache .ruff_cache .parcel-cache .ccache",
    ),
    Rule("version-control", folders=".git .hg .svn .bzr CVS", names=".gitignore .gitattributes .gitmodules .gitkeep"),
    Rule("log", below="var/log", folders="_logs", names="npm-debug.log yarn-error.log", endings="log"),
    Rule("temporary", below="tmp var/tmp run var/run dev/shm", endings="tmp swp bak orig"),
    Rule("bytecode", folders="__pycache__", endings="pyc pyo elc"),
    Rule("debug symbols", below="usr/lib/debug", endings="debug pdb dSYM dwp dwo"),
    Rule(
        "documentation",
        below="usr/share/doc usr/share/man usr/share/info usr/share/gtk-doc usr/share/help usr/share/groff "
        "usr/share/lintian usr/local/share/doc usr/local/share/man usr/local/man usr/man usr/doc",
        names="README LICENSE LICENCE COPYING CHANGELOG AUTHORS NOTICE",
        endings="md rst adoc",
    ),
    Rule(
        "locale",
        below="usr/share/locale usr/lib/locale usr/share/i18n usr/local/share/locale",
        folders="LC_MESSAGES",
        endings="mo po",
    ),
    Rule("static library", endings="a la"),
    Rule("configuration", below="etc usr/local/etc", folders=".config"),
    # What images put there by COPY, by hand or by `make install`; home folders hold what an application's user runs.
    Rule("application", below="app srv opt home root usr/src usr/local workspace work code data go var/www var/task src"),
)


_RANK = {name: rank for rank, name in enumerate(CLASSES)}
_OTHER = _RANK["other"]
_APPLICATION = _RANK["application"]


def _table(field: str) -> dict[bytes, int]:
    """Return word -> rank of the first class that it makes."""
    table: dict[bytes, int] = {}
    for rule in RULES:
        for word in getattr(rule, field).split():
            table.setdefault(word.encode(), _RANK[rule.class_])
    return table


_BELOW, _FOLDERS, _NAMES, _ENDINGS = map(_table, ("below", "folders", "names", "endings"))


class Classes:
    """Ranks of paths in `CLASSES`; what is known of a folder is remembered."""

    __slots__ = ("_application", "_known")

    def __init__(self, application: bytes = b"") -> None:
        """`application` is one more folder of that class, such as the image's working directory."""
        self._known: dict[bytes, int] = {b"": _OTHER}
        self._application = application

    def rank(self, path: bytes) -> int:
        """Return the position in `CLASSES` of a file's class."""
        folder, _, name = path.rpartition(b"/")
        rank = self._known.get(folder)
        if rank is None:
            rank = self._folder(folder)
        _, dot, ending = name.rpartition(b".")
        if dot and ending in _ENDINGS:
            rank = min(rank, _ENDINGS[ending])
        if name in _NAMES or path in _BELOW:
            rank = min(rank, _NAMES.get(name, _OTHER), _BELOW.get(path, _OTHER))
        return rank

    def _folder(self, folder: bytes) -> int:
        """Find a folder's rank: the least of its own and those of the folders above it."""
        rank, place = _OTHER, shallow(folder)
        while (known := self._known.get(place)) is None:
            above, _, name = place.rpartition(b"/")
            if name in _FOLDERS or place in _BELOW:
                rank = min(rank, _FOLDERS.get(name, _OTHER), _BELOW.get(place, _OTHER))
            if place == self._application:
                rank = min(rank, _APPLICATION)
            place = above
        # Only the folder itself is remembered: all those above it would be many times as long as the path.
        self._known[folder] = rank = min(rank, known)
        return rank
