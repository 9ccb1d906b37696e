"""Keys of the release team: ECDSA on P-256 with SHA-256, which cosign and every sigstore client can check."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ci.errors import UsageError

PASSWORD = "MINDSPORE_KEY_PASSWORD"
# RFC 6979: the same bytes always get the same signature, so that signing again changes nothing.
ALGORITHM = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
CHECKED = ec.ECDSA(hashes.SHA256())


@dataclass(frozen=True)
class TrustedKey:
    """A public key from the checkout that the reader trusts."""

    key: ec.EllipticCurvePublicKey

    @property
    def id(self) -> str:
        """The SHA-256 of the key's DER form: the hint that bundles carry."""
        encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        return hashlib.sha256(self.key.public_bytes(encoding, form)).hexdigest()

    def verifies(self, data: bytes, signature: bytes) -> bool:
        try:
            self.key.verify(signature, data, CHECKED)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """A private key; it never leaves the file that it was read from."""

    key: ec.EllipticCurvePrivateKey

    @property
    def public(self) -> TrustedKey:
        return TrustedKey(self.key.public_key())

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data, ALGORITHM)

    def __repr__(self) -> str:
        return f"SigningKey({self.public.id[:12]})"


def generate(path: Path) -> SigningKey:
    """Make a key: the private half at `path` (readable by its owner alone), the public half at `path`.pub."""
    key = SigningKey(ec.generate_private_key(ec.SECP256R1()))
    secret = os.environ.get(PASSWORD, "").encode()
    guard = serialization.BestAvailableEncryption(secret) if secret else serialization.NoEncryption()
    private = key.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, guard)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        fix = "name a new file in a folder that exists: a key is never written over"
        raise UsageError("the key cannot be written", where=str(path), got=str(error.strerror), fix=fix) from None
    with os.fdopen(handle, "wb") as stream:
        stream.write(private)
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    path.with_name(path.name + ".pub").write_bytes(key.public.key.public_bytes(encoding, form))
    return key


def load_signing(path: Path) -> SigningKey:
    """The private key in a PEM file that nobody else can read; UsageError says what is wrong with it."""
    _private(path)
    secret = os.environ.get(PASSWORD, "").encode() or None
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), secret)
    except (ValueError, TypeError) as error:
        fix = f"give its password in the variable {PASSWORD}, or make one with `python3 tasks.py release.key`"
        raise UsageError("the signing key cannot be read", where=str(path), got=str(error), fix=fix) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise UsageError("the signing key is of another kind", where=str(path), expected="ECDSA on P-256")
    return SigningKey(key)


def _private(path: Path) -> None:
    if not path.exists():
        raise UsageError("no signing key", where=str(path), fix="make one with `python3 tasks.py release.key`")
    if path.stat().st_mode & 0o077:
        expected, fix = "a file that only its owner can read", f"chmod 600 {path}"
        raise UsageError("the signing key is open to others", where=str(path), expected=expected, fix=fix)


def load_trusted(path: Path) -> list[TrustedKey]:
    """The public keys in `path`: one PEM file, or all `*.pub` of a folder. Never empty."""
    files = sorted(path.glob("*.pub")) if path.is_dir() else [path] if path.exists() else []
    if not files:
        fix = "commit the release team's public key there, or name it as `trust` in the settings"
        raise UsageError("no key to trust", where=str(path), expected="*.pub, PEM", fix=fix)
    return [_public(file) for file in files]


def _public(file: Path) -> TrustedKey:
    try:
        key = serialization.load_pem_public_key(file.read_bytes())
    except ValueError as error:
        raise UsageError("the trusted key cannot be read", where=str(file), expected="PEM", got=str(error)) from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise UsageError("the trusted key is of another kind", where=str(file), expected="ECDSA on P-256")
    return TrustedKey(key)
