"""What a raw layer costs to pull is counted, or guessed with a range that holds."""

from __future__ import annotations

import gzip
import io
import random
import zlib
from types import SimpleNamespace

import pytest
from build import Image, docker_save, layer
from layerscope import api
from layerscope.archive import pull


def noise(seed, size):
    """Return bytes that shrink to a changing share."""
    rng = random.Random(seed)
    words = [rng.randbytes(rng.randint(2, 30)) for _ in range(500)]
    parts, total = [], 0
    while total < size:
        part = b"".join(rng.choices(words, k=200)) if rng.random() < 0.7 else rng.randbytes(3000)
        parts.append(part)
        total += len(part)
    return b"".join(parts)[:size]


def squeezed(data):
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return len(packer.compress(data) + packer.flush()) + 18


def test_small_layers_are_counted(tmp_path):
    tar = layer({"a": noise(1, 300_000)})
    (tmp_path / "a.tar").write_bytes(docker_save(Image([tar])))
    made = api.analyze(api.load(str(tmp_path / "a.tar")))
    assert made.books.pull_bytes == squeezed(tar) == made.books.pull_low == made.books.pull_high
    assert made.books.layers[0].pull_estimated
    assert made.image.layers[0].pull.method == "counted"


@pytest.mark.parametrize("quick", [pull.QUICK, zlib], ids=["quickest", "zlib"])
@pytest.mark.parametrize("seed", range(5))
def test_samples_hold_their_range(seed, quick, monkeypatch):
    monkeypatch.setattr(pull, "QUICK", quick)
    data = noise(seed, 9_000_000)
    (guess,) = pull.price([pull.Place(data, 0, len(data))], "estimate")
    assert guess.method == "sampled"
    assert guess.low <= squeezed(data) <= guess.high
    assert abs(guess.mid / squeezed(data) - 1) < 0.1
    (exact,) = pull.price([pull.Place(data, 0, len(data))], "exact")
    assert exact.mid == squeezed(data)


def test_what_gzip_sees_tells_how_far_the_quick_compressor_is_off(monkeypatch):
    """Whatever that one makes of a block, the estimate is of gzip's."""
    data = noise(3, 9_000_000)
    (right,) = pull.price([pull.Place(data, 0, len(data))], "estimate")
    packed = []

    class Poor:
        """Compresses, and doubles what comes out."""

        def __init__(self, window):
            self.packer = zlib.compressobj(1, zlib.DEFLATED, -15, zdict=window)

        def compress(self, block):
            packed.append(len(block))
            return self.packer.compress(block) * 2

        def flush(self):
            return self.packer.flush() * 2

    monkeypatch.setattr(pull, "QUICK", SimpleNamespace(compressobj=lambda *_, zdict: Poor(zdict)))
    (guess,) = pull.price([pull.Place(data, 0, len(data))], "estimate")
    assert len(packed) == len(data) // pull.BLOCK == 549
    assert guess.low <= squeezed(data) <= guess.high
    assert abs(guess.mid / right.mid - 1) < 0.02


def test_bytes_that_do_not_shrink_are_in_the_range():
    data = random.Random(1).randbytes(9_000_000)
    (guess,) = pull.price([pull.Place(data, 0, len(data))], "estimate")
    assert guess.low <= squeezed(data) <= guess.high
    assert guess.high - guess.low < len(data) / 500


@pytest.mark.parametrize("size", [9_000_000, 300_000_000])
def test_a_layer_that_ends_early_still_has_an_estimate(size):
    """Its size was claimed, and fewer blocks than that came by."""
    data = noise(8, 600_000)
    sampler = pull.Sampler(iter([data]), size, counted=False)
    assert b"".join(sampler) == data
    assert sampler.pull is None or sampler.pull.low <= squeezed(data) <= sampler.pull.high


def test_a_layer_that_passes_is_sampled_on_the_way():
    data = noise(7, 9_000_000)
    chunks = [data[at : at + 50_001] for at in range(0, len(data), 50_001)]
    sampler = pull.Sampler(iter(chunks), len(data), counted=False)
    assert b"".join(sampler) == data
    assert sampler.pull.low <= squeezed(data) <= sampler.pull.high
    counter = pull.Sampler(iter(chunks), len(data), counted=True)
    assert b"".join(counter) == data
    assert counter.pull.mid == squeezed(data)


def test_the_same_from_a_pipe(tmp_path):
    tars = [layer({"a": noise(1, 300_000)}), layer({"b": noise(2, 200_000)})]
    data = docker_save(Image(tars))
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(data, 1))
    piped = api.load("-", stdin=io.BytesIO(data))
    packed = api.load(str(tmp_path / "a.tar.gz"))
    assert [one.pull.mid for one in piped.layers] == [one.pull.mid for one in packed.layers] == [squeezed(tar) for tar in tars]


def test_many_small_layers_are_not_all_counted():
    sizes = [7_000_000] * 10
    assert len(pull.choose_counted(sizes)) == 4
    assert pull.choose_counted([9_000_000]) == set()


def test_off(tmp_path):
    (tmp_path / "a.tar").write_bytes(docker_save(Image([layer({"a": b"x"})])))
    assert api.analyze(api.load(str(tmp_path / "a.tar"), pull="off")).books.pull_bytes is None
