"""What other programs answer of an unpacked image, beside what layerscope does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from packages import oracles

Rows = list[dict[str, Any]]
Answer = tuple[str, Mapping[Any, int], Mapping[Any, int]]
"""A question, what others answer, and what layerscope does: bytes by package."""

SYSTEMS = {"deb": oracles.debs, "rpm": oracles.rpms, "apk": oracles.apks}
LANGUAGES = {"pypi": oracles.distributions, "npm": oracles.modules}


def ask(root: Path, rows: Rows) -> Iterator[Answer]:
    """Yield every question that an image allows; `rows` are the packages that layerscope tells, as JSON has them."""
    rows = [row for row in rows if row["removed_in"] is None]
    for kind, count in SYSTEMS.items():
        ours = {(row["name"], row["arch"] or "", row["version"]): row["live_bytes"] for row in rows if row["type"] == kind}
        if ours:
            told = count(root).items()
            theirs = {(name, arch.replace("(none)", ""), version): size for (name, arch, version), size in told}
            yield f"{kind}: bytes of each package", theirs, ours
    known = system_files(root)
    for kind, count in LANGUAGES.items():
        mine = [row for row in rows if row["type"] == kind and not row["parent"] and row["reason"] != "root"]
        ours = {(row["name"], row["version"], row["path"].strip("/")): row["live_bytes"] for row in mine}
        if ours:
            yield f"{kind}: bytes of each package", count(root, known=known), ours
    yield from ask_apt(root, {row["name"]: row for row in rows if row["type"] == "deb"})
    yield from ask_npm(root, {row["path"].strip("/"): row for row in rows if row["type"] == "npm" and not row["parent"]})


def ask_apt(root: Path, debs: Mapping[str, dict[str, Any]]) -> Iterator[Answer]:
    """Yield what would go with a package that was asked for and that nothing requires, and what is only recommended."""
    if not debs or not (root / "var/lib/apt/extended_states").exists():
        return
    alone = oracles.removable(root, "autoremove", recommends=False)
    only = {name for name, row in debs.items() if row["reason"] == "recommended"}
    yield "deb: bytes of what is only recommended", sized(alone, debs), sized(only, debs)
    asked = [name for name, row in debs.items() if row["reason"] == "asked" and not row["required_by"]]
    gone = {name: oracles.removable(root, "remove", "--autoremove", name) for name in asked}
    theirs = {name: sum(sized(others, debs).values()) for name, others in gone.items()}
    yield "deb: bytes that leave with what was asked for", theirs, {name: debs[name]["retained_bytes"] for name in asked}


def ask_npm(root: Path, modules: Mapping[str, dict[str, Any]]) -> Iterator[Answer]:
    """Yield what nothing but development needs."""
    for place, row in modules.items():
        if row["reason"] == "root" and (root / place / "node_modules").is_dir():
            theirs = oracles.development(root, place)
            mine = {other for other, one in modules.items() if other.startswith(f"{place}/") and one["reason"] == "dev"}
            yield f"npm: bytes of what only development needs in /{place}", sized(theirs, modules), sized(mine, modules)


def sized(names: Iterable[str], rows: Mapping[str, dict[str, Any]]) -> dict[str, int]:
    """Return name -> all bytes, also hidden ones; -1 for what is not known."""
    return {name: rows[name]["bytes"] if name in rows else -1 for name in names}


def system_files(root: Path) -> frozenset[bytes]:
    """Return what dpkg lists, relative to the root and where it really lies."""
    tree, found = oracles.Tree(root), set()
    for path in (root / "var/lib/dpkg/info").glob("*.list"):
        found.update(tree.place(line).lstrip(b"/") for line in path.read_bytes().splitlines())
    return frozenset(found)


def differences(answer: Answer) -> list[Any]:
    """Return the packages of which there are two answers."""
    _, theirs, ours = answer
    return sorted(key for key in theirs.keys() | ours.keys() if theirs.get(key) != ours.get(key))
