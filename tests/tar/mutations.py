"""How does a tar get damaged? Octets flipped, cut out, put in; blocks swapped or repeated; checksums made right again."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tar.traps import restamped

BLOCK = 512
FIELDS = (
    0,
    99,
    100,
    108,
    116,
    124,
    135,
    136,
    148,
    156,
    157,
    256,
    257,
    262,
    263,
    265,
    329,
    337,
    345,
    386,
    475,
    482,
    483,
    500,
    508,
)
OCTETS = (0, 1, 32, 43, 45, 46, 47, 48, 49, 53, 55, 56, 57, 61, 10, 0x7F, 0x80, 0x81, 0xC0, 0xFF, *b"LKxgSV012345679")


def flip(random: Random, data: bytearray) -> None:
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def cut(random: Random, data: bytearray) -> None:
    start = random.randrange(len(data))
    del data[start : start + random.choice((1, 2, 100, 511, 512, 513, 1024, 5000))]


def insert(random: Random, data: bytearray) -> None:
    start = random.randrange(len(data) + 1)
    data[start:start] = random.choice((b"\0", b"x", b"5", bytes(512), b"1" * 512, b"garbage" * 80, bytes(1024)))


def repeat(random: Random, data: bytearray) -> None:
    start = random.randrange(len(data)) // BLOCK * BLOCK
    data[start:start] = data[start : start + BLOCK * random.randrange(1, 4)]


def swap(random: Random, data: bytearray) -> None:
    one, other = (random.randrange(len(data)) // BLOCK * BLOCK for _ in range(2))
    data[one : one + BLOCK], data[other : other + BLOCK] = data[other : other + BLOCK], data[one : one + BLOCK]


def edit(random: Random, data: bytearray) -> None:
    """Change some octets of a block, most often where a field begins, and make the block a good header again."""
    start = random.randrange(len(data)) // BLOCK * BLOCK
    block = data[start : start + BLOCK]
    if len(block) < BLOCK:
        return
    for _ in range(random.randrange(1, 4)):
        where = random.choice(FIELDS) if random.random() < 0.6 else random.randrange(BLOCK)
        for offset in range(where, min(where + random.choice((1, 1, 2, 12)), BLOCK)):
            block[offset] = random.choice(OCTETS)
    data[start : start + BLOCK] = restamped(bytes(block), signed=random.random() < 0.1)


def digits(random: Random, data: bytearray) -> None:
    """Change an octet of the text of a record."""
    places = [
        place for place in (data.find(mark, random.randrange(len(data))) for mark in (b" ", b"=", b"\n", b",")) if place > 0
    ]
    if places:
        data[min(random.choice(places) + random.choice((-1, 0, 1)), len(data) - 1)] = random.choice(OCTETS)


KINDS: tuple[Callable[[Random, bytearray], None], ...] = (
    flip,
    cut,
    insert,
    repeat,
    swap,
    edit,
    edit,
    edit,
    edit,
    digits,
    digits,
)


def mutated(random: Random, data: bytes, other: bytes) -> bytes:
    """Return a tar, at times one joined from two, with up to four kinds of damage."""
    result = bytearray(data if random.random() < 0.7 else data.rstrip(b"\0") + bytes(-len(data.rstrip(b"\0")) % BLOCK) + other)
    for _ in range(random.randrange(1, 5)):
        if result:
            random.choice(KINDS)(random, result)
    return bytes(result)
