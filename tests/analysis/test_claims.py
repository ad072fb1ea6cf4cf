"""No byte is claimed twice, and hidden bytes all are."""

from __future__ import annotations

from build import File, Hardlink, layer, tar, whiteout
from hypothesis import given, settings
from hypothesis import strategies as st
from layerscope.analysis.kinds import KIND

from analysis.make import report

PATHS = [
    "tmp/a",
    "tmp/b",
    "var/log/x.log",
    "usr/share/doc/a/b",
    "usr/share/doc/a/copyright",
    "root/.npm/_cacache/x",
    "app/.git/config",
    "app/a.py",
    "app/__pycache__/a.cpython-311.pyc",
    "usr/lib/liba.a",
    "opt/x.tar.gz",
    "opt/x/y",
    "app/node_modules/a/test/t.js",
    "etc/passwd",
    "core.7",
]
CONTENTS = st.sampled_from([b"", b"x" * 7, b"y" * 7, b"z" * 600])
NODES = st.one_of(
    CONTENTS.map(File),
    st.tuples(CONTENTS, st.sampled_from([0, 7])).map(lambda pair: File(pair[0], uid=pair[1])),
    st.sampled_from(PATHS).map(Hardlink),
    st.none(),
)
LAYERS = st.lists(st.dictionaries(st.sampled_from(PATHS), NODES, max_size=8), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(LAYERS)
def test_every_hidden_byte_and_no_live_byte_twice(layers):
    made = report(
        *(
            tar(
                layer({path: node for path, node in tree.items() if node is not None})[:-1024],
                *(whiteout(path) for path, node in tree.items() if node is None),
            )
            for tree in layers
        )
    )
    books = made.books
    groups = {False: 0, True: 0}
    for cause in made.causes:
        assert cause.bytes > 0
        assert cause.tar_bytes >= cause.bytes
        assert (cause.hidden_in is None) == (KIND[cause.id].group > 4)
        groups[KIND[cause.id].group > 4] += cause.bytes
    assert groups[False] == books.replaced_bytes + books.deleted_bytes
    assert groups[True] <= books.live_bytes
    keys = [(cause.id, cause.layer, cause.hidden_in, cause.title) for cause in made.causes]
    assert len(set(keys)) == len(keys)
