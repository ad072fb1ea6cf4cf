"""What do other people's rules find? Reads the TOML of gitleaks; matches in linear time, with google-re2."""

from __future__ import annotations

import math
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

from layerscope.errors import ExtraMissingError, PolicyError
from layerscope.frozen import frozen
from layerscope.model import Mark
from layerscope.secrets.context import weigh
from layerscope.secrets.prints import print_of

_MOST = 100


@frozen
class ForeignRule:
    """One rule of somebody else's file, compiled."""

    id: str
    title: str
    regex: Any
    keywords: tuple[bytes, ...]
    path: Any
    group: int
    entropy: float
    allowed: tuple[Any, ...]
    stopwords: tuple[bytes, ...]


class ForeignRules:
    """All rules of a file; a finder for the inspector."""

    def __init__(
        self, rules: tuple[ForeignRule, ...], paths: tuple[Any, ...], allowed: tuple[Any, ...], version: str = ""
    ) -> None:
        self.rules = rules
        self.version = version
        self._paths = paths
        self._allowed = allowed

    def find(self, path: bytes, content: bytes) -> Iterator[Mark]:
        """Yield what the rules find in a text, at most a hundred of each."""
        if any(pattern.search(path) for pattern in self._paths):
            return
        lower = content.lower()
        for rule in self.rules:
            if rule.keywords and not any(keyword in lower for keyword in rule.keywords):
                continue
            if rule.path is not None and not rule.path.search(path):
                continue
            for number, found in enumerate(rule.regex.finditer(content)):
                if number >= _MOST:
                    break
                value = _value(rule, found)
                if value and not self._lets_pass(rule, value, found.group(0)):
                    level = weigh("error", path, value, free=True)
                    if level is not None:
                        start = content.find(value, found.start())
                        line = content.count(b"\n", 0, start) + 1
                        yield Mark(rule.id, level, rule.title, line, start, len(value), print_of(value))

    def _lets_pass(self, rule: ForeignRule, value: bytes, whole: bytes) -> bool:
        if rule.entropy and entropy_of(value) <= rule.entropy:
            return True
        if any(word in value.lower() for word in rule.stopwords):
            return True
        return any(pattern.search(value) or pattern.search(whole) for pattern in (*rule.allowed, *self._allowed))


def read_rules(text: str, source: str) -> ForeignRules:
    """Return the rules of a gitleaks file.

    Raises `PolicyError` for a file that is none, `ExtraMissingError` where google-re2 is not installed.
    """
    try:
        import re2
    except ImportError:
        raise ExtraMissingError("other people's rules need google-re2: pip install 'layerscope[secrets]'") from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{source}: not valid TOML: {error}") from None
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False

    def compile_all(patterns: object, where: str) -> tuple[Any, ...]:
        if not isinstance(patterns, list | tuple):
            raise PolicyError(f"{source}: {where}: expected a list of patterns")
        return tuple(compile_one(pattern, where) for pattern in patterns)

    def compile_one(pattern: object, where: str) -> Any:
        try:
            return re2.compile(str(pattern).encode("utf-8"), options)
        except re2.error as error:
            told = error.args[0] if error.args else error
            said = told.decode("utf-8", "backslashreplace") if isinstance(told, bytes) else told
            raise PolicyError(f"{source}: {where}: not a regular expression: {said}") from None

    rows = document.get("rules")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise PolicyError(f"{source}: no rules of gitleaks: expected tables, written [[rules]]")
    rules = []
    for number, row in enumerate(rows, 1):
        where = f"rule {row.get('id', number)}"
        if not row.get("regex"):
            continue  # a rule for names of files alone: ours know those
        lists = _allowlists(row)
        rules.append(
            ForeignRule(
                id=str(row.get("id", f"rule-{number}")),
                title=" ".join(str(row.get("description", row.get("id", "secret"))).split()),
                regex=compile_one(row["regex"], where),
                keywords=tuple(str(word).lower().encode() for word in row.get("keywords", ())),
                path=compile_one(row["path"], where) if row.get("path") else None,
                group=row["secretGroup"] if isinstance(row.get("secretGroup"), int) else 0,
                entropy=float(row["entropy"]) if isinstance(row.get("entropy"), int | float) else 0.0,
                allowed=tuple(pattern for one in lists for pattern in compile_all(one.get("regexes", ()), where)),
                stopwords=tuple(str(word).lower().encode() for one in lists for word in one.get("stopwords", ())),
            )
        )
    lists = _allowlists(document)
    paths = tuple(pattern for one in lists for pattern in compile_all(one.get("paths", ()), "allowlist"))
    allowed = tuple(pattern for one in lists for pattern in compile_all(one.get("regexes", ()), "allowlist"))
    return ForeignRules(tuple(rules), paths, allowed, blake2b(text.encode(), digest_size=16).hexdigest())


def entropy_of(value: bytes) -> float:
    """Return Shannon's entropy in bits for each byte."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values())


def _value(rule: ForeignRule, found: Any) -> bytes:
    """Return the group that holds the secret: the one that the rule names, else the first that matched, else all."""
    groups = found.groups()
    if rule.group and rule.group <= len(groups):
        return groups[rule.group - 1] or b""
    value: bytes = next((group for group in groups if group), None) or found.group(0)
    return value


def _allowlists(table: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    lists = [table.get("allowlist"), *(table.get("allowlists") or ())]
    return [one for one in lists if isinstance(one, dict)]
