"""Bills of materials name what is really inside, and pass CycloneDX's own schema."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sqlite3
import struct
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from ci import rpm
from ci.errors import CheckError
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


def write_layer(path: Path, files: dict[str, str] | dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
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


def test_system_packages_are_asked_about_by_their_sources(tmp_path: Path) -> None:
    """Feeds know of glibc, not of libc6, and of gcc-12 with a version of its own."""
    status = STATUS.replace("Version: 2.36-9", "Source: glibc\nVersion: 2.36-9")
    status += "\nPackage: gcc\nStatus: install ok installed\nSource: gcc-12 (12.2.0-14)\nVersion: 4:12.2.0-3\n"
    layer = write_layer(tmp_path / "layer", {"usr/lib/os-release": "ID=debian\n", "var/lib/dpkg/status": status})
    bill = sbom.of_image("image", f"sha256:{'ab' * 32}", [layer])
    assert valid(bill)
    assert {part["name"]: part["version"] for part in bill["components"]} == {"libc6": "2.36-9", "gcc": "4:12.2.0-3"}
    assert sbom.packages(bill) == ["pkg:deb/debian/gcc-12@12.2.0-14", "pkg:deb/debian/glibc@2.36-9"]


def header(name: str, version: str, release: str, epoch: int = 0) -> bytes:
    """A header as RPM stores it: counts, entries (tag, type, offset, count), values."""
    texts = {rpm.NAME: name, rpm.VERSION: version, rpm.RELEASE: release}
    values, entries = struct.pack(">I", epoch), [(rpm.EPOCH, rpm.INT32, 0, 1)] if epoch else []
    for tag, text in texts.items():
        entries.append((tag, rpm.STRING, len(values), 1))
        values += text.encode() + b"\0"
    index = b"".join(struct.pack(">IIiI", *entry) for entry in entries)
    return struct.pack(">II", len(entries), len(values)) + index + values


def database(path: Path, *headers: bytes) -> bytes:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)")
        connection.executemany("INSERT INTO Packages (blob) VALUES (?)", [(one,) for one in headers])
        connection.commit()
    return path.read_bytes()


@pytest.mark.parametrize("place", rpm.DATABASES)
def test_an_rpm_database_is_read(tmp_path: Path, place: str) -> None:
    headers = header("glibc", "2.38", "47.oe2403"), header("openssl", "3.0.12", "9", 1), header("gpg-pubkey", "1", "2")
    files = {"usr/lib/os-release": b'ID="openEuler"\n', place: database(tmp_path / "rpmdb.sqlite", *headers)}
    bill = sbom.of_image("image", f"sha256:{'ab' * 32}", [write_layer(tmp_path / "layer", files)])
    assert valid(bill)
    assert {part["name"]: part["version"] for part in bill["components"]} == {
        "glibc": "2.38-47.oe2403",
        "openssl": "1:3.0.12-9",
    }
    assert sbom.packages(bill) == ["pkg:rpm/openEuler/glibc@2.38-47.oe2403", "pkg:rpm/openEuler/openssl@1:3.0.12-9"]
    assert "properties" not in bill["metadata"]["component"]


def test_a_damaged_or_older_rpm_database_is_named(tmp_path: Path) -> None:
    damaged = write_layer(tmp_path / "damaged", {rpm.DATABASES[0]: database(tmp_path / "one", b"\0\0\0\1")})
    with pytest.raises(CheckError, match="the RPM database cannot be read") as refusal:
        sbom.of_image("image", f"sha256:{'ab' * 32}", [damaged])
    assert rpm.DATABASES[0] in str(refusal.value)
    older = write_layer(tmp_path / "older", {"var/lib/rpm/Packages": "Berkeley DB"})
    bill = sbom.of_image("image", f"sha256:{'ab' * 32}", [older])
    unread = {"name": "unread", "value": "the system's RPM database"}
    assert bill["metadata"]["component"]["properties"] == [unread]


SPEC = """Name: tiny
Version: 1.2
Release: 3
Epoch: 4
Summary: tiny
License: MIT
BuildArch: noarch
%description
tiny
%files
"""


def test_a_database_that_rpm_itself_wrote_is_read(tmp_path: Path) -> None:
    if not (shutil.which("rpm") and shutil.which("rpmbuild")):
        pytest.skip("rpm and rpmbuild are not installed")
    (tmp_path / "tiny.spec").write_text(SPEC, encoding="utf-8")
    top, place = f"_topdir {tmp_path}/top", f"--dbpath={tmp_path}/database"
    subprocess.run(["rpmbuild", "-bb", "--define", top, str(tmp_path / "tiny.spec")], check=True, capture_output=True)
    (package,) = tmp_path.glob("top/RPMS/noarch/*.rpm")
    subprocess.run(["rpm", place, "-i", "--justdb", "--nodeps", str(package)], check=True, capture_output=True)
    written = {path.name: path.read_bytes() for path in (tmp_path / "database").glob("rpmdb.sqlite*")}
    found = rpm.packages({name: data for name, data in written.items() if not name.endswith("-shm")})
    assert found == {"tiny": "4:1.2-3"}
