"""A folder and an S3-compatible bucket answer alike, above all when two want to change the same thing."""

from __future__ import annotations

import hashlib
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ci.publish.bucket import Bucket
from ci.publish.credentials import Credentials
from ci.publish.errors import LockedError, RefusedError, TargetError
from ci.publish.lock import HELD, KEY, Lock
from ci.publish.store import Folder, Store, keep

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return Folder(tmp_path / "store")
    bucket: Bucket = request.getfixturevalue("bucket")
    return bucket


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_bytes_and_files_are_kept_copied_listed_and_deleted(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"from a file")
    store.write("a/one", b"one")
    store.write("a/two", tmp_path / "file")
    store.copy("a/two", "b/three")
    assert store.keys("") == ["a/one", "a/two", "b/three"]
    assert store.keys("a/") == ["a/one", "a/two"]
    assert store.sha256("b/three") == sha(b"from a file")
    assert (store.read("a/one") or (b"",))[0] == b"one"
    store.delete("a/one")
    store.delete("a/one")
    assert store.read("a/one") is None
    assert store.sha256("a/one") is None


def test_keep_adds_once_and_never_changes(store: Store) -> None:
    assert keep(store, "file", sha(b"one"), b"one")
    assert not keep(store, "file", sha(b"one"), b"one")
    assert keep(store, "copy", sha(b"one"), "file")
    with pytest.raises(RefusedError, match="a published file never changes"):
        keep(store, "file", sha(b"two"), b"two")
    with pytest.raises(TargetError, match="arrived damaged"):
        keep(store, "other", sha(b"two"), b"one")
    assert store.keys("") == ["copy", "file"]


def test_swap_knows_the_version_that_it_replaces(store: Store) -> None:
    first = store.swap("index", b"1", None)
    with pytest.raises(LockedError, match="somebody else changed it first"):
        store.swap("index", b"mine", None)
    second = store.swap("index", b"2", first)
    with pytest.raises(LockedError):
        store.swap("index", b"late", first)
    assert store.read("index") == (b"2", second)


def test_of_many_that_swap_at_once_one_wins(store: Store) -> None:
    """A folder's comparison holds between threads and processes; moto's buckets compare one request at a time."""
    version = store.swap("index", b"0", None)
    won: list[int] = []

    def swap(number: int) -> None:
        try:
            store.swap("index", b"%d" % number, version)
        except LockedError:
            return
        won.append(number)

    threads = [threading.Thread(target=swap, args=(number,)) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner, _ = store.read("index") or (b"", "")
    assert int(winner) in won
    assert len(won) == 1 or isinstance(store, Bucket)


def test_a_lock_holds_until_it_is_released_or_runs_out(store: Store) -> None:
    now = NOW
    first = Lock(store, "one", "Ada on host, publishing 2.0.0rc1", lambda: now)
    second = Lock(store, "two", "Bob on host, publishing 2.0.0rc2", lambda: now)
    first.take()
    first.take()
    with pytest.raises(LockedError) as refusal:
        second.take()
    assert "another publisher is at work" in str(refusal.value)
    assert "Ada on host, publishing 2.0.0rc1, since 2026-11-22T12:00:00Z, until 2026-11-22T12:15:00Z" in str(
        refusal.value
    )
    first.release()
    second.take()
    now += HELD + timedelta(seconds=1)
    first.take()
    with pytest.raises(LockedError, match="Ada"):
        second.renew()
    second.release()
    assert b'"one"' in (store.read(KEY) or (b"",))[0]


def test_a_lock_is_renewed_in_time(store: Store) -> None:
    now = NOW
    lock = Lock(store, "one", "Ada", lambda: now)
    lock.take()
    before = store.read(KEY)
    lock.renew()
    assert store.read(KEY) == before
    now += HELD / 2
    lock.renew()
    assert store.read(KEY) != before


@pytest.mark.parametrize("key", ["../outside", "/etc/passwd", "a/../../b", ""])
def test_a_folder_keeps_to_itself(tmp_path: Path, key: str) -> None:
    with pytest.raises(RefusedError, match="not a key of the store"):
        Folder(tmp_path / "store").write(key, b"")


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    with pytest.raises(TargetError, match="the store failed") as failure:
        Folder(tmp_path / "file" / "store").write("key", b"data")
    assert "Not a directory" in str(failure.value)


def test_a_bucket_out_of_reach_is_one_clear_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    bucket = Bucket("away", "", Credentials("publish", "store", "user", "hidden"), timeout=1)
    with pytest.raises(TargetError, match="the bucket cannot be reached") as failure:
        bucket.read("index.json")
    assert "hidden" not in str(failure.value)
