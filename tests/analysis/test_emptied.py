"""What has no content goes with the files around it: folders, links, empty files."""

from __future__ import annotations

from build import Dir, File, Hardlink, Symlink, layer, tar, whiteout
from hypothesis import given, settings
from hypothesis import strategies as st
from layerscope import api

from analysis.make import image, report
from analysis.test_claims import CONTENTS, PATHS
from analysis.test_whatif import told

BLOCK = 512


def tar_bytes(made, id_):
    return sum(cause.tar_bytes for cause in made.causes if cause.id == id_)


def test_folders_go_with_all_that_is_in_them():
    cache = {"root/": Dir(), "root/.npm/": Dir(), "root/.npm/_cacache/": Dir(), "root/.npm/_cacache/a": b"x" * 70}
    assert tar_bytes(report(cache), "package-manager-cache") == (3 + 2) * BLOCK
    assert tar_bytes(report(cache | {"root/.profile": b"y"}), "package-manager-cache") == (2 + 2) * BLOCK
    assert tar_bytes(report(cache | {"root/.npm/_cacache/tmp/": Dir()}), "package-manager-cache") == (4 + 2) * BLOCK


def test_a_folder_of_two_causes_is_of_neither():
    both = {"var/": Dir(), "var/log/": Dir(), "var/log/a.log": b"x" * 70, "var/tmp/": Dir(), "var/tmp/b": b"y" * 70}
    made = report(both)
    assert {cause.id: cause.tar_bytes for cause in made.causes} == {"logs": 3 * BLOCK, "temporary-files": 3 * BLOCK}


def test_links_and_empty_files_that_are_stored_again():
    app = {"app/": Dir(), "app/a": b"x" * 70, "app/b": Symlink("a"), "app/c": b""}
    again = {"app/": Dir(uid=7), "app/a": File(b"x" * 70, uid=7), "app/b": Symlink("a", uid=7), "app/c": File(b"", uid=7)}
    made = report(app, again)
    assert [(cause.id, cause.bytes, cause.tar_bytes, cause.path_count) for cause in made.causes] == [
        ("metadata-only-copy", 70, 5 * BLOCK, 1)
    ]
    other = report(app, again | {"app/b": Symlink("c", uid=7)})  # another link is no copy
    assert tar_bytes(other, "metadata-only-copy") == 3 * BLOCK
    assert tar_bytes(report({"app/b": Symlink("a")}, {"app/b": Symlink("a", uid=7)}), "metadata-only-copy") == 0


def test_links_among_what_is_left_behind():
    docs = {
        "usr/share/doc/a/README": b"x" * 70,
        "usr/share/doc/a/NEWS": Symlink("README"),
        "usr/share/doc/a/COPYING": Symlink("x"),
    }
    assert tar_bytes(report(docs), "documentation") == 3 * BLOCK
    assert report({"usr/share/doc/a/NEWS": Symlink("README")}).causes == ()


def test_a_hard_link_of_another_layer_takes_no_folder_along():
    made = report({"tmp/": Dir(), "tmp/a": b"x" * 70}, {"tmp/more/": Dir(), "tmp/more/b": Hardlink("tmp/a")})
    assert tar_bytes(made, "temporary-files") == 4 * BLOCK  # both entries of the file, and its own layer's folder


NODES = st.one_of(
    CONTENTS.map(File),
    st.tuples(CONTENTS, st.sampled_from([0, 7])).map(lambda pair: File(pair[0], uid=pair[1])),
    st.sampled_from(PATHS).map(Symlink),
    st.none(),
)
LAYERS = st.lists(st.dictionaries(st.sampled_from(PATHS), NODES, max_size=8), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(LAYERS, st.booleans())
def test_without_a_cause_its_tar_bytes_are_gone(trees, parents):
    layers = [
        tar(
            layer({path: node for path, node in tree.items() if node is not None}, parents=parents)[:-1024],
            *(whiteout(path) for path, node in tree.items() if node is None),
        )
        for tree in trees
    ]
    made = image(*layers)
    found = api.analyze(made)
    for id_ in {cause.id for cause in found.causes}:
        loss = told(made, causes=(id_,))[0].losses[0]
        assert (loss.bytes, loss.tar_bytes) == (
            sum(cause.bytes for cause in found.causes if cause.id == id_),
            tar_bytes(found, id_),
        )
