"""The `release.*` tasks from their options to their exit codes, on a tiny release."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ci import release_commands
from ci.cli import guarded
from ci.errors import CheckError, UsageError
from ci.paths import MANIFEST
from ci.publish import settings as options
from ci.publish.bucket import Bucket
from ci.publish.collecting import collect
from ci.publish.material import gather
from ci.publish.settings import Settings
from ci.publish.testers import ReadBack
from ci.trust.keys import generate
from release.errors import UsageError as UnknownError
from release.model import Manifest, load_manifest
from tests.publish.fixtures import SCOPE, VERSION, write_release

NOWHERE = "http://127.0.0.1:1"
WHEEL_PATH = "2.0.0-rc1/MindSpore/cpu/ubuntu_x86/mindspore-2.0.0rc1-cp311-cp311-manylinux_2_28_x86_64.whl"


@pytest.fixture
def settings(
    tmp_path: Path, registry_url: str, key_file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Targets of this test alone. Its wheel and images hold nothing that could run, and no feed is asked."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(options, "Used", lambda trusted, trial: ReadBack(trusted))
    trust = str(key_file.with_name("release.pub"))
    return Settings(str(tmp_path / "store"), registry_url, str(key_file), trust, NOWHERE, SCOPE, str(folder))


def output(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.registry
def test_from_the_plan_to_the_end_of_life(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    release_commands.publish(settings, VERSION, None, True)
    plan = output(capsys)
    assert not Path(settings.store).exists()
    release_commands.publish(settings, VERSION, str(plan["digest"]), True)
    assert output(capsys)["serial"] == 1
    release_commands.verify(settings, VERSION, True)
    assert output(capsys)["problems"] == []
    release_commands.renew(settings, True)
    assert output(capsys)["serial"] == 2
    release_commands.end_of_life(settings, VERSION, "2027-08-22", True)
    assert len(output(capsys)["digests"]) == 9  # type: ignore[arg-type]
    release_commands.clean(settings, 0, None, True)
    assert len(output(capsys)["removed"]) == 11  # type: ignore[arg-type]
    release_commands.verify(settings, None, False)
    assert "index 3: 2.0.0rc1; checked 5 files" in capsys.readouterr().out
    (Path(settings.store) / WHEEL_PATH).write_bytes(b"evil")
    with pytest.raises(SystemExit) as end:
        guarded(release_commands.verify, settings, VERSION, False)
    assert end.value.code == 1
    assert "a file is not what was signed" in capsys.readouterr().err


def test_a_release_is_checked_without_targets_and_keys(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in options.VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)
    settings = Settings(rows=SCOPE, folder=str(folder))
    release_commands.check(settings, VERSION, True)
    found = output(capsys)
    assert (found["version"], found["complete"], found["scope"]) == (VERSION, False, list(SCOPE))
    assert (found["files"], found["images"]) == (5, 6)
    with pytest.raises(CheckError, match=r"the release 2\.0\.0rc2 is not complete"):
        release_commands.check(settings, "2.0.0rc2", True)


@pytest.mark.registry
def test_a_store_without_an_index_is_neither_renewed_nor_verified(settings: Settings, tmp_path: Path) -> None:
    """As when its name was misspelt."""
    with pytest.raises(CheckError, match="there is no index to renew"):
        release_commands.renew(settings, True)
    with pytest.raises(CheckError, match="nothing is published there"):
        release_commands.verify(settings, None, True)
    assert not (tmp_path / "store").exists()


def test_nothing_built_is_nothing_signed(key_file: Path, tmp_path: Path) -> None:
    settings = Settings(key=str(key_file), folder=str(tmp_path))
    with pytest.raises(CheckError, match=r"nothing of 2\.0\.0rc1 was built"):
        release_commands.sign(settings, VERSION, True)
    with pytest.raises(UsageError, match="rows that the manifest does not have"):
        release_commands.sign(replace(settings, rows=("cp311",)), VERSION, True)


def test_numbers_below_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match="an age is not negative"):
        release_commands.clean(Settings(), -1, None, True)
    with pytest.raises(UsageError, match="less than never"):
        release_commands.rehearse(VERSION, -1, 7, False, True)


def test_a_version_of_another_branch_is_not_published_from_here() -> None:
    with pytest.raises(UsageError, match=r"9\.9\.9rc1 is of another branch"):
        release_commands.check_phase(load_manifest(MANIFEST), "9.9.9rc1")
    with pytest.raises(UnknownError, match="not a version: nonsense"):
        release_commands.check_phase(load_manifest(MANIFEST), "nonsense")


def test_a_misspelt_row_is_told_its_neighbour(folder: Path) -> None:
    settings = Settings(rows=("cpu/debian12/py311/x86_65",), folder=str(folder))
    with pytest.raises(UsageError, match="did you mean cpu/debian12/py311/x86_64"):
        release_commands.check(settings, VERSION, True)


@pytest.mark.parametrize("address", ["ftp://host", "https://", "http://127.0.0.1:port"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="not a registry's address"):
        options.registry_of(address, "publish")


@pytest.mark.parametrize("address", ["gs://bucket", "s3://"])
def test_a_store_of_no_known_kind_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="no such kind of store"):
        options.store_of(address, "publish")


@pytest.mark.registry
def test_a_plan_is_printed_for_people(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    release_commands.plan(settings, VERSION, False)
    text = capsys.readouterr().out
    assert "a partial pre-release of" in text
    assert "announce" in text
    assert "nothing was written" in text


@pytest.mark.registry
def test_a_key_that_nobody_trusts_does_not_publish(settings: Settings, tmp_path: Path) -> None:
    generate(tmp_path / "other")
    with pytest.raises(UsageError, match="nobody trusts this signing key"):
        release_commands.plan(replace(settings, key=str(tmp_path / "other")), VERSION, False)


def test_what_was_not_named_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINDSPORE_RELEASE_STORE", raising=False)
    with pytest.raises(UsageError, match="or the variable MINDSPORE_RELEASE_STORE") as refusal:
        Settings().option("store")
    assert refusal.value.exit_code == 2
    monkeypatch.setenv("MINDSPORE_RELEASE_STORE", "/srv/files")
    assert Settings().option("store") == "/srv/files"


def test_addresses_carry_no_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="ends up in logs") as refusal:
        options.registry_of("https://user:hidden@host", "publish")
    assert "hidden" not in str(refusal.value)
    monkeypatch.setenv("MINDSPORE_PUBLISH_REGISTRY_USER", "user")
    monkeypatch.setenv("MINDSPORE_PUBLISH_REGISTRY_PASSWORD", "hidden")
    with pytest.raises(UsageError, match="a password would travel unprotected"):
        options.registry_of("http://host", "publish")
    assert options.registry_of("host", "publish").where == "https://host"
    assert options.registry_of("host", "publish").host == "host"


def test_a_bucket_is_named_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    found = options.store_of("s3://bucket/some/prefix", "publish")
    assert isinstance(found, Bucket)
    assert (found.name, found.prefix, found.where) == ("bucket", "some/prefix/", "s3://bucket/some/prefix")


def test_a_final_release_waits_for_its_branch() -> None:
    known = load_manifest(MANIFEST)
    release_commands.check_phase(known, VERSION)
    with pytest.raises(CheckError, match=r"2\.0\.0 may not be published") as refusal:
        release_commands.check_phase(known, "2.0.0")
    assert "it publishes pre-releases" in str(refusal.value)


def test_what_was_built_is_collected_by_links(manifest: Manifest, tmp_path: Path, key_file: Path) -> None:
    """As wheels lie in dist/ and images in build/oci/."""
    from ci.trust.keys import load_signing

    root = tmp_path / "checkout"
    made = write_release(tmp_path / "made", manifest, load_signing(key_file))
    root.mkdir()
    (made / "wheels").rename(root / "dist")
    (root / "build").mkdir()
    (made / "images").rename(root / "build" / "oci")
    names = collect(manifest, VERSION, root, SCOPE)
    assert len(names) == 7
    assert collect(manifest, VERSION, root, SCOPE) == names
    target = root / "build" / "release" / VERSION
    (made / "attestations").rename(target / "attestations")
    release = gather(manifest, VERSION, target, SCOPE)
    assert len(list(release.images)) == 6
    wheel = next((target / "wheels").iterdir())
    assert wheel.stat().st_nlink == 2


def test_settings_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "staging.toml"
    path.write_text('store = "/srv/files"\nregistry = "https://host"\n', encoding="utf-8")
    found = release_commands.settings(str(path), ["a row"])
    assert (found.store, found.registry, found.rows) == ("/srv/files", "https://host", ("a row",))
    path.write_text('password = "hidden"\n', encoding="utf-8")
    with pytest.raises(UsageError, match="settings that nobody reads") as refusal:
        release_commands.settings(str(path))
    assert "hidden" not in str(refusal.value)
    with pytest.raises(UsageError, match="the settings cannot be read"):
        release_commands.settings(str(tmp_path / "absent"))
