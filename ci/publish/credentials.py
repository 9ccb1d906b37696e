"""Names and passwords of targets, from the environment or from files that it names: never from a command line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ci.errors import UsageError

Identity = Literal["stage", "publish"]
Service = Literal["registry", "store"]


@dataclass(frozen=True)
class Credentials:
    """A user and a secret that is never printed. `identity` and `service` name the variables they came from."""

    identity: Identity
    service: Service
    user: str
    secret: str = field(repr=False)


def variable(identity: Identity, service: Service, what: str) -> str:
    """`MINDSPORE_PUBLISH_REGISTRY_PASSWORD`."""
    return f"MINDSPORE_{identity}_{service}_{what}".upper()


def load(identity: Identity, service: Service, environment: Mapping[str, str] = os.environ) -> Credentials | None:
    """The credentials of an identity at a service; None where the environment has none (an open target)."""
    names = {what: variable(identity, service, what) for what in ("user", "password", "password_file")}
    user = environment.get(names["user"], "")
    secret = environment.get(names["password"], "")
    if file := environment.get(names["password_file"]):
        secret = _from_file(Path(file), names["password_file"])
    if bool(user) != bool(secret):
        lacking = names["password_file"] if user else names["user"]
        raise UsageError(f"half of the {identity} identity's credentials is missing", expected=f"{lacking} is set")
    return Credentials(identity, service, user, secret) if user else None


def _from_file(path: Path, name: str) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError("the password file cannot be read", where=name, got=f"{path}: {error.strerror}") from None
    if mode & 0o077:
        raise UsageError("the password file is open to others", where=str(path), fix=f"chmod 600 {path}")
    return text
