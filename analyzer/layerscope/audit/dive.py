"""What does a `.dive-ci` allow, judged on dive's own numbers?"""

from __future__ import annotations

from collections.abc import Iterator

from layerscope.audit.policy import DiveRules
from layerscope.audit.sizes import read_size
from layerscope.audit.verdict import Check
from layerscope.errors import PolicyError
from layerscope.report import Report

_OFF = ("", "disabled", "off", "false")
_EFFICIENCY, _WASTED, _USER = "lowestEfficiency", "highestWastedBytes", "highestUserWastedPercent"


def read_dive(text: str, source: str) -> DiveRules:
    """Return the rules of a `.dive-ci`; keys that tool does not know are passed over, as it does.

    Raises `PolicyError` for a value that it refuses.
    """
    import yaml

    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise PolicyError(f"{source}: not valid YAML: {' '.join(str(error).split())}") from None
    rules = document.get("rules") if isinstance(document, dict) else None
    if document is not None and not isinstance(document, dict):
        raise PolicyError(f"{source}: expected a table with the key 'rules'")
    if rules is not None and not isinstance(rules, dict):
        raise PolicyError(f"{source}: rules: expected a table")
    # That tool's keys are read without regard to case.
    told = {str(key).lower(): value for key, value in (rules or {}).items()}
    defaults = DiveRules(source)
    return DiveRules(
        source,
        _ratio(told, _EFFICIENCY, defaults.lowest_efficiency, source),
        _size(told, source),
        _ratio(told, _USER, defaults.highest_user_wasted_percent, source),
    )


def check_dive(report: Report, rules: DiveRules) -> Iterator[Check]:
    """Yield a check for each of the three rules; comparisons are strict."""
    dive, by = report.dive, f"by dive's own definition ({rules.source})"
    for name, actual, limit, least in (
        (_EFFICIENCY, dive.efficiency, rules.lowest_efficiency, True),
        (_WASTED, dive.wasted_bytes, rules.highest_wasted_bytes, False),
        (_USER, dive.user_wasted_percent, rules.highest_user_wasted_percent, False),
    ):
        id_ = f"dive.{name}"
        if limit is None:
            yield Check(id_, "limit", "skipped", actual, None, f"off in {rules.source}")
        elif actual is None:
            yield Check(id_, "limit", "pass", None, limit, f"nothing above the base, which passes, {by}")
        else:
            broken = actual < limit if least else actual > limit
            said, bound = (f"{actual:,}", f"{limit:,}") if name == _WASTED else (f"{actual:.4f}", f"{limit:g}")
            message = f"{said}, {'at least' if least else 'at most'} {bound} allowed, {by}"
            yield Check(id_, "limit", "fail" if broken else "pass", actual, limit, message)


def _ratio(told: dict[str, object], name: str, default: float | None, source: str) -> float | None:
    if name.lower() not in told:
        return default
    value = told[name.lower()]
    if _is_off(value):
        return None
    try:
        ratio = float(str(value))
    except ValueError:
        ratio = -1.0
    if isinstance(value, bool) or not 0 <= ratio <= 1:
        raise PolicyError(f"{source}: rules.{name} = {value!r}: expected a number between 0 and 1, or off")
    return ratio


def _size(told: dict[str, object], source: str) -> int | None:
    value = told.get(_WASTED.lower())
    if _is_off(value):
        return None
    size = read_size(value)
    if size is None:
        raise PolicyError(f"{source}: rules.{_WASTED} = {value!r}: expected a size like 20MB, or off")
    return size


def _is_off(value: object) -> bool:
    return value is None or value is False or str(value).strip().lower() in _OFF
