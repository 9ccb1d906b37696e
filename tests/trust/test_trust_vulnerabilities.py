"""The gate asks a feed; what nobody answered is "not checked", and exceptions end."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ci.errors import ProjectFileError
from ci.rehearsal.feed import Feed
from ci.trust.vulnerabilities import Allowed, check, load_allowed

TODAY = date(2026, 11, 22)
BAD = "pkg:pypi/bad@1"
GOOD = "pkg:pypi/good@1"
WORSE = "pkg:pypi/worse@1"


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    known = tmp_path_factory.mktemp("feed") / "known.json"
    many = [f"GHSA-{number}" for number in range(1, 6)]
    known.write_text(json.dumps({BAD: ["GHSA-1"], WORSE: many}), encoding="utf-8")
    server = Feed(0, known, page=2)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.url
    server.shutdown()
    server.server_close()


def test_a_known_vulnerability_fails_unless_allowed_today(feed: str) -> None:
    assert check([GOOD], [], TODAY, feed).state == "passed"
    failed = check([GOOD, BAD], [], TODAY, feed)
    assert failed.state == "failed"
    assert [(found.package, found.id) for found in failed.findings] == [(BAD, "GHSA-1")]
    excused = [Allowed("GHSA-1", TODAY, "only reached by the tests")]
    passed = check([BAD], excused, TODAY, feed)
    assert (passed.state, passed.findings[0].allowed) == ("passed", "only reached by the tests")
    assert check([BAD], excused, date(2026, 11, 23), feed).state == "failed"


def test_every_page_of_the_feed_is_read(feed: str) -> None:
    """All but the last are allowed: it alone stops the release."""
    excused = [Allowed(f"GHSA-{number}", TODAY, "looked at") for number in range(1, 5)]
    verdict = check([GOOD, WORSE, BAD], excused, TODAY, feed)
    assert verdict.state == "failed"
    assert [found.id for found in verdict.findings if not found.allowed] == ["GHSA-5"]
    assert [found.package for found in verdict.findings].count(WORSE) == 5


def test_without_a_feed_nothing_is_checked(feed: str) -> None:
    verdict = check([GOOD], [], TODAY, "http://127.0.0.1:1", timeout=1)
    assert verdict.state == "not checked"
    assert verdict.reason.startswith("http://127.0.0.1:1: ConnectError")


def test_exceptions_have_a_day_and_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "vulnerabilities.toml"
    assert load_allowed(path) == []
    path.write_text('[[allow]]\nid = "GHSA-1"\nuntil = 2027-01-31\nreason = "not reached"\n', encoding="utf-8")
    assert load_allowed(path) == [Allowed("GHSA-1", date(2027, 1, 31), "not reached")]
    path.write_text('[[allow]]\nid = "GHSA-1"\nuntil = "forever"\nreason = "lazy"\n', encoding="utf-8")
    with pytest.raises(ProjectFileError, match="an exception without end"):
        load_allowed(path)
    path.write_text('[[allow]]\nid = "GHSA-1"\n', encoding="utf-8")
    with pytest.raises(ProjectFileError, match="until = 2027-01-31"):
        load_allowed(path)
