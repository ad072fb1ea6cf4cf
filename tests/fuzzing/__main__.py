"""Fuzz one target with atheris: `python -m fuzzing TARGET`, and then libFuzzer's own options; scripts/fuzz calls it."""

import importlib
import pkgutil
import sys
from random import Random

import atheris

with atheris.instrument_imports(include=["layerscope"]):
    import layerscope

    # Also what is imported only where it is needed.
    for module in pkgutil.walk_packages(layerscope.__path__, "layerscope."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    from fuzzing.targets import TARGETS

BLOCK = 512


def stamp(data: bytearray, start: int, stop: int, depth: int = 0) -> None:
    """Make the checksums of a tar's headers right again, also in tars inside it: else nothing behind a change is ever read."""
    while start + BLOCK <= stop and any(data[start : start + BLOCK]):
        block = data[start : start + BLOCK]
        block[148:156] = b" " * 8
        data[start + 148 : start + 156] = b"%06o\0 " % sum(block)
        digits = bytes(block[124:136]).strip(b" \0")
        size = int(digits, 8) if digits and not digits.strip(b"01234567") else 0
        start += BLOCK
        if depth == 0 and size >= 2 * BLOCK and start + size <= stop and data[start + 257 : start + 262] == b"ustar":
            stamp(data, start, start + size, 1)
        start += -(-size // BLOCK) * BLOCK


def mutate(data: bytes, longest: int, seed: int) -> bytes:
    """Change a tar, and make the checksums right again, most of the time."""
    changed = bytearray(atheris.Mutate(data, longest))
    if Random(seed).random() < 0.9:
        stamp(changed, 0, len(changed))
    return bytes(changed)


target = TARGETS[sys.argv[1]]
atheris.Setup([sys.argv[0], *sys.argv[2:]], target.run, **({"custom_mutator": mutate} if target.stamped else {}))
atheris.Fuzz()
