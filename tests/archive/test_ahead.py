"""Does a thread that works ahead give what it was to give, and end?"""

from __future__ import annotations

import threading
import time

import pytest
from layerscope.archive.compression import ahead as module
from layerscope.archive.compression.ahead import BATCH, LEAST, ROOM, ahead, pays
from layerscope.errors import ArchiveError


def workers():
    return [thread for thread in threading.enumerate() if thread.name == "layerscope-ahead"]


@pytest.mark.parametrize("batch", [1, 5, BATCH])
@pytest.mark.parametrize("count", [0, 1, ROOM, 10 * ROOM])
def test_everything_comes_in_order(count, batch, monkeypatch):
    monkeypatch.setattr(module, "BATCH", batch)
    chunks = [b"%d" % number for number in range(count)]
    assert list(ahead(iter(chunks))) == chunks
    assert not workers()


def test_an_error_comes_after_what_was_before_it():
    def broken():
        yield b"a"
        raise ArchiveError("damaged", offset=7)

    passing = ahead(broken())
    assert next(passing) == b"a"
    with pytest.raises(ArchiveError) as caught:
        next(passing)
    assert caught.value.offset == 7
    assert not workers()


def test_no_more_is_made_than_there_is_room_for():
    made = []

    def endless():
        while True:
            made.append(1)
            yield bytes(BATCH // 2)

    passing = ahead(endless())
    next(passing)
    time.sleep(0.3)
    assert len(made) == ROOM * 2
    passing.close()
    assert not workers()


def test_whoever_is_interrupted_leaves_no_thread():
    def endless():
        while True:
            yield b"x"

    def interrupted():
        for _ in ahead(endless()):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    for _ in range(100):
        if not workers():
            return
        time.sleep(0.05)
    pytest.fail("the thread goes on")


def test_little_is_not_worth_a_thread(monkeypatch):
    assert not pays(LEAST - 1, hashed=True)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0}, raising=False)
    assert not pays(LEAST, hashed=True)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1}, raising=False)
    assert pays(LEAST, hashed=True)
    assert not pays(LEAST, hashed=False)


@pytest.mark.parametrize("taken", [1, 3])
def test_what_the_thread_left_is_given_back(taken, monkeypatch):
    trimmed = []
    monkeypatch.setattr(module, "trim", lambda: trimmed.append(workers()))
    passing = ahead(iter([bytes(BATCH)] * 3))
    for _ in range(taken):
        next(passing)
    assert not trimmed
    passing.close()
    assert trimmed == [[]]
