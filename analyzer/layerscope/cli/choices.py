"""What does an argument's value mean, and which right one is nearest to a wrong one?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches

import typer

FORMATS = ("text", "json", "markdown", "csv")
AUDIT_FORMATS = ("text", "json", "markdown", "csv", "sarif", "junit", "github", "gitlab", "container-scanning")
SCHEMAS = ("audit", "baseline", "compare", "diff", "files", "history", "images", "packages", "report", "whatif", "why")
DIFF_FORMATS = ("text", "json", "markdown")
ROW_FORMATS = ("text", "json", "csv")
TABLES = ("layers", "packages", "owners", "causes", "duplicates", "files", "security", "notes")
FATES = ("live", "replaced", "deleted")
PULLS = ("estimate", "exact", "off")
SORTS = ("size", "path", "layer")
COLORS = ("auto", "always", "never")
PASSES = "standard input passes only once: write the image to a file first."
SUFFIXES = {".txt": "text", ".json": "json", ".md": "markdown", ".csv": "csv"}
AUDIT_SUFFIXES = {".sarif": "sarif", ".sarif.json": "sarif", ".xml": "junit"}
_UNITS = {"": 1, **{f"{letter}{end}": base**power for power, letter in enumerate("kmgt", 1)
          for end, base in (("", 1000), ("b", 1000), ("ib", 1024))}, "b": 1}  # fmt: skip
_LINE = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3}


def choose(value: str, allowed: Sequence[str], what: str, listed: str | None = None) -> str:
    """Return a value that is allowed; a wrong one is told with the nearest right one and all of them, or where these are."""
    if value in allowed:
        return value
    near = get_close_matches(value.lower(), allowed, 1, 0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    every = listed or f"There are: {', '.join(allowed)}."
    raise typer.BadParameter(f"{value!r} is no {what}.{hint} {every}")


def format_of(path: str, allowed: Sequence[str]) -> str:
    """Return the format that the suffix of an output file asks for."""
    told = {suffix: name for suffix, name in (*AUDIT_SUFFIXES.items(), *SUFFIXES.items()) if name in allowed}
    for suffix, name in told.items():
        if path.lower().endswith(suffix):
            return name
    raise typer.BadParameter(f"{path!r}: the suffix tells the format; it must be one of {', '.join(told)}.")


def read_output(output: str, allowed: Sequence[str]) -> tuple[str, str]:
    """Return path and format of an output file: the format by its suffix, or by a name in front, `gitlab:quality.json`."""
    name, colon, path = output.partition(":")
    if colon and path and name in allowed:
        return path, name
    return output, format_of(output, allowed)


def read_limits(pairs: Iterable[str], known: Sequence[str]) -> dict[str, int]:
    """Return limits from `NAME=VALUE`, where VALUE may have a unit: `4GiB`, `500 MB`, `100000`."""
    limits: dict[str, int] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"{pair!r}: a limit is written NAME=VALUE, like entries=2000000.")
        name = name.strip().replace("-", "_")
        limits[choose(name, known, "limit")] = read_size(value)
    return limits


def read_platform(platform: str | None) -> str | None:
    """Return a platform written `os/arch` or `os/arch/variant`."""
    if platform is not None and not re.fullmatch(r"[^/\s]+/[^/\s]+(/[^/\s]+)?", platform):
        raise typer.BadParameter(f"{platform!r}: a platform is written os/arch or os/arch/variant, like linux/arm64.")
    return platform


def read_glob(glob: str) -> str:
    """Return a glob over absolute paths; one without a leading slash may match anywhere."""
    return glob if glob.startswith(("/", "*")) else f"*/{glob}"


def read_bandwidth(value: str) -> int:
    """Return bits per second from `20Mbit/s`, `1 Gbit`, `56k`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmg]?)(?:bit)?(?:/s|ps)?", value.strip(), re.IGNORECASE)
    bits = int(float(found[1]) * _LINE[found[2].lower()]) if found else 0
    if not bits:
        raise typer.BadParameter(f"{value!r}: a bandwidth is written like 20Mbit/s.")
    return bits


def read_epoch(value: str | None) -> datetime | None:
    """Return the moment that SOURCE_DATE_EPOCH names, in seconds since 1970."""
    if not value:
        return None
    if not re.fullmatch(r"[0-9]{1,11}", value):
        raise typer.BadParameter(f"SOURCE_DATE_EPOCH is {value!r}; it must be seconds since 1970.")
    return datetime.fromtimestamp(int(value), UTC)


def read_size(value: str) -> int:
    """Return bytes from `4GiB`, `500 MB`, `100000`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", value.strip(), re.IGNORECASE)
    if not found or found[2].lower() not in _UNITS:
        raise typer.BadParameter(f"{value!r}: a size is a number with or without a unit, like 4GiB or 500MB.")
    return int(found[1]) if found[1].isdigit() and not found[2] else int(float(found[1]) * _UNITS[found[2].lower()])
