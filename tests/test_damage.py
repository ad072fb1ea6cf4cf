"""No damage ends in a crash, a hang, or an answer that is silently wrong; scripts/damage does more of it."""

import random
from collections import Counter

import damage
import pytest


def sample(path, cuts=20, flips=20):
    data = path.read_bytes()
    seen = list(damage.sweep(data, random.Random(path.name), cuts, flips))
    bad = [row for row in seen if row[2] in damage.BAD]
    assert not bad, bad[:5]
    return Counter(row[2] for row in seen)


@pytest.mark.case("A54", "C54", "C55", "D04")
def test_damaged_fixtures_are_told(fixtures_dir):
    total = Counter()
    for path in sorted(fixtures_dir.glob("*.tar*")):
        total += sample(path, cuts=8, flips=8)
    assert total["partial"] + total["refused"] > 20


@pytest.mark.case("A54", "C54", "C55", "D04")
def test_damaged_images_of_others_are_told(corpus):
    total = Counter()
    for path in sorted((corpus / "images").iterdir()):
        small = path.stat().st_size < 100_000
        total += sample(path, cuts=20 if small else 6, flips=20 if small else 6)
    assert total["partial"] + total["refused"] > 300
