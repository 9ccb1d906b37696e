"""Keys and signed statements: what fits is accepted, everything else refused with a reason."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from ci.errors import UsageError
from ci.trust.bundle import BUNDLE, IN_TOTO, TamperedError, read_statement, seal, statement, unseal
from ci.trust.keys import PASSWORD, SigningKey, generate, load_signing, load_trusted
from ci.trust.provenance import Source, predicate

DIGEST = "ab" * 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "release"


@pytest.fixture
def key(path: Path) -> SigningKey:
    return generate(path)


def test_a_key_comes_back_from_its_file(path: Path, key: SigningKey) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    again = load_signing(path)
    (public,) = load_trusted(path.with_name("release.pub"))
    assert again.public.id == key.public.id == public.id
    assert public.verifies(b"text", again.sign(b"text"))
    assert not public.verifies(b"another text", again.sign(b"text"))
    assert again.sign(b"text") == key.sign(b"text")
    assert len(load_trusted(path.parent)) == 1
    assert key.public.id[:12] in repr(key)


def test_a_key_may_have_a_password(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD, "secret")
    made = generate(path)
    assert load_signing(path).public.id == made.public.id
    monkeypatch.delenv(PASSWORD)
    with pytest.raises(UsageError, match=f"give its password in the variable {PASSWORD}"):
        load_signing(path)


def test_a_key_that_others_can_read_is_refused(path: Path, key: SigningKey) -> None:
    path.chmod(0o640)
    with pytest.raises(UsageError, match=f"chmod 600 {path}"):
        load_signing(path)


def test_keys_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no signing key"):
        load_signing(tmp_path / "absent")
    with pytest.raises(UsageError, match="no key to trust"):
        load_trusted(tmp_path)
    other = ed25519.Ed25519PrivateKey.generate()
    encoding = serialization.Encoding.PEM
    form, guard = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "other").write_bytes(other.private_bytes(encoding, form, guard))
    (tmp_path / "other").chmod(0o600)
    with pytest.raises(UsageError, match="expected: ECDSA on P-256"):
        load_signing(tmp_path / "other")
    public = other.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "other.pub").write_bytes(public)
    with pytest.raises(UsageError, match="the trusted key is of another kind"):
        load_trusted(tmp_path)
    (tmp_path / "other.pub").write_text("nothing", encoding="utf-8")
    with pytest.raises(UsageError, match="the trusted key cannot be read"):
        load_trusted(tmp_path)


def test_a_bundle_has_the_form_that_sigstore_clients_read(key: SigningKey) -> None:
    data = json.loads(seal(key, IN_TOTO, b"{}"))
    assert data["mediaType"] == BUNDLE
    assert data["verificationMaterial"] == {"publicKey": {"hint": key.public.id}}
    envelope = data["dsseEnvelope"]
    signed = b"DSSEv1 28 application/vnd.in-toto+json 2 {}"
    assert key.public.verifies(signed, base64.b64decode(envelope["signatures"][0]["sig"]))


def _other_payload(bundle: dict[str, Any]) -> None:
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(b"evil").decode()


def _other_type(bundle: dict[str, Any]) -> None:
    bundle["dsseEnvelope"]["payloadType"] = "text/plain"


def _no_signature(bundle: dict[str, Any]) -> None:
    bundle["dsseEnvelope"]["signatures"] = []


def _no_base64(bundle: dict[str, Any]) -> None:
    bundle["dsseEnvelope"]["payload"] = "!!!"


def _no_envelope(bundle: dict[str, Any]) -> None:
    del bundle["dsseEnvelope"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_other_payload, "the signature does not fit"),
        (_other_type, "a bundle of another kind"),
        (_no_signature, "the signature does not fit"),
        (_no_base64, "not a signed bundle"),
        (_no_envelope, "not a signed bundle"),
    ],
)
def test_a_changed_bundle_is_refused(key: SigningKey, change: Callable[[dict[str, Any]], None], message: str) -> None:
    bundle = json.loads(seal(key, IN_TOTO, b"text"))
    change(bundle)
    with pytest.raises(TamperedError, match=message) as refusal:
        unseal(json.dumps(bundle).encode(), [key.public], IN_TOTO, "here")
    assert "where: here" in str(refusal.value)
    assert refusal.value.exit_code == 1


def test_a_strangers_signature_is_refused(key: SigningKey, tmp_path: Path) -> None:
    stranger = generate(tmp_path / "stranger")
    bundle = seal(stranger, IN_TOTO, b"text")
    with pytest.raises(TamperedError, match=f"got: {stranger.public.id[:12]}"):
        unseal(bundle, [key.public], IN_TOTO, "here")
    assert unseal(bundle, [key.public, stranger.public], IN_TOTO, "here") == b"text"


def test_a_statement_is_about_one_artefact_and_of_one_kind(key: SigningKey) -> None:
    source = Source("c0ffee-dirty", {"lock": DIGEST})
    told = predicate("wheel", {"row": "cp311"}, source)
    bundle = seal(key, IN_TOTO, statement("wheel", DIGEST, "type", told))
    assert read_statement(bundle, [key.public], "type", DIGEST, "here") == told
    assert told["buildDefinition"]["internalParameters"] == {"clean": False}
    assert told["buildDefinition"]["resolvedDependencies"][0]["digest"] == {"gitCommit": "c0ffee"}
    with pytest.raises(TamperedError, match="a statement about something else"):
        read_statement(bundle, [key.public], "type", "00" * 32, "here")
    with pytest.raises(TamperedError, match="another statement than asked for"):
        read_statement(bundle, [key.public], "other", DIGEST, "here")


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    generate(tmp_path / "key")
    before = (tmp_path / "key").read_bytes()
    with pytest.raises(UsageError, match="the key cannot be written"):
        generate(tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == before
    with pytest.raises(UsageError, match="a folder that exists"):
        generate(tmp_path / "absent" / "key")
