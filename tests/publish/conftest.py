"""A registry, a store and a tiny release for each test."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ci.engine import Runner
from ci.paths import MANIFEST
from ci.publish.bucket import Bucket
from ci.publish.credentials import Credentials
from ci.publish.material import Release, gather
from ci.publish.registry import Registry
from ci.publish.run import Publisher
from ci.publish.steps import Targets
from ci.publish.store import Folder, Store
from ci.publish.testers import ReadBack
from ci.rehearsal import servers as rehearsal
from ci.trust.keys import SigningKey, generate, load_signing
from release.model import Manifest, load_manifest
from tests.publish import servers
from tests.publish.fixtures import SCOPE, VERSION, write_release


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    return load_manifest(MANIFEST)


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "release"
    generate(path)
    return path


@pytest.fixture(scope="session")
def key(key_file: Path) -> SigningKey:
    return load_signing(key_file)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest, key: SigningKey) -> Path:
    return write_release(tmp_path_factory.mktemp("release"), manifest, key)


@pytest.fixture(scope="session")
def release(manifest: Manifest, folder: Path) -> Release:
    return gather(manifest, VERSION, folder, SCOPE)


@pytest.fixture(scope="session")
def needs_registry() -> None:
    if Runner().find("docker-registry") is None:
        if os.environ.get("MINDSPORE_TEST_IMAGES") == "1":
            pytest.fail("docker-registry was promised and is not installed")
        pytest.skip("needs docker-registry; run `python3 tasks.py setup`")


@pytest.fixture
def registry_url(needs_registry: None, tmp_path: Path) -> Iterator[str]:
    with rehearsal.registry(Runner(tmp_path / "logs"), tmp_path / "registry") as url:
        yield url


@pytest.fixture
def store(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "store")


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    with servers.s3() as url:
        yield url


@pytest.fixture
def bucket(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket of moto's, new for each test."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    name = f"b{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]}"
    made = Bucket(name, "releases", Credentials("publish", "store", "user", "secret"))
    made.client.create_bucket(Bucket=name)
    return made


@pytest.fixture
def publisher(tmp_path: Path, store: Folder, registry_url: str, key: SigningKey) -> Publisher:
    return make_publisher(store, registry_url, key, tmp_path / "journals")


def make_publisher(store: Store, url: str, key: SigningKey, journals: Path, timeout: float = 20.0) -> Publisher:
    """A publisher that does not wait between attempts."""
    registry = Registry(url, None, timeout, pause=lambda seconds: None)
    targets = Targets(store, registry, store, registry)
    trusted = [key.public]
    return Publisher(targets, key, trusted, ReadBack(trusted), journals=journals, holder="the test")


def at(publisher: Publisher, url: str, timeout: float = 20.0) -> Publisher:
    """The same publisher with its registry elsewhere."""
    registry = Registry(url, None, timeout, pause=lambda seconds: None)
    return replace(publisher, targets=replace(publisher.targets, stage_registry=registry, registry=registry))
