"""What does a policy file say? `layerscope.toml`, or `[tool.layerscope]` of a `pyproject.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from difflib import get_close_matches

from layerscope.audit.globs import name_matches
from layerscope.audit.measures import GROWTH, IMAGE, LAYER, Measure
from layerscope.audit.policy import LEVELS, SCOPES, Ignore, Limit, Limits, Policy, Scope
from layerscope.audit.sizes import read_ratio, read_size
from layerscope.errors import PolicyError
from layerscope.regex import regex

Subjects = Mapping[str, Collection[str]]
_BYTES = Measure("bytes", "size")
_WILD = regex(r"[*?\[]")
_GROWING = ("layer", "package", "cause")
_IGNORE_KEYS = ("rule", "path", "package", "reason", "until")
_TOP = ("limits", "growth", "rules", "ignore")


def read_policy(
    text: str, source: str, *, known: Collection[str], checks: Iterable[str] = (), subjects: Subjects | None = None
) -> Policy:
    """Return the policy of a file's text; `known` are the ids of rules, `checks` other ids that an ignore may name.

    `subjects` are the names that limits on causes and owners may speak of, and the types of packages; without them any will do.
    Raises `PolicyError` naming the file, the key, and the nearest right one.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{source}: not valid TOML: {error}") from None
    if source.replace("\\", "/").rpartition("/")[2] == "pyproject.toml":
        document = _table(_table(document.get("tool", {}), source, "tool").get("layerscope", {}), source, "tool.layerscope")
    _only(document, _TOP, source, "")
    names = sorted(known)
    rules = {key: _level(value, source, f"rules.{key}") for key, value in _sub(document, "rules", source).items()}
    _only(rules, names, source, "rules")
    return Policy(
        source=source,
        limits=_scope(_sub(document, "limits", source), source, "limits", IMAGE, SCOPES, subjects or {}),
        growth=_scope(_sub(document, "growth", source), source, "growth", GROWTH, _GROWING, subjects or {}),
        rules=rules,
        ignores=tuple(_ignores(document.get("ignore", []), source, [*names, *checks])),
    )


def holds_policy(text: str) -> bool:
    """Whether a pyproject.toml has a table of ours; one that is no TOML is somebody else's trouble."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    tool = document.get("tool")
    return isinstance(tool, dict) and "layerscope" in tool


def _scope(
    table: Mapping[str, object],
    source: str,
    where: str,
    image: Mapping[str, Measure],
    scopes: tuple[str, ...],
    subjects: Subjects,
) -> Scope:
    _only(table, (*image, *scopes), source, where)
    plain = {key: _limit(value, source, f"{where}.{key}", image[key]) for key, value in table.items() if key not in scopes}
    inner: dict[str, Limits] = {}
    for scope in scopes:
        rows = _table(table.get(scope, {}), source, f"{where}.{scope}")
        if scope == "layer":
            _only(rows, LAYER, source, f"{where}.layer")
        elif scope == "package" and scope in subjects:
            _typed(rows, subjects[scope], source, f"{where}.package")
        elif scope in subjects:
            strangers = (glob for glob in rows if not any(name_matches(name, glob) for name in subjects[scope]))
            _only(strangers, subjects[scope], source, f"{where}.{scope}")
        inner[scope] = {
            key: _limit(value, source, f"{where}.{scope}.{key}", LAYER[key] if scope == "layer" else _BYTES)
            for key, value in rows.items()
        }
    return Scope(image=plain, **inner)


def _typed(globs: Iterable[str], types: Collection[str], source: str, where: str) -> None:
    """Refuse what can match no package, whose name begins with its type: `deb:gcc-*`."""
    for glob in globs:
        lead = _WILD.split(glob, maxsplit=1)[0]
        plain = lead == glob and ":" not in glob
        if plain or not any(f"{type_}:".startswith(lead[: len(type_) + 1]) for type_ in types):
            type_, colon, name = glob.partition(":")
            near = get_close_matches(type_, list(types), 1, 0.5) if colon else []
            hint = f"did you mean '{near[0]}:{name}'?" if near else 'a package is written with its type, like "deb:gcc-*"'
            raise PolicyError(f"{source}: {where}.{glob}: {hint}")


def _limit(value: object, source: str, where: str, measure: Measure) -> Limit:
    read = read_ratio if measure.unit == "ratio" else read_size
    wanted = {
        "ratio": "a number between 0 and 1, like { min = 0.95 }",
        "size": 'a size, like "600 MB", or { max = "20 MB", share = 0.05 }',
        "count": "a number, like 40, or { max = 40 }",
    }[measure.unit]
    if not isinstance(value, dict):
        bound = read(value)
        if bound is None or measure.unit == "ratio":
            raise PolicyError(f"{source}: {where} = {value!r}: expected {wanted}")
        return Limit(max=bound)
    _only(value, ("max", "share", "min"), source, where)
    bounds: dict[str, float] = {}
    for key, written in value.items():
        bound = read_ratio(written) if key == "share" else read(written)
        if bound is None:
            expected = "a share between 0 and 1" if key == "share" else wanted
            raise PolicyError(f"{source}: {where}.{key} = {written!r}: expected {expected}")
        bounds[key] = bound
    if not bounds:
        raise PolicyError(f"{source}: {where}: expected {wanted}")
    return Limit(**bounds)


def _ignores(rows: object, source: str, known: list[str]) -> Iterable[Ignore]:
    if not isinstance(rows, list):
        raise PolicyError(f"{source}: ignore: expected tables, written [[ignore]]")
    for number, row in enumerate(rows, 1):
        where = f"ignore {number}"
        table = _table(row, source, where)
        _only(table, _IGNORE_KEYS, source, where)
        for key in ("rule", "reason"):
            if not isinstance(table.get(key), str) or not str(table[key]).strip():
                raise PolicyError(f"{source}: {where}: {key} is required, and a text")
        for key in ("path", "package"):
            if not isinstance(table.get(key, ""), str):
                raise PolicyError(f"{source}: {where}.{key}: expected a text")
        until = table.get("until")
        if isinstance(until, datetime) or not isinstance(until, date | None):
            raise PolicyError(f"{source}: {where}.until = {until!r}: expected a date, like 2027-06-30, without quotes")
        rule = str(table["rule"])
        if not rule.startswith(("limits.", "growth.")) and rule not in known:
            near = get_close_matches(rule, known, 1, 0.5)
            hint = f"Did you mean {near[0]!r}?" if near else "`layerscope explain --rules` lists them."
            raise PolicyError(f"{source}: {where}.rule = {rule!r}: there is no such rule. {hint}")
        path, package = table.get("path"), table.get("package")
        yield Ignore(
            rule=rule,
            reason=str(table["reason"]).strip(),
            path=None if path is None else str(path),
            package=None if package is None else str(package),
            until=until,
        )


def _level(value: object, source: str, where: str) -> str:
    if value not in LEVELS:
        near = get_close_matches(str(value), LEVELS, 1, 0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise PolicyError(f"{source}: {where} = {value!r}: expected one of {', '.join(LEVELS)}.{hint}")
    return str(value)


def _sub(document: Mapping[str, object], key: str, source: str) -> Mapping[str, object]:
    return _table(document.get(key, {}), source, key)


def _table(value: object, source: str, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise PolicyError(f"{source}: {where}: expected a table, found {value!r}")
    return value


def _only(keys: Iterable[str], allowed: Collection[str], source: str, where: str) -> None:
    """Refuse a key that nothing reads: a mistyped limit must not look like one that holds."""
    for key in keys:
        if key in allowed:
            continue
        near = get_close_matches(key, list(allowed), 1, 0.5) or get_close_matches(key.replace("-", "_"), list(allowed), 1, 0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(list(allowed)[:40])}"
        raise PolicyError(f"{source}: unknown key {f'{where}.{key}' if where else key!r}: {hint}")
