"""Turns the options of the `release.*` tasks into targets, keys and a publisher, once and for all."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from ci import engines
from ci.engine import Runner
from ci.errors import UsageError
from ci.paths import ROOT
from ci.publish.access import is_private
from ci.publish.collecting import place
from ci.publish.credentials import Identity, load
from ci.publish.gate import Gate
from ci.publish.material import Release, gather
from ci.publish.registry import Registry
from ci.publish.run import Publisher
from ci.publish.steps import Targets
from ci.publish.store import Folder, Store
from ci.publish.trying import Trial, Used, locked_packages
from ci.trust.keys import load_signing, load_trusted
from ci.trust.vulnerabilities import FEED
from release.model import Manifest

TRUSTED = ROOT / "release" / "keys"
VARIABLES = {
    "store": "MINDSPORE_RELEASE_STORE",
    "registry": "MINDSPORE_RELEASE_REGISTRY",
    "key": "MINDSPORE_RELEASE_KEY",
    "trust": "MINDSPORE_RELEASE_TRUST",
    "feed": "MINDSPORE_RELEASE_FEED",
}


@dataclass(frozen=True)
class Settings:
    """What the user said, or the environment instead. `trust` is a public key, or a folder of them; `feed` is OSV's, or a mirror of it."""

    store: str = ""
    registry: str = ""
    key: str = ""
    trust: str = ""
    feed: str = ""
    rows: tuple[str, ...] = ()
    folder: str = ""

    def option(self, name: str) -> str:
        """A setting; UsageError names the option and the variable that would give it."""
        value: str = getattr(self, name) or os.environ.get(VARIABLES[name], "")
        if not value:
            raise UsageError(
                f"no {name} was named",
                expected=f"`{name}` in the file of --settings, or the variable {VARIABLES[name]}",
            )
        return value

    def trusted_path(self) -> Path:
        return Path(self.trust or os.environ.get(VARIABLES["trust"], "") or TRUSTED)

    def gate(self) -> Gate:
        return Gate(self.feed or os.environ.get(VARIABLES["feed"], "") or FEED)


def store_of(text: str, identity: Identity) -> Store:
    """A folder, or a bucket `s3://name/prefix`."""
    parts = urlsplit(text)
    if "://" not in text:
        return Folder(Path(text))
    if parts.scheme != "s3" or not parts.netloc:
        raise UsageError("no such kind of store", where="store", expected="a folder, or s3://bucket/prefix", got=text)
    from ci.publish.bucket import Bucket

    return Bucket(parts.netloc, parts.path, load(identity, "store"))


def registry_of(text: str, identity: Identity) -> Registry:
    """`https://host`, `http://127.0.0.1:5000`, or a host alone, which means https."""
    url = text if "://" in text else f"https://{text}"
    credentials = load(identity, "registry")
    parts = urlsplit(url)
    if parts.username or parts.password:
        fix = "give them in the variables that docs/publishing.md names"
        raise UsageError("a password in an address ends up in logs", where="registry", fix=fix)
    if parts.scheme not in ("http", "https") or not _has_host(parts):
        raise UsageError("not a registry's address", where="registry", expected="https://host", got=text)
    if credentials and not is_private(url):
        raise UsageError("a password would travel unprotected", where=url, expected="https")
    return Registry(url, credentials)


def _has_host(parts: SplitResult) -> bool:
    """Whether an address names a host, and a port that is a number if any."""
    try:
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def targets(settings: Settings) -> Targets:
    store, registry = settings.option("store"), settings.option("registry")
    return Targets(
        store_of(store, "stage"),
        registry_of(registry, "stage"),
        store_of(store, "publish"),
        registry_of(registry, "publish"),
    )


def publisher(settings: Settings, manifest: Manifest) -> Publisher:
    """A publisher that signs with the private key and believes the keys of the checkout, its own among them."""
    runner = Runner()
    key, trusted = load_signing(Path(settings.option("key"))), load_trusted(settings.trusted_path())
    if key.public.id not in {known.id for known in trusted}:
        fix = "commit its public half there, or sign with the key that users trust"
        raise UsageError("nobody trusts this signing key", where=str(settings.trusted_path()), got=repr(key), fix=fix)
    trial = Trial(manifest, runner, lambda: engines.detect(runner), locked_packages(runner))
    return Publisher(targets(settings), key, trusted, Used(trusted, trial), settings.gate())


def material(settings: Settings, manifest: Manifest, version: str) -> Release:
    return gather(manifest, version, folder(settings, version), settings.rows)


def folder(settings: Settings, version: str) -> Path:
    return Path(settings.folder) if settings.folder else place(ROOT, version)


def read(path: str | None, rows: Sequence[str] = ()) -> Settings:
    """The settings in a TOML file, or none: then the environment has them. UsageError for a key that nobody reads."""
    if path is None:
        return Settings(rows=tuple(rows))
    known = tuple(VARIABLES)
    try:
        found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError("the settings cannot be read", where=path, expected="TOML", got=str(error)) from None
    wrong = [name for name, value in found.items() if name not in known or not isinstance(value, str)]
    if wrong:
        expected = f"texts named {', '.join(known)}"
        raise UsageError("settings that nobody reads", where=path, expected=expected, got=", ".join(wrong))
    return Settings(**found, rows=tuple(rows))
