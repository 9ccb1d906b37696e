"""Real registries that want to know who asks: by password, and by tokens of their own service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest

from ci import oci
from ci.engine import Runner
from ci.publish.access import authorise
from ci.publish.credentials import Credentials
from ci.publish.errors import TargetError
from ci.publish.material import Release
from ci.publish.registry import Registry
from ci.publish.run import Publisher
from ci.publish.steps import Targets
from ci.publish.store import Folder
from ci.publish.testers import ReadBack
from ci.publish.verify import Verifier
from ci.rehearsal import servers
from ci.trust.keys import SigningKey
from tests.publish import guards

ME = Credentials("publish", "registry", guards.USER, guards.PASSWORD)
STRANGER = Credentials("publish", "registry", guards.USER, "wrong-and-secret")


@contextmanager
def _by_password(folder: Path) -> Iterator[str]:
    with servers.registry(Runner(folder / "logs"), folder / "registry", guards.passwords(folder)) as url:
        yield url


@contextmanager
def _by_token(folder: Path) -> Iterator[str]:
    with (
        guards.tokens(folder) as (_, access),
        servers.registry(Runner(folder / "logs"), folder / "registry", access) as url,
    ):
        yield url


Guarded = Callable[[Path], AbstractContextManager[str]]


def registry(url: str, credentials: Credentials | None) -> Registry:
    return Registry(url, credentials, 20.0, pause=lambda seconds: None)


@pytest.mark.registry
@pytest.mark.parametrize("guarded", [_by_password, _by_token])
def test_a_release_is_published_to_a_guarded_registry(
    needs_registry: None, guarded: Guarded, tmp_path: Path, key: SigningKey, release: Release
) -> None:
    """Every kind of request is let in: uploads, mounts over two repositories, tags, referrers."""
    store = Folder(tmp_path / "store")
    with guarded(tmp_path) as url:
        stage, publish = registry(url, ME), registry(url, ME)
        targets, trusted = Targets(store, stage, store, publish), [key.public]
        made = Publisher(targets, key, trusted, ReadBack(trusted), journals=tmp_path / "journals", holder="the test")
        made.publish(release, made.plan(release).digest)
        assert Verifier(store, registry(url, ME), trusted, made.clock()).verify().problems == []
        member = next(release.images)
        assert publish.delete_manifest(f"staging/{member.repository}", member.image.manifest.digest)


@pytest.mark.registry
@pytest.mark.parametrize("guarded", [_by_password, _by_token])
@pytest.mark.parametrize("credentials", [STRANGER, None])
def test_a_wrong_password_is_one_message_without_it(
    needs_registry: None, guarded: Guarded, credentials: Credentials | None, tmp_path: Path
) -> None:
    with guarded(tmp_path) as url, pytest.raises(TargetError) as refusal:
        registry(url, credentials).push_blob("some/name", oci.describe(b"{}", oci.EMPTY), b"{}")
    text = str(refusal.value)
    assert f"refuses the {'publish' if credentials else 'anonymous'} identity" in text
    assert "correct its user and password" in text
    assert "401" in text
    assert "wrong-and-secret" not in text


@pytest.mark.registry
def test_tokens_that_expire_are_asked_for_again(needs_registry: None, tmp_path: Path) -> None:
    with (
        guards.tokens(tmp_path) as (service, access),
        servers.registry(Runner(tmp_path / "logs"), tmp_path / "registry", access) as url,
    ):
        service.lifetime = -600  # docker-registry grants a minute of difference between clocks
        mine = registry(url, ME)
        with pytest.raises(TargetError, match="refuses the publish identity"):
            mine.has_blob("some/name", oci.digest_of(b"{}"))
        service.lifetime = 300
        blob = oci.describe(b"{}", oci.EMPTY)
        mine.push_blob("some/name", blob, b"{}")
        mine.push_blob("other/name", blob, b"{}")
        asked = len(service.asked)
        assert mine.has_blob("some/name", blob.digest)
        assert len(service.asked) == asked
        assert mine.mount_blob("third/name", blob, "other/name")
        wanted = {scope.rpartition(":")[0]: set(scope.rpartition(":")[2].split(",")) for scope in service.asked[-1]}
        assert wanted == {"repository:other/name": {"pull"}, "repository:third/name": {"pull", "push"}}


@pytest.mark.registry
def test_who_only_reads_needs_no_password_where_everybody_may(needs_registry: None, tmp_path: Path) -> None:
    with (
        guards.tokens(tmp_path) as (service, access),
        servers.registry(Runner(tmp_path / "logs"), tmp_path / "registry", access) as url,
    ):
        service.readers = True
        blob = oci.describe(b"{}", oci.EMPTY)
        registry(url, ME).push_blob("some/name", blob, b"{}")
        assert registry(url, None).blob("some/name", blob.digest) == b"{}"
        with pytest.raises(TargetError, match="the registry refuses the anonymous identity"):
            registry(url, None).push_blob("some/name", oci.describe(b"[]", oci.EMPTY), b"[]")


def test_a_service_that_gives_nothing_is_named(tmp_path: Path) -> None:
    with guards.tokens(tmp_path) as (service, _), httpx.Client() as client:
        service.garbage = True
        challenge = f'Bearer realm="http://127.0.0.1:{service.server_port}/token",service="registry"'
        with pytest.raises(TargetError, match="the token service gave no token"):
            authorise(client, challenge, ME, "http://127.0.0.1:1")


def test_a_password_is_not_sent_where_others_can_read_it() -> None:
    with httpx.Client() as client, pytest.raises(TargetError, match="a password would travel unprotected") as refusal:
        authorise(client, 'Bearer realm="http://elsewhere.example/token"', ME, "https://registry.example")
    assert guards.PASSWORD not in str(refusal.value)
