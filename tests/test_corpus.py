"""Every real image ends in a report, a choice or a refusal that names what it is; which is which, and why, stands here."""

import json
from collections import Counter

import jsonschema
import layerscope
import pytest
from layerscope.render import FORMATS, Options
from layerscope.render.document import report_document
from layerscope.render.schemas import schema_text

# Archives of several images: what `--image` may say.
CHOICES = {
    "container-inspector__repos_images.tar.gz": ["bkimminich/juice-shop-ctf:latest", "microscaling/microscaling:latest"],
    "container-inspector__repos_imagesv11.tar": ["me/test_image_tar:1.0", "she/image_from_scratch:1.0", "you/secondimage:1.2"],
    "go-containerregistry__tarball_test_bundle.tar": ["test_image_1", "test_image_2"],
    "go-containerregistry__tarball_test_link.tar": ["bazel/v1/tarball:test_image_1", "bazel/v1/tarball:test_image_3"],
    "podman__docker-two-images.tar.xz": ["example.com/empty/but:different", "example.com/empty:latest"],
    "scancodeio__docker-images.tar.gz": ["bkimminich/juice-shop-ctf:latest", "microscaling/microscaling:latest"],
}
# No image in there: what the refusal says.
REFUSALS = {
    "go-containerregistry__tarball_null_manifest.tar": "manifest.json lists no image",
    "osv-scalibr__empty.tar": "an empty tar",
    "snyk__docker-oci-archives_unsupported-image.tar": "without manifest.json or index.json",
}
# Read in part: layers whose blobs are 30 bytes of text, cut down by their origin.
PARTIAL = {"container-inspector__repos_images.tar.gz"}
PACKAGES = {
    "imagesync__alpine.tar": {"apk": 14},
    "kaniko__integration_tar.tar": {"apk": 13},
    "snyk__containerd-archives_alpine.tar": {"apk": 14},
    "snyk__npm_npm7-with-node-modules-only.tar": {"apk": 15, "npm": 82},
    "snyk__npm_npm7-with-package-lock-file.tar": {"apk": 15, "npm": 1},
    "snyk__npm_yarn-with-lock-file.tar": {"apk": 15, "npm": 1},
    "snyk__npm_yarn-with-node-modules-only.tar": {"apk": 15, "npm": 64},
    "trivy__alpine-311.tar.gz": {"apk": 14},
}


def check(image):
    """Check what holds of any report, and return it."""
    report = layerscope.analyze(image)
    document = json.loads(FORMATS["json"](report, Options()))
    jsonschema.Draft202012Validator(json.loads(schema_text("report"))).validate(document)
    totals = document["totals"]
    hidden = totals["replaced_bytes"] + totals["deleted_bytes"]
    assert totals["content_bytes"] == totals["live_bytes"] + hidden
    assert totals["archive_bytes"] == (
        totals["content_bytes"] + totals["overhead_bytes"] - totals["compression_bytes"]
        + totals["metadata_bytes"] + totals["orphan_bytes"] + totals["container_bytes"]
    )  # fmt: skip
    for name in ("content_bytes", "live_bytes", "replaced_bytes", "deleted_bytes", "tar_bytes", "blob_bytes", "docker_bytes"):
        assert totals[name] == sum(layer[name] or 0 for layer in document["layers"]), name
    assert sum(owner["bytes"] for owner in document["owners"]) == totals["content_bytes"]
    assert sum(cause["bytes"] for cause in document["causes"] if cause["hidden_in"] is not None) == hidden
    assert document["complete"] == (not any(note["level"] == "error" for note in document["notes"]))
    text = FORMATS["text"](report, Options(width=80))
    assert max(map(len, text.splitlines())) <= 80
    return report


def test_every_image_is_read_or_named(corpus):
    seen = Counter()
    for path in sorted((corpus / "images").iterdir()):
        source = str(path)
        if path.name in REFUSALS:
            with pytest.raises(layerscope.ArchiveError, match=REFUSALS[path.name]):
                layerscope.load(source)
            seen["refused"] += 1
        elif path.name in CHOICES:
            with pytest.raises(layerscope.SelectionError) as caught:
                layerscope.load(source)
            assert [line.split("  ")[0] for line in caught.value.choices] == CHOICES[path.name]
            for name in CHOICES[path.name]:
                report = check(layerscope.load(source, image=name))
                assert report.complete == (path.name not in PARTIAL)
                assert report.image.names[0] == name
            seen["chosen"] += 1
        else:
            report = check(layerscope.load(source))
            assert report.complete, path.name
            seen["reported"] += 1
    assert seen["refused"] == len(REFUSALS)
    assert seen["chosen"] == len(CHOICES)


def test_what_the_origins_assert(corpus):
    alpine = check(layerscope.load(str(corpus / "images/trivy__alpine-311.tar.gz")))
    assert alpine.books.tar_bytes == 5_861_888
    assert alpine.books.content_bytes == 5_591_284
    assert alpine.image.config_digest.startswith("sha256:a187dde4")
    assert alpine.release.version_id == "3.11.5"
    symbolic = layerscope.load(str(corpus / "images/deckoder__symbolic.tar"))
    assert len(symbolic.layers) == 9
    assert len({layer.diff_id for layer in symbolic.layers}) == 8
    assert sum(layer.same_as is not None for layer in symbolic.layers) == 1
    kaniko = layerscope.load(str(corpus / "images/kaniko__integration_tar.tar"))
    assert len(kaniko.layers) == 49
    assert sum(layer.same_as is not None for layer in kaniko.layers) == 46
    assert kaniko.storage.blob_bytes == sum(layer.blob_bytes for layer in kaniko.layers if layer.same_as is None)
    link = layerscope.load(str(corpus / "images/go-containerregistry__tarball_test_link.tar"), image="bazel/v1/tarball:test_image_3",
                           verify=True)  # fmt: skip
    assert link.layers[0].diff_id.startswith("sha256:8897395f") or link.layers[1].diff_id.startswith("sha256:8897395f")
    assert all(layer.verified for layer in link.layers)
    she = layerscope.load(str(corpus / "images/container-inspector__image_she-image_from_scratch-1.0.tar"))
    assert [layer.index.tar_bytes for layer in she.layers] == [2048, 5632, 5120, 2560]


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_are_those_that_others_find(corpus, name):
    report = layerscope.analyze(layerscope.load(str(corpus / "images" / name)))
    present = Counter(row.package.type for row in report.ownership.packages if row.removed_in is None)
    assert present == PACKAGES[name]


def test_roots_are_images_of_one_layer(corpus):
    for path in sorted((corpus / "rootfs").iterdir()):
        report = check(layerscope.load(str(path)))
        assert report.image.layout == "rootfs"
        assert report.books.content_bytes > 5_000_000
        assert any(note.id == "A35" for note in report.notes)


def test_documents_do_not_depend_on_the_run(fixtures_dir):
    source = str(fixtures_dir / "node-app.docker.tar")
    first, second = (report_document(layerscope.analyze(layerscope.load(source))) for _ in range(2))
    assert first == second
