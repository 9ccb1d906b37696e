"""Signed statements: a DSSE envelope inside a sigstore bundle, signed by a key that the reader has already.

Formats: DSSE 1.0 (secure-systems-lab/dsse), sigstore bundle 0.3. No transparency log is claimed, for none is asked.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ci.errors import CheckError
from ci.trust.keys import SigningKey, TrustedKey

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
IN_TOTO = "application/vnd.in-toto+json"


class TamperedError(CheckError):
    """Something published is not what was signed."""


def canonical(data: Any) -> bytes:
    """JSON with sorted keys and no spaces: the same data, the same bytes."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _signed_bytes(kind: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(payload), payload)


def seal(key: SigningKey, kind: str, payload: bytes) -> bytes:
    """The bundle of a payload of media type `kind`, as bytes to publish."""
    signature = {"sig": _text(key.sign(_signed_bytes(kind, payload))), "keyid": key.public.id}
    envelope = {"payload": _text(payload), "payloadType": kind, "signatures": [signature]}
    material = {"publicKey": {"hint": key.public.id}}
    return canonical({"mediaType": BUNDLE, "verificationMaterial": material, "dsseEnvelope": envelope}) + b"\n"


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def unseal(data: bytes, keys: Sequence[TrustedKey], kind: str, where: str) -> bytes:
    """The payload of a bundle that one of `keys` signed; TamperedError for every other."""
    try:
        envelope = json.loads(data)["dsseEnvelope"]
        payload = base64.b64decode(envelope["payload"], validate=True)
        signatures = [base64.b64decode(item["sig"], validate=True) for item in envelope["signatures"]]
        found = str(envelope["payloadType"])
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        got = f"{type(error).__name__}: {error}"
        raise TamperedError("not a signed bundle", where=where, expected=BUNDLE, got=got) from None
    if found != kind:
        raise TamperedError("a bundle of another kind", where=where, expected=kind, got=found)
    message = _signed_bytes(kind, payload)
    if not any(key.verifies(message, signature) for key in keys for signature in signatures):
        raise TamperedError(
            "the signature does not fit",
            where=where,
            expected=f"signed by {' or '.join(key.id[:12] for key in keys)}",
            got=", ".join(str(item.get("keyid", "unknown"))[:12] for item in envelope["signatures"]) or "no signature",
            fix="do not use it; tell the release team",
        )
    return payload


def statement(subject: str, sha256: str, predicate_type: str, predicate: Mapping[str, Any]) -> bytes:
    """An in-toto statement (v1) about one artefact."""
    return canonical(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": subject, "digest": {"sha256": sha256}}],
            "predicateType": predicate_type,
            "predicate": predicate,
        }
    )


def read_statement(
    data: bytes, keys: Sequence[TrustedKey], predicate_type: str, sha256: str, where: str
) -> dict[str, Any]:
    """The predicate of a signed statement, which must be about the artefact with digest `sha256`."""
    text: dict[str, Any] = json.loads(unseal(data, keys, IN_TOTO, where))
    subjects = [item.get("digest", {}).get("sha256") for item in text.get("subject", [])]
    if sha256 not in subjects:
        raise TamperedError("a statement about something else", where=where, expected=sha256, got=", ".join(subjects))
    if text.get("predicateType") != predicate_type:
        got = str(text.get("predicateType"))
        raise TamperedError("another statement than asked for", where=where, expected=predicate_type, got=got)
    predicate: dict[str, Any] = text["predicate"]
    return predicate
