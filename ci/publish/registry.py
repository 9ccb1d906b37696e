"""A small client of the OCI distribution API 1.1: what publishing needs, and that every step may be repeated."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from ci import oci
from ci.files import replacing
from ci.publish.access import authorise
from ci.publish.credentials import Credentials
from ci.publish.errors import RefusedError, TargetError
from ci.publish.store import Payload

ACCEPT = ", ".join((oci.MANIFEST, oci.INDEX))
RETRIES = 3
AGAIN = {408, 429, 500, 502, 503, 504}
CHUNK = 1 << 20


@dataclass(frozen=True)
class Found:
    """A manifest as the registry gave it, its bytes checked against its digest."""

    digest: str
    data: bytes
    media_type: str

    @property
    def descriptor(self) -> oci.Descriptor:
        return oci.Descriptor(self.media_type, self.digest, len(self.data))


def _chunks(payload: Payload) -> Iterator[bytes]:
    if isinstance(payload, bytes):
        yield payload
        return
    with payload.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


class Registry:
    """One registry, seen by one identity. Failures that pass are tried again, with longer and longer pauses."""

    def __init__(
        self,
        url: str,
        credentials: Credentials | None,
        timeout: float = 60.0,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.where = url.rstrip("/")
        self.credentials, self.pause = credentials, pause
        self.tokens: dict[str, str] = {}
        self.client = httpx.Client(base_url=self.where, timeout=timeout, follow_redirects=True)

    @property
    def host(self) -> str:
        """As engines spell it in references: without the scheme."""
        return self.where.split("://", 1)[-1]

    def manifest(self, repository: str, reference: str) -> Found | None:
        """The manifest behind a tag or digest; None where there is none."""
        path = f"/v2/{repository}/manifests/{reference}"
        answer = self._ask("GET", path, {404}, headers={"Accept": ACCEPT})
        if answer.status_code == 404:
            return None
        digest = oci.digest_of(answer.content)
        if reference.startswith("sha256:") and digest != reference:
            raise TargetError("the registry gave another manifest", where=self.where + path, got=digest)
        return Found(digest, answer.content, answer.headers.get("content-type", "").split(";")[0])

    def has_blob(self, repository: str, digest: str) -> bool:
        return self._ask("HEAD", f"/v2/{repository}/blobs/{digest}", {404}).status_code == 200

    def blob(self, repository: str, digest: str) -> bytes:
        """A blob whose bytes have their digest; TargetError for one that is missing or damaged."""
        path = f"/v2/{repository}/blobs/{digest}"
        data = self._ask("GET", path).content
        if (found := oci.digest_of(data)) != digest:
            raise TargetError("a blob of the registry is damaged", where=self.where + path, expected=digest, got=found)
        return data

    def fetch(self, repository: str, digest: str, target: Path) -> None:
        """Download a blob into a file, piece by piece; TargetError for one that is missing or damaged."""
        path = f"/v2/{repository}/blobs/{digest}"
        self._ask("HEAD", path)  # so that a challenge is answered before
        access = self.tokens.get(f"/v2/{repository}", "")
        found = hashlib.sha256()
        try:
            with (
                replacing(target) as scratch,
                scratch.open("wb") as stream,
                self.client.stream("GET", path, headers={"Authorization": access} if access else {}) as answer,
            ):
                answer.raise_for_status()
                for chunk in answer.iter_bytes(CHUNK):
                    found.update(chunk)
                    stream.write(chunk)
        except httpx.HTTPError as error:
            raise self._failure("GET", path, f"{type(error).__name__}: {error}") from None
        if digest != (got := f"sha256:{found.hexdigest()}"):
            target.unlink()
            raise TargetError("a blob of the registry is damaged", where=self.where + path, expected=digest, got=got)

    def push_blob(self, repository: str, blob: oci.Descriptor, payload: Payload) -> None:
        """Upload a blob unless it is there; the registry refuses bytes that do not have the digest."""
        if self.has_blob(repository, blob.digest):
            return
        for attempt in range(RETRIES):
            # An upload that broke off cannot be continued safely everywhere, so each attempt starts a new one.
            place = self._upload(repository)
            headers = {"Content-Length": str(blob.size), "Content-Type": "application/octet-stream"}
            url = place.copy_add_param("digest", blob.digest)
            try:
                self._ask("PUT", str(url), once=True, content=lambda: _chunks(payload), headers=headers)
            except TargetError:
                if attempt + 1 == RETRIES:
                    raise
                self.pause(2.0**attempt)
            else:
                return

    def _upload(self, repository: str) -> httpx.URL:
        answer = self._ask("POST", f"/v2/{repository}/blobs/uploads/")
        return answer.request.url.join(answer.headers["location"])

    def mount_blob(self, repository: str, blob: oci.Descriptor, source: str) -> bool:
        """Take a blob over from the repository `source`; False where the registry will not."""
        if self.has_blob(repository, blob.digest):
            return True
        query = f"?mount={blob.digest}&from={source}"
        return self._ask("POST", f"/v2/{repository}/blobs/uploads/{query}").status_code == 201

    def push_manifest(self, repository: str, reference: str, data: bytes, media_type: str) -> str:
        path = f"/v2/{repository}/manifests/{reference}"
        headers = {"Content-Type": media_type, "Content-Length": str(len(data))}
        self._ask("PUT", path, content=lambda: iter([data]), headers=headers)
        found = self.manifest(repository, reference)
        if found is None or found.digest != oci.digest_of(data):
            got = found.digest if found else "nothing"
            raise TargetError("a manifest did not arrive", where=self.where + path, got=got)
        return found.digest

    def tags(self, repository: str) -> list[str]:
        answer = self._ask("GET", f"/v2/{repository}/tags/list", {404})
        return sorted(answer.json().get("tags") or []) if answer.status_code == 200 else []

    def delete_manifest(self, repository: str, digest: str) -> bool:
        """False where it is gone already; RefusedError where the registry keeps everything."""
        code = self._ask("DELETE", f"/v2/{repository}/manifests/{digest}", {404, 405}).status_code
        if code == 405:
            fix = "allow deletion (docker-registry: storage.delete.enabled), or clean it by its own means"
            raise RefusedError("the registry deletes nothing", where=f"{self.where}/{repository}", fix=fix)
        return code != 404

    def referrers(self, repository: str, digest: str) -> list[oci.Descriptor]:
        """What was attached to a manifest: by the referrers API, or the tag that takes its place where it is absent."""
        answer = self._ask("GET", f"/v2/{repository}/referrers/{digest}", {404})
        if answer.status_code == 200 and answer.headers.get("content-type", "").startswith(oci.INDEX):
            listed = answer.json()
        else:
            fallback = self.manifest(repository, digest.replace(":", "-", 1))
            listed = json.loads(fallback.data) if fallback else {"manifests": []}
        return [oci.descriptor(item) for item in listed["manifests"]]

    def attach(self, repository: str, subject: oci.Descriptor, kind: str, data: bytes, notes: dict[str, str]) -> str:
        """Attach `data` of type `kind` to a manifest; give the attachment's digest."""
        payload = oci.describe(data, kind)
        self.push_blob(repository, oci.describe(b"{}", oci.EMPTY), b"{}")
        self.push_blob(repository, payload, data)
        manifest = oci.attachment(subject, kind, payload, notes)
        digest = self.push_manifest(repository, oci.digest_of(manifest), manifest, oci.MANIFEST)
        known = self.referrers(repository, subject.digest)
        if digest not in {item.digest for item in known}:
            made = oci.describe(manifest, oci.MANIFEST, artifact_type=kind, annotations=notes)
            tag = subject.digest.replace(":", "-", 1)
            self.push_manifest(repository, tag, oci.index([*known, made]), oci.INDEX)
        return digest

    def attached(self, repository: str, reference: str) -> bytes:
        """The payload of an attachment."""
        found = self.manifest(repository, reference)
        if found is None:
            raise TargetError("an attachment is missing", where=f"{self.where}/{repository}", expected=reference)
        return self.blob(repository, json.loads(found.data)["layers"][0]["digest"])

    def _ask(
        self,
        method: str,
        path: str,
        allowed: set[int] | None = None,
        *,
        once: bool = False,
        content: Callable[[], Iterator[bytes]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        problem = ""
        for attempt in range(1 if once else RETRIES):
            if attempt:
                self.pause(2.0 ** (attempt - 1))
            try:
                answer = self._send(method, path, content, headers or {})
            except httpx.HTTPError as error:
                problem = f"{type(error).__name__}: {error}"
                continue
            if answer.is_success or answer.status_code in (allowed or set()):
                return answer
            problem = f"{answer.status_code} {answer.reason_phrase} {_reason(answer)}".strip()
            if answer.status_code not in AGAIN:
                break
        raise self._failure(method, path, problem)

    def _failure(self, method: str, path: str, problem: str) -> TargetError:
        where = f"{method} {self.where}{path}".split("?", 1)[0]
        if problem.startswith(("401", "403")):
            identity = self.credentials.identity if self.credentials else "anonymous"
            fix = "correct its user and password"
            return TargetError(f"the registry refuses the {identity} identity", where=where, got=problem, fix=fix)
        fix = "mend it, then run the same command again"
        return TargetError("the registry failed", where=where, got=problem[:300], fix=fix)

    def _send(
        self, method: str, path: str, content: Callable[[], Iterator[bytes]] | None, headers: dict[str, str]
    ) -> httpx.Response:
        """Ask once; a refusal is answered once more with what its challenge asks for: tokens are for one task and expire."""
        scope = path.split("/blobs/")[0].split("/manifests/")[0]
        answer = self._once(method, path, content, headers, self.tokens.get(scope, ""))
        if answer.status_code == 401:
            challenge = answer.headers.get("www-authenticate", "")
            if access := authorise(self.client, challenge, self.credentials, self.where):
                self.tokens[scope] = access
                return self._once(method, path, content, headers, access)
        return answer

    def _once(
        self,
        method: str,
        path: str,
        content: Callable[[], Iterator[bytes]] | None,
        headers: dict[str, str],
        access: str,
    ) -> httpx.Response:
        more = {"Authorization": access} if access else {}
        return self.client.request(method, path, content=content() if content else None, headers=headers | more)


def _reason(answer: httpx.Response) -> str:
    """What the registry itself says, in its own words."""
    try:
        errors = answer.json()["errors"]
        return "; ".join(str(error.get("message") or error.get("code")) for error in errors)
    except (ValueError, KeyError, TypeError, httpx.ResponseNotRead):
        return ""
