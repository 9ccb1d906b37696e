"""Servers on loopback for the tests: moto's S3, and a proxy that breaks what goes through it."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class _Broken(BaseHTTPRequestHandler):
    """Hands requests on, unless its server's `mode` says what to break."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Proxy

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        mode = self.server.mode
        if mode == "truncated" and self.command == "PUT" and length > 1:
            self.rfile.read(length // 2)
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        body = self.rfile.read(length) if length else b""
        if mode == "slow":
            time.sleep(self.server.delay)
        if mode == "500":
            self._answer(500, [], b'{"errors": [{"message": "out of order"}]}')
        elif mode == "denied":
            self._answer(403, [], b"<Error><Code>AccessDenied</Code><Message>no entry</Message></Error>")
        elif mode == "refuse":
            self._answer(
                401, [("WWW-Authenticate", 'Basic realm="registry"')], b'{"errors": [{"message": "no entry"}]}'
            )
        else:
            self._forward(body)

    def _forward(self, body: bytes) -> None:
        connection = http.client.HTTPConnection(self.server.target, timeout=20)
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        data = answer.read()
        if self.server.mode == "torn":
            self._torn(answer.status, data)
        else:
            self._answer(answer.status, answer.getheaders(), data)
        connection.close()

    def _torn(self, status: int, data: bytes) -> None:
        """Promise more than is sent, and hang up: the server was killed."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(data) + 1))
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = True

    def _answer(self, status: int, headers: list[tuple[str, str]], data: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                self.send_header(name, value)
        head = self.command == "HEAD"
        length = next((v for n, v in headers if head and n.lower() == "content-length"), str(len(data)))
        self.send_header("Content-Length", length)
        self.end_headers()
        if not head:
            self.wfile.write(data)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""


class Proxy(ThreadingHTTPServer):
    """`mode`: pass, 500, refuse (wrong password), denied (S3's word for it), slow (`delay` seconds), truncated (uploads
    break off), torn (so do answers)."""

    daemon_threads = True

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Broken)
        self.target = urlsplit(url).netloc
        self.mode = "pass"
        self.delay = 0.4

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def proxy(url: str) -> Iterator[Proxy]:
    server = Proxy(url)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def s3() -> Iterator[str]:
    """moto's S3; gives its URL."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()
