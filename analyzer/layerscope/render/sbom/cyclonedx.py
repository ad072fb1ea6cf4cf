"""What does the bill of materials say in CycloneDX 1.6?"""

from __future__ import annotations

from datetime import datetime

from cyclonedx.model import Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from layerscope._version import __version__
from layerscope.model import Image
from layerscope.packages.shares import Ownership
from layerscope.render.escape import json_text, unicode
from layerscope.render.sbom.materials import Material, identify, list_materials, name_image


def write(image: Image, ownership: Ownership, moment: datetime) -> str:
    """Return the document as text."""
    materials = list_materials(image, ownership)
    components = [_component(number, material) for number, material in enumerate(materials)]
    name, version = name_image(image)
    subject = Component(name=name, version=version, type=ComponentType.CONTAINER, bom_ref="image")
    tool = Component(name="layerscope", version=__version__, type=ComponentType.APPLICATION, bom_ref="tool")
    metadata = BomMetaData(component=subject, timestamp=moment)
    metadata.tools.components.add(tool)
    dependencies = [
        Dependency(component.bom_ref, [Dependency(components[other].bom_ref) for other in material.needs])
        for component, material in zip(components, materials, strict=True)
    ]
    needed = {other for material in materials for other in material.needs}
    roots = [Dependency(one.bom_ref) for number, one in enumerate(components) if number not in needed]
    bom = Bom(
        components=components,
        serial_number=identify(image, materials),
        metadata=metadata,
        dependencies=[Dependency(subject.bom_ref, roots), *dependencies],
    )
    return json_text(make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)) + "\n"


def _component(number: int, material: Material) -> Component:
    package = material.share.package
    return Component(
        name=unicode(package.name),
        version=unicode(package.version) or None,
        type=ComponentType.APPLICATION if package.reason == "root" else ComponentType.LIBRARY,
        bom_ref=f"{number}-{unicode(package.purl)}",
        purl=_purl(package.purl),
        licenses=[DisjunctiveLicense(name=unicode(package.license))] if package.license else (),
        properties=[Property(name=f"layerscope:{key}", value=value) for key, value in material.facts],
    )


def _purl(text: str) -> PackageURL | None:
    try:
        return PackageURL.from_string(text)
    except ValueError:
        return None
