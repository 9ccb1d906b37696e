"""A store in an S3-compatible bucket. Conditional writes (`If-Match`, `If-None-Match`) are its compare-and-swap."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ci.publish.credentials import Credentials
from ci.publish.errors import LockedError, TargetError
from ci.publish.store import Payload

ABSENT = {"NoSuchKey", "404", "NotFound"}
LOST = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
REFUSED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "403"}
CHUNK = 1 << 20


class Bucket:
    """`s3://bucket/prefix`; the endpoint comes from AWS_ENDPOINT_URL where it is not Amazon's."""

    def __init__(
        self, name: str, prefix: str, credentials: Credentials | None, timeout: float = 60.0, attempts: int = 5
    ) -> None:
        self.name, self.prefix = name, f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.where = f"s3://{name}/{self.prefix}".rstrip("/")
        self.identity = credentials.identity if credentials else "anonymous"
        retries = {"total_max_attempts": attempts, "mode": "standard"}
        config = Config(connect_timeout=timeout, read_timeout=timeout, retries=retries)
        user, secret = (credentials.user, credentials.secret) if credentials else (None, None)
        self.client: Any = boto3.client("s3", config=config, aws_access_key_id=user, aws_secret_access_key=secret)

    @contextmanager
    def _failing(self, key: str) -> Iterator[None]:
        where, fix = f"{self.where}/{key}", "mend it, then run the same command again"
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "unknown"))
            if code in LOST:
                raise LockedError("somebody else changed it first", where=where) from None
            if code in REFUSED:
                problem = f"the bucket refuses the {self.identity} identity"
                raise TargetError(problem, where=where, got=code, fix="correct its credentials") from None
            raise TargetError("the bucket failed", where=where, got=code, fix=fix) from None
        except BotoCoreError as error:
            raise TargetError("the bucket cannot be reached", where=where, got=str(error)[:200], fix=fix) from None

    def _get(self, key: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self.client.get_object(Bucket=self.name, Key=self.prefix + key)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in ABSENT:
                return None
            raise
        return found

    def read(self, key: str) -> tuple[bytes, str] | None:
        with self._failing(key):
            found = self._get(key)
            return (found["Body"].read(), str(found["ETag"])) if found else None

    def sha256(self, key: str) -> str | None:
        with self._failing(key):
            if (found := self._get(key)) is None:
                return None
            digest = hashlib.sha256()
            for chunk in found["Body"].iter_chunks(CHUNK):
                digest.update(chunk)
            return digest.hexdigest()

    def write(self, key: str, payload: Payload) -> None:
        with self._failing(key):
            if isinstance(payload, bytes):
                self.client.put_object(Bucket=self.name, Key=self.prefix + key, Body=payload, **_type(key))
            else:
                with payload.open("rb") as stream:
                    self.client.put_object(Bucket=self.name, Key=self.prefix + key, Body=stream, **_type(key))

    def copy(self, source: str, target: str) -> None:
        with self._failing(target):
            origin = {"Bucket": self.name, "Key": self.prefix + source}
            self.client.copy_object(Bucket=self.name, Key=self.prefix + target, CopySource=origin)

    def swap(self, key: str, data: bytes, expected: str | None) -> str:
        condition = {"IfNoneMatch": "*"} if expected is None else {"IfMatch": expected}
        with self._failing(key):
            where = {"Bucket": self.name, "Key": self.prefix + key}
            done = self.client.put_object(Body=data, **where, **condition, **_type(key))
        return str(done["ETag"])

    def keys(self, prefix: str) -> list[str]:
        with self._failing(prefix):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=self.prefix + prefix)
            found = [item["Key"] for page in pages for item in page.get("Contents", ())]
        return sorted(name.removeprefix(self.prefix) for name in found)

    def delete(self, key: str) -> None:
        with self._failing(key):
            self.client.delete_object(Bucket=self.name, Key=self.prefix + key)


def _type(key: str) -> dict[str, str]:
    """Pages must say what they are, or a browser and pip would not read them."""
    kinds = {".html": "text/html", ".json": "application/json", ".sha256": "text/plain"}
    found = next((kind for suffix, kind in kinds.items() if key.endswith(suffix)), None)
    if key.endswith("index.v1.json"):
        found = "application/vnd.pypi.simple.v1+json"
    return {"ContentType": found} if found else {}
