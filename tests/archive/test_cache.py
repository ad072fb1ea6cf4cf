"""The cache remembers, forgets what is old, damaged or too much, and is never in the way."""

import os
import stat
import threading

import pytest
from layerscope.archive.cache import MAGIC, Cache, default_folder


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache", largest=10_000)


def entry(cache):
    (path,) = cache.folder.iterdir()
    return path


def test_what_is_put_can_be_got(cache):
    assert cache.get(b"key") is None
    cache.put(b"key", b"value")
    assert cache.get(b"key") == b"value"
    assert cache.get(b"other") is None
    assert cache.usage().entries == 1


def test_folder_and_entries_are_private(cache):
    cache.put(b"key", b"value")
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(entry(cache).stat().st_mode) == 0o600


@pytest.mark.parametrize("where", [0, 5, len(MAGIC), len(MAGIC) + 16, len(MAGIC) + 20, -1])
def test_a_damaged_entry_is_a_miss_and_goes(cache, where):
    cache.put(b"key", b"value")
    path = entry(cache)
    raw = bytearray(path.read_bytes())
    raw[where] ^= 1
    path.write_bytes(raw)
    assert cache.get(b"key") is None
    assert not path.exists()


def test_an_entry_under_another_key_is_a_miss(cache):
    cache.put(b"key", b"value")
    os.rename(entry(cache), cache._path(b"other"))
    assert cache.get(b"other") is None


def test_an_old_entry_is_a_miss(cache):
    cache.put(b"key", b"value")
    os.utime(entry(cache), (0, 0))
    assert cache.get(b"key") is None


def test_the_least_recently_used_goes_first(cache):
    cache.oldest = 1e12
    for number in range(4):
        cache.put(b"%d" % number, bytes(2000))
        os.utime(cache._path(b"%d" % number), (1e9 + number, 1e9 + number))
    cache.get(b"1")
    cache.put(b"4", bytes(2000))
    cache.put(b"5", bytes(2000))
    assert cache.get(b"0") is None
    assert cache.get(b"2") is None
    assert cache.get(b"1") is not None
    assert cache.usage().bytes <= cache.largest


def test_a_folder_that_others_can_write_to_is_not_used(cache):
    cache.put(b"key", b"value")
    cache.folder.chmod(0o777)
    assert cache.get(b"key") is None
    cache.put(b"new", b"value")
    assert len(list(cache.folder.iterdir())) == 1


def test_a_place_that_cannot_be_written_is_no_error(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    cache = Cache(blocked / "cache")
    cache.put(b"key", b"value")
    assert cache.get(b"key") is None
    assert cache.clear().entries == 0
    assert Cache(None).get(b"key") is None


def test_a_link_in_place_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    os.symlink(tmp_path / "real", tmp_path / "cache")
    cache = Cache(tmp_path / "cache")
    cache.put(b"key", b"value")
    assert not list((tmp_path / "real").iterdir())


def test_two_at_once(cache):
    def work(seed):
        for number in range(30):
            cache.put(b"%d" % (number % 3), b"%d" % (number % 3))
            assert cache.get(b"%d" % (number % 3)) in (None, b"%d" % (number % 3))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not [path for path in cache.folder.iterdir() if path.suffix == ".part"]


def test_clear_forgets(cache):
    cache.put(b"key", b"value")
    assert cache.clear().entries == 1
    assert cache.get(b"key") is None


def test_the_default_place_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("LAYERSCOPE_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "layerscope"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder().is_relative_to(tmp_path)
