"""The recipes of `scripts/predict` can be mended as they say, also where nothing builds them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from layerscope.analysis.kinds import KIND

SCRIPT = runpy.run_path(str(Path(__file__).parent.parent / "scripts" / "predict"))


@pytest.mark.parametrize("recipe", SCRIPT["RECIPES"], ids=lambda recipe: recipe.name)
def test_each_fix_changes_what_it_mends(recipe, tmp_path):
    text = recipe.dockerfile.format(base="base")
    recipe.context(tmp_path)
    for fix in recipe.fixes:
        assert fix.cause in KIND
        assert fix.pieces or fix.files
        for piece, instead in fix.pieces:
            assert piece in text
            text = text.replace(piece, instead, 1)
            assert instead in text
    assert text.startswith("FROM base")


def test_the_table():
    row = SCRIPT["Row"]("app", "logs", "likely", 1000, 110, 900)
    assert (row.real, round(row.error, 3), round(row.size_error, 3)) == (100, 0.1, -0.011)
    assert "| app | logs | likely | 1,000 | 110 | 100 | +10.0% | -1.11% |" in SCRIPT["table"]([row], markdown=True)
