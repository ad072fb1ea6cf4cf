"""What do the tests of the tar reader share?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tar.readers import GoReader, OtherReaders


@pytest.fixture(scope="session")
def go(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoReader]:
    """Return Go's archive/tar."""
    if not shutil.which("go"):
        pytest.skip("go is not installed: there is nothing to compare with")
    reader = GoReader(tmp_path_factory.mktemp("go"))
    yield reader
    reader.close()


@pytest.fixture(scope="session")
def other_readers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherReaders]:
    """Return GNU tar, libarchive and Python's tarfile, as far as they are installed."""
    readers = OtherReaders(tmp_path_factory.mktemp("others"))
    yield readers
    readers.close()
