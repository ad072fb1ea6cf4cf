"""Every id of a report can be asked for."""

from __future__ import annotations

import re
from pathlib import Path

import layerscope
import pytest
from layerscope.analysis.kinds import KINDS
from layerscope.cli.explain import explain
from layerscope.render.glossary import explain_notes
from layerscope.render.options import Options


@pytest.mark.parametrize("id_", [*(kind.id for kind in KINDS), "C55", "c55"])
def test_one(id_):
    text = explain(id_, (), Options()).text
    assert text.startswith(id_.upper() if len(id_) == 3 else id_)
    assert max(map(len, text.splitlines())) <= 80
    assert all(f"\n{word}" in text for word in ("what", "why", "fix"))


def test_all():
    text = explain(None, (), Options()).text
    assert "CAUSES" in text
    assert "NOTES" in text
    assert max(map(len, text.splitlines())) <= 80


def test_nearest():
    with pytest.raises(Exception, match="Did you mean 'deleted-later'"):
        explain("deleted", (), Options())


def test_one_kind():
    assert "NOTES" not in explain(None, ("causes",), Options()).text


def test_every_note_that_there_is_can_be_explained():
    source = Path(layerscope.__file__).parent
    noted = {
        id_
        for path in source.rglob("*.py")
        if path.relative_to(source).parts[0] not in ("render", "audit")
        for id_ in re.findall(r'"([A-FP]\d\d)"', path.read_text(encoding="utf-8"))
    }
    assert len(noted) > 80
    assert noted == {note.id for note in explain_notes()}


def test_no_two_notes_are_explained_alike():
    notes = explain_notes()
    assert len({note.id for note in notes}) == len({note.summary for note in notes}) == len(notes)
