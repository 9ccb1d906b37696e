"""What guards a registry in the tests: a file of passwords, and a token service as the distribution project describes it."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID

USER, PASSWORD = "publisher", "right"
HTPASSWD = f"{USER}:$2b$04$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC\n"
"""bcrypt of the password, the one form that docker-registry reads."""


def passwords(folder: Path) -> str:
    """The `auth` part of a registry that asks for Basic."""
    path = folder / "htpasswd"
    path.write_text(HTPASSWD, encoding="utf-8")
    return f'auth: {{htpasswd: {{realm: "registry", path: "{path}"}}}}\n'


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Tokens(ThreadingHTTPServer):
    """Gives tokens of ES256 for the asked scopes; `lifetime` in seconds, `readers`: whether strangers may pull."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = _certificate(self.key)
        self.lifetime, self.readers, self.garbage = 300, False, False
        self.asked: list[list[str]] = []

    def token(self, scopes: list[str], actions: set[str]) -> str:
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        head = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
        now = int(time.time())
        access = [dict(zip(("type", "name", "actions"), scope.split(":"), strict=True)) for scope in scopes]
        granted = [item | {"actions": sorted({*item["actions"].split(",")} & actions)} for item in access]
        claims: dict[str, object] = {
            "iss": "tests",
            "sub": USER,
            "aud": "registry",
            "jti": uuid4().hex,
            "access": granted,
        }
        claims |= {"iat": now, "nbf": now - 60, "exp": now + self.lifetime}
        message = f"{_text(json.dumps(head).encode())}.{_text(json.dumps(claims).encode())}"
        r, s = utils.decode_dss_signature(self.key.sign(message.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{message}.{_text(r.to_bytes(32) + s.to_bytes(32))}"


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    start = datetime.now(UTC) - timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start + timedelta(days=3))
    return builder.sign(key, hashes.SHA256())


class _Handler(BaseHTTPRequestHandler):
    server: Tokens

    def do_GET(self) -> None:
        scopes = [one for text in parse_qs(urlsplit(self.path).query).get("scope", ()) for one in text.split()]
        self.server.asked.append(scopes)
        given = self.headers.get("Authorization", "")
        known = given == f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
        if not known and (given or not self.server.readers):
            self._answer(401, b'{"details": "who are you?"}')
        elif self.server.garbage:
            self._answer(200, b"{}")
        else:
            actions = {"pull", "push", "delete"} if known else {"pull"}
            self._answer(200, json.dumps({"token": self.server.token(scopes, actions)}).encode())

    def _answer(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""


@contextmanager
def tokens(folder: Path) -> Iterator[tuple[Tokens, str]]:
    """A token service on loopback, and the `auth` part of a registry that believes it."""
    server = Tokens()
    path = folder / "tokens.pem"
    path.write_bytes(server.certificate.public_bytes(serialization.Encoding.PEM))
    realm = f"http://127.0.0.1:{server.server_port}/token"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield (
            server,
            f'auth: {{token: {{realm: "{realm}", service: registry, issuer: tests, rootcertbundle: "{path}"}}}}\n',
        )
    finally:
        server.shutdown()
        server.server_close()
