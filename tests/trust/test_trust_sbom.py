"""Bills of materials name what is really inside, and pass CycloneDX's own schema."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from ci.trust import sbom

STATUS = """Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1
"""
NUMPY = "Metadata-Version: 2.4\nName: numpy\nVersion: 2.4.6\n"


def write_layer(path: Path, files: dict[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


def valid(bill: dict[str, object]) -> bool:
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None


def test_a_wheels_bill_names_its_libraries_and_what_it_asks_for(tmp_path: Path) -> None:
    wheel = tmp_path / "mindspore-2.0.0rc1-py3-none-any.whl"
    metadata = "Metadata-Version: 2.4\nName: mindspore\nVersion: 2.0.0rc1\nRequires-Dist: numpy<3,>=2.0\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("mindspore/_native.so", b"library")
        archive.writestr("mindspore-2.0.0rc1.dist-info/METADATA", metadata)
    bill = sbom.of_wheel(wheel)
    assert valid(bill)
    names = {part["name"]: part for part in bill["components"]}
    assert set(names) == {"numpy", "mindspore/_native.so"}
    assert names["numpy"]["properties"] == [{"name": "requirement", "value": "numpy<3,>=2.0"}]
    assert bill["metadata"]["component"]["purl"] == "pkg:pypi/mindspore@2.0.0rc1"
    assert sbom.of_wheel(wheel) == bill
    assert sbom.packages(bill) == []


def test_an_images_bill_names_system_and_python_packages_as_the_top_layer_has_them(tmp_path: Path) -> None:
    site = "usr/lib/python3/dist-packages"
    lower = write_layer(
        tmp_path / "lower",
        {
            "usr/lib/os-release": 'ID=debian\nVERSION_ID="12"\n',
            "var/lib/dpkg/status": STATUS,
            f"{site}/numpy-2.4.6.dist-info/METADATA": NUMPY,
            f"{site}/old-1.dist-info/METADATA": "Metadata-Version: 2.4\nName: old\nVersion: 1\n",
        },
    )
    upper = write_layer(tmp_path / "upper", {f"{site}/.wh.old-1.dist-info": ""})
    bill = sbom.of_image("image", f"sha256:{'ab' * 32}", [lower, upper])
    assert valid(bill)
    assert sbom.packages(bill) == ["pkg:deb/debian/libc6@2.36-9", "pkg:pypi/numpy@2.4.6"]


def test_an_rpm_database_is_said_to_be_unread(tmp_path: Path) -> None:
    layer = write_layer(tmp_path / "layer", {"var/lib/rpm/rpmdb.sqlite": "x"})
    bill = sbom.of_image("image", f"sha256:{'ab' * 32}", [layer])
    unread = {"name": "unread", "value": "the system's RPM database"}
    assert bill["metadata"]["component"]["properties"] == [unread]
