"""Answers a registry's challenge: with a name and password (Basic), or with a token that its service gives for them (Bearer).

Source: the distribution project's token authentication specification; RFC 7235 for challenges.
"""

from __future__ import annotations

import base64
import re
from urllib.parse import urljoin, urlsplit

import httpx

from ci.publish.credentials import Credentials
from ci.publish.errors import TargetError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
FIELD = re.compile(r'(\w+)="([^"]*)"')


def is_private(url: str) -> bool:
    """Whether what is sent there can be read by nobody on the way."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in LOOPBACK


def authorise(client: httpx.Client, challenge: str, credentials: Credentials | None, where: str) -> str:
    """The Authorization header that a challenge asks for; empty where we have none to give.

    A registry that is open to readers gives its tokens to everybody, so without credentials one is asked for too.

    Args:
        challenge (str): the registry's `WWW-Authenticate` header.
        where (str): the registry's address, for messages.

    Raises:
        TargetError: the service refuses name and password, cannot be used, or would let others read them.
    """
    scheme, _, rest = challenge.partition(" ")
    if scheme.lower() == "bearer":
        return _token(client, dict(FIELD.findall(rest)), credentials, where)
    return _basic(credentials) if credentials else ""


def _basic(credentials: Credentials) -> str:
    pair = f"{credentials.user}:{credentials.secret}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


def _token(client: httpx.Client, fields: dict[str, str], credentials: Credentials | None, where: str) -> str:
    realm = urljoin(where, fields.pop("realm", ""))
    if credentials and not is_private(realm):
        fix = "ask those who run the registry for a token service with https"
        raise TargetError("a password would travel unprotected", where=where, expected="https", got=realm, fix=fix)
    scopes = fields.pop("scope", "").split()
    parameters = httpx.QueryParams([*fields.items(), *(("scope", scope) for scope in scopes)])
    headers = {"Authorization": _basic(credentials)} if credentials else {}
    answer = client.get(realm, params=parameters, headers=headers)
    if answer.status_code in (401, 403):
        identity = credentials.identity if credentials else "anonymous"
        got, fix = f"{answer.status_code} {answer.reason_phrase}", "correct its user and password"
        raise TargetError(
            f"the registry's token service refuses the {identity} identity", where=realm, got=got, fix=fix
        )
    answer.raise_for_status()
    try:
        found = answer.json()
        token = str(found.get("token") or found["access_token"])
    except (ValueError, KeyError, AttributeError):
        raise TargetError("the token service gave no token", where=realm, expected='{"token": "..."}') from None
    return f"Bearer {token}"
