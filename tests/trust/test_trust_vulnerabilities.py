"""The gate asks a feed; what nobody answered is "not checked", and exceptions end."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ci.errors import ProjectFileError
from ci.trust.vulnerabilities import Allowed, check, load_allowed

TODAY = date(2026, 11, 22)
BAD = "pkg:pypi/bad@1"
GOOD = "pkg:pypi/good@1"


class _Feed(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        bad = {"vulns": [{"id": "GHSA-1"}]}
        results = [bad if query["package"]["purl"] == BAD else {} for query in asked]
        data = json.dumps({"results": results}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def feed() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Feed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
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
