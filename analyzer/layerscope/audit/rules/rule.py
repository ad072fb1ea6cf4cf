"""What is a rule? One declaration that every output, the README and `explain` are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from layerscope.analysis.exposure import Exposure
from layerscope.frozen import frozen
from layerscope.report import Report

Look = Callable[[Report], Iterable[Exposure]]


@frozen
class Rule:
    """One rule of a security review.

    level           of its gravest finding: "error" fails, "warning" and "info" are told
    check           what it finds in a report; a fact may be of a lower level where its place speaks for it
    raises          the rule's level goes for all its findings, whatever level the fact has
    needs           what must have been asked of the scan, as `Image.inspected` names it: without it the rule finds nothing
    severity        0 to 10, as SARIF's security-severity has it
    references      addresses to read on
    counterparts    ids of dockle and CIS checks that it answers
    """

    id: str
    level: str
    title: str
    why: str
    fix: str
    check: Look
    references: tuple[str, ...] = ()
    counterparts: tuple[str, ...] = ()
    severity: float = 5.0
    raises: bool = False
    needs: str | None = None
    tags: tuple[str, ...] = ("security",)


def exposed(id_: str) -> Look:
    """Return a check that finds the report's own facts of one id."""

    def look(report: Report) -> Iterable[Exposure]:
        return (exposure for exposure in report.exposures if exposure.id == id_)

    return look


def noted(id_: str, level: str, *notes: str) -> Look:
    """Return a check that makes findings of notes by their ids."""

    def look(report: Report) -> Iterable[Exposure]:
        return (
            Exposure(
                id_, level, note.message, note.path, note.layer, "config" if note.layer is None else "visible",
                detail=f"{note.id}{'' if note.offset is None else f', byte {note.offset:,}'}",
            )
            for note in dict.fromkeys((*report.notes, *report.image.notes))
            if note.id in notes
        )  # fmt: skip

    return look
