"""A feed of vulnerabilities in OSV's form, on loopback: `python feed.py PORT FILE`. The file may change while it runs.

It stands alone, so that it runs by its path: {"pkg:pypi/name@1": ["ID", ...], ...}.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Feed(ThreadingHTTPServer):
    """Answers queries for packages with what `known` says about them."""

    daemon_threads = True

    def __init__(self, port: int, known: Path, page: int = 100) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.known, self.page = known, page

    def answer(self, query: dict[str, Any]) -> dict[str, Any]:
        """One page of what is known about a package; a token leads to the next one."""
        names = json.loads(self.known.read_text(encoding="utf-8")).get(query["package"]["purl"], [])
        start = int(query.get("page_token", 0))
        end = start + self.page
        found = {"vulns": [{"id": name} for name in names[start:end]]} if names else {}
        return found | ({"next_page_token": str(end)} if end < len(names) else {})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Feed

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        data = json.dumps({"results": [self.server.answer(query) for query in asked]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""


if __name__ == "__main__":
    Feed(int(sys.argv[1]), Path(sys.argv[2])).serve_forever()
