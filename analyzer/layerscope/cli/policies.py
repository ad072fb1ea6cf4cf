"""Which policy goes for this folder? Finds and reads policy files; what they mean is the audit's business."""

from __future__ import annotations

# paths are text from the command line here, surrogates and all
# ruff: noqa: PTH100, PTH110, PTH113, PTH118, PTH120
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from layerscope.audit import RULES, Policy, holds_policy, read_dive, read_policy
from layerscope.audit.baseline import Baseline, read_baseline
from layerscope.cli.reading import read

if TYPE_CHECKING:
    from layerscope.archive.inspection import Inspector
    from layerscope.secrets.gitleaks import ForeignRules

NAMES = ("layerscope.toml", "pyproject.toml")
DIVE = ".dive-ci"
_ROOTS = (".git", ".hg", ".jj", ".svn")


def find_policy(path: str | None, folder: str = ".", rules: str | None = None) -> Policy:
    """Return the policy of a file, or the one that goes for a folder; a `.dive-ci` beside it is read as well.

    Without a policy of ours the rules of a `.dive-ci` alone decide. `rules` is somebody else's file, whose ids it may name too.
    """
    place = path if path is not None else search(folder)
    dive_place = os.path.join(folder, DIVE) if folder != "." else DIVE
    dive = read_dive(read(dive_place), dive_place) if os.path.isfile(dive_place) else None
    if place is None:
        return Policy(dive=dive, alone=dive is not None)
    policy = read_policy(read(place), place, known=[*(rule.id for rule in RULES), *_ids(rules)], subjects=_subjects())
    return replace(policy, dive=dive)


def search(folder: str) -> str | None:
    """Return the nearest policy file, upward to the root of the repository; outside of one, only in the folder itself."""
    here, place = os.path.abspath(folder), folder
    for _ in range(256):
        for name in NAMES:
            path = os.path.normpath(os.path.join(place, name))
            if os.path.isfile(path) and (name == NAMES[0] or holds_policy(read(path))):
                return path
        if any(os.path.exists(os.path.join(here, mark)) for mark in _ROOTS) or not _inside(here):
            return None
        here, place = os.path.dirname(here), os.path.join(place, os.pardir)
    return None


def find_baseline(path: str | None) -> Baseline | None:
    """Return a baseline, if one is named."""
    return None if path is None else read_baseline(read(path), path)


def find_inspector(rules: str | None) -> Inspector:
    """Return what looks into contents: our own rules, and those of somebody else's file if one is named."""
    from layerscope.secrets import inspector

    if rules is None:
        return inspector()
    return inspector(finders=[_read_rules(rules)])


@cache
def _read_rules(path: str) -> ForeignRules:
    from layerscope.secrets.gitleaks import read_rules

    return read_rules(read(path), path)


def _ids(rules: str | None) -> list[str]:
    return [] if rules is None else [rule.id for rule in _read_rules(rules).rules]


def _subjects() -> dict[str, Sequence[str]]:
    """Return what limits may speak of."""
    from layerscope.analysis.kinds import KINDS
    from layerscope.packages.classes import CLASSES, TYPES

    return {"cause": [kind.id for kind in KINDS], "owner": [*CLASSES, *TYPES], "package": TYPES}


def _inside(folder: str) -> bool:
    """Whether a folder lies in a repository."""
    while True:
        if any(os.path.exists(os.path.join(folder, mark)) for mark in _ROOTS):
            return True
        above = os.path.dirname(folder)
        if above == folder:
            return False
        folder = above
