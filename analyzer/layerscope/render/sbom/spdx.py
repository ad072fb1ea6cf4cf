"""What does the bill of materials say in SPDX 2.3?"""

from __future__ import annotations

import json
from datetime import datetime

from spdx_tools.spdx.jsonschema.document_converter import DocumentConverter
from spdx_tools.spdx.model import (
    Actor,
    ActorType,
    CreationInfo,
    Document,
    ExternalPackageRef,
    ExternalPackageRefCategory,
    Package,
    PackagePurpose,
    Relationship,
    RelationshipType,
    SpdxNoAssertion,
)

from layerscope._version import __version__
from layerscope.model import Image
from layerscope.packages.shares import Ownership
from layerscope.render.escape import json_text, unicode
from layerscope.render.sbom.materials import Material, identify, list_materials, name_image

_DOCUMENT, _IMAGE = "SPDXRef-DOCUMENT", "SPDXRef-Image"


def write(image: Image, ownership: Ownership, moment: datetime) -> str:
    """Return the document as text."""
    materials = list_materials(image, ownership)
    name, version = name_image(image)
    subject = Package(
        _IMAGE, name, SpdxNoAssertion(), version=version, files_analyzed=False, primary_package_purpose=PackagePurpose.CONTAINER
    )
    relations = [Relationship(_DOCUMENT, RelationshipType.DESCRIBES, _IMAGE)]
    for number, material in enumerate(materials):
        relations.append(Relationship(_IMAGE, RelationshipType.CONTAINS, _id(number)))
        relations += [Relationship(_id(number), RelationshipType.DEPENDS_ON, _id(other)) for other in material.needs]
    document = Document(
        CreationInfo(
            spdx_version="SPDX-2.3",
            spdx_id=_DOCUMENT,
            name=name,
            document_namespace=f"https://layerscope.invalid/spdx/{identify(image, materials)}",
            creators=[Actor(ActorType.TOOL, f"layerscope-{__version__}")],
            created=moment.replace(tzinfo=None),
            data_license="CC0-1.0",
        ),
        packages=[subject, *(_package(number, material) for number, material in enumerate(materials))],
        relationships=relations,
    )
    return json_text(json.dumps(DocumentConverter().convert(document), ensure_ascii=False, indent=2)) + "\n"


def _package(number: int, material: Material) -> Package:
    package = material.share.package
    purl = ExternalPackageRef(ExternalPackageRefCategory.PACKAGE_MANAGER, "purl", unicode(package.purl))
    return Package(
        _id(number),
        unicode(package.name),
        SpdxNoAssertion(),
        version=unicode(package.version) or None,
        files_analyzed=False,
        license_declared=SpdxNoAssertion(),
        # What databases say is no SPDX expression more often than not: it is told as it stands.
        license_comment=unicode(package.license) if package.license else None,
        comment="\n".join(f"layerscope:{key}={value}" for key, value in material.facts),
        external_references=[purl],
        primary_package_purpose=PackagePurpose.APPLICATION if package.reason == "root" else PackagePurpose.LIBRARY,
    )


def _id(number: int) -> str:
    return f"SPDXRef-Package-{number}"
