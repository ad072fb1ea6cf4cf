"""Bills of materials, checked by the libraries that know the formats."""

from __future__ import annotations

import json
import sys

import pytest
from layerscope.cli import session

IMAGES = ["node-app.docker.tar", "python-app.oci-zstd.tar", "alpine.oci.tar", "debian.docker25.tar"]


@pytest.fixture
def run(fixtures_dir, capsys):
    def call(image, *words, code=0):
        assert session.run(["sbom", str(fixtures_dir / image), *words]) == code
        out, err = capsys.readouterr()
        return out if code == 0 else err

    return call


@pytest.mark.parametrize("image", IMAGES)
def test_cyclonedx(run, image, tmp_path):
    pytest.importorskip("cyclonedx")
    from cyclonedx.exception import MissingOptionalDependencyException
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = run(image)
    try:
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    except MissingOptionalDependencyException:
        pytest.skip("cyclonedx-python-lib[json-validation] is not installed")
    document = json.loads(text)
    assert document["specVersion"] == "1.6"
    assert document["components"]
    facts = {fact["name"]: fact["value"] for fact in document["components"][0]["properties"]}
    assert facts.keys() >= {"layerscope:bytes", "layerscope:layer", "layerscope:path"}
    assert len(document["dependencies"]) == len(document["components"]) + 1
    assert run(image) == text


@pytest.mark.parametrize("image", IMAGES)
def test_spdx(run, image, tmp_path):
    pytest.importorskip("spdx_tools")
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    place = tmp_path / "image.spdx.json"
    assert run(image, "--format", "spdx", "--output", str(place)) == ""
    document = parse_file(str(place))
    assert validate_full_spdx_document(document) == []
    assert len(document.packages) > 1


def test_the_date_is_the_images_or_that_of_the_environment(run, monkeypatch):
    pytest.importorskip("cyclonedx")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert json.loads(run("alpine.oci.tar"))["metadata"]["timestamp"].startswith("1970-01-02T00:00:00")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    assert "SOURCE_DATE_EPOCH" in run("alpine.oci.tar", code=2)


def test_a_missing_extra_is_named(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "cyclonedx.model", None)
    monkeypatch.delitem(sys.modules, "layerscope.render.sbom.cyclonedx", raising=False)
    assert "pip install 'layerscope[sbom]'" in run("alpine.oci.tar", code=2)
    assert "Did you mean 'spdx'" in run("alpine.oci.tar", "--format", "spxd", code=2)
