"""Locks of Debian packages, their downloads, and what apt is asked when a lock is made."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ci import apt, debs, image_commands
from ci.engine import Result
from ci.errors import CheckError, NoBaseError, ProjectFileError
from ci.paths import ROOT
from ci.shop import Shop
from release.errors import UsageError
from tests.ci.fakes import FakeRunner

LOCK = Path("docker/locks/debian12.toml")


@pytest.mark.parametrize("path", sorted((ROOT / "docker/locks").glob("*.toml")), ids=lambda path: path.stem)
def test_a_committed_lock_has_a_hash_for_every_package_of_both_machines(path: Path) -> None:
    lock = debs.read(path)
    for arch in ("x86_64", "aarch64"):
        base = {deb.name for deb in lock.debs(arch, "base")}
        assert {"apt", "libc6", "bash"} <= base
        assert not base & {deb.name for deb in lock.debs(arch, "runtime")}
        assert "python3" in {deb.name for deb in lock.debs(arch, "runtime")}
        assert "g++" in {deb.name for deb in lock.debs(arch, "devel")}
        assert all(deb.path.endswith(".deb") and len(deb.sha256) == 64 for deb in lock.debs(arch, "devel"))


def test_a_lock_reads_back_as_it_was_written(shop: Shop) -> None:
    lock = debs.read(shop.root / LOCK)
    sets = {arch: {name: list(found) for name, found in by_name.items()} for arch, by_name in lock.sets.items()}
    assert debs.text_of(lock.archive, lock.snapshot, sets) == (shop.root / LOCK).read_text(encoding="utf-8")
    assert lock.epoch == 1_700_000_000


def test_a_broken_lock_is_refused(shop: Shop) -> None:
    path = shop.root / LOCK
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('sha256 = "', 'sha256 = "00'), encoding="utf-8")
    with pytest.raises(ProjectFileError, match="no hash"):
        debs.read(path)
    path.write_text(text.replace("sha256", "md5"), encoding="utf-8")
    with pytest.raises(ProjectFileError, match="cannot be used") as caught:
        debs.read(path)
    assert "image.lock" in caught.value.fix
    with pytest.raises(ProjectFileError, match="no 'base' packages for riscv64"):
        debs.DebLock(path, "", "", {}).debs("riscv64", "base")


def test_packages_are_downloaded_once_and_checked(shop: Shop, tmp_path: Path) -> None:
    lock = debs.read(shop.root / LOCK)
    wanted = lock.debs("x86_64", "runtime")
    for number in (1, 2):
        made = debs.folder(shop.runner, lock, wanted, tmp_path / str(number))
        assert [path.name for path in made.iterdir()] == ["runtime_1_x86_64.deb"]
    assert shop.runner.work.downloads == 1


def test_a_package_with_other_content_is_refused_and_not_kept(shop: Shop, tmp_path: Path) -> None:
    lock = debs.read(shop.root / LOCK)
    (tmp_path / "archive/debian/base_1_x86_64.deb").write_bytes(b"tampered")
    with pytest.raises(NoBaseError, match="base 1 cannot be downloaded") as caught:
        debs.ensure(shop.runner, lock, lock.debs("x86_64", "base"))
    assert hashlib.sha256(b"tampered").hexdigest() in caught.value.got
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_the_archive_of_the_locks_day_is_the_last_resort(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = debs.read(shop.root / LOCK)
    deb = lock.debs("aarch64", "base")[0]
    monkeypatch.setenv("MINDSPORE_DEBIAN_MIRROR", "https://mirror.example/")
    first, *_, last = debs.places(lock, deb)
    assert first == f"https://mirror.example/{deb.path}"
    assert last == "https://snapshot.debian.org/archive/debian/20231114T221320Z/base_1_aarch64.deb"


def test_a_repository_lists_each_package_with_its_hash(shop: Shop, runner: FakeRunner) -> None:
    runner.effects["dpkg-deb --field"] = lambda argv: Result(0, "Package: base\nVersion: 1\n")
    lock = debs.read(shop.root / LOCK)
    deb = lock.debs("x86_64", "base")[0]
    made = debs.repository(runner, lock, [deb], "test")
    stanza = (made / "Packages").read_text(encoding="utf-8")
    assert stanza == f"Package: base\nVersion: 1\nFilename: ./{deb.file}\nSize: 15\nSHA256: {deb.sha256}\n"


URIS = "'https://deb.debian.org/debian/pool/a/a_1%2b2_amd64.deb' a_1+2_amd64.deb 5 MD5Sum:00\n"
STANZA = "Package: a\nVersion: 7:1+2\nFilename: pool/a/a_1+2_amd64.deb\nSHA256: {}\nDescription: x\n more: text\n"


def _world(tmp_path: Path, described: str) -> dict[str, debs.Deb]:
    runner = FakeRunner(tmp_path)
    runner.effects["--print-uris"] = lambda argv: Result(0, URIS)
    runner.effects["apt-cache"] = lambda argv: Result(0, described)
    archive = apt.debian("bookworm", "/key.gpg")
    found = apt.World(runner, archive, "x86_64", tmp_path / "world").needs(("a",))
    assert "signed-by=/key.gpg" in (tmp_path / "world/sources.list").read_text(encoding="utf-8")
    return found


def test_apt_is_asked_for_names_versions_and_hashes(tmp_path: Path) -> None:
    digest = "a" * 64
    found = _world(tmp_path, STANZA.format(digest))
    assert found == {"a": debs.Deb("a", "7:1+2", digest, "debian/pool/a/a_1+2_amd64.deb")}


def test_a_package_that_apt_does_not_describe_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match="does not describe") as caught:
        _world(tmp_path, "")
    assert "pool/a/a_1+2" in caught.value.got


def test_locking_a_system_writes_both_machines(shop: Shop, runner: FakeRunner) -> None:
    runner.effects["--print-uris"] = lambda argv: Result(0, URIS if "g++" in argv else "")
    runner.effects["apt-cache"] = lambda argv: Result(0, STANZA.format("b" * 64))
    image_commands.lock_system(runner, shop.manifest, "debian12", shop.root)
    lock = debs.read(shop.root / LOCK)
    assert [deb.name for deb in lock.debs("aarch64", "devel")] == ["a"]
    assert lock.debs("x86_64", "base") == ()
    before = list(runner.commands)
    image_commands.lock_system(runner, shop.manifest, "centos9", shop.root)
    assert runner.commands == before


def test_one_system_is_locked_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(image_commands, "lock_system", lambda runner, known, name, root: asked.append(name))
    image_commands.lock(system=False, os="debian13")
    assert asked == ["debian13"]
    image_commands.lock(system=True, os="")
    assert asked == ["debian13", "debian12", "debian13"]
    with pytest.raises(UsageError, match="unknown locked system 'centos9'"):
        image_commands.lock(system=True, os="centos9")
