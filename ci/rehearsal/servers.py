"""Servers of a rehearsal, on loopback and in its folder. They end with the block, and with us if we are killed."""

from __future__ import annotations

import http.client
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ci.engine import Runner
from ci.errors import CheckError

DEADLINE = 60.0
REGISTRY = """version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: "{root}"}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def _server(runner: Runner, folder: Path, words: Sequence[str], address: int | Path) -> Iterator[None]:
    """Run a server until the block ends. `setpriv` lets the kernel end it when we die without a word."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "server.log"
    child = runner.detach([str(runner.find("setpriv")), "--pdeathsig", "TERM", "--", *words], log)
    try:
        end = time.monotonic() + DEADLINE
        while not _answers(address):
            if child.poll() is not None or time.monotonic() > end:
                got = log.read_text(encoding="utf-8", errors="replace")[-500:]
                raise CheckError("a server of the rehearsal does not start", where=" ".join(words[:2]), got=got)
            time.sleep(0.02)
        yield
    finally:
        child.terminate()
        try:
            child.wait(timeout=DEADLINE)
        finally:
            child.kill()
            child.wait()


def _answers(address: int | Path) -> bool:
    """Whether somebody listens on a port, or answers a ping of docker's API on a socket."""
    if isinstance(address, int):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", address)) == 0
    connection = http.client.HTTPConnection("localhost", timeout=5)
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(address))
            connection.sock = probe
            connection.request("GET", "/_ping")
            return connection.getresponse().status == 200
    except OSError:
        return False


@contextmanager
def registry(runner: Runner, folder: Path, access: str = "") -> Iterator[str]:
    """docker-registry; gives its address. `access`: the `auth` part of its configuration, none for an open one."""
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "config.yml"
    configuration.write_text(REGISTRY.format(root=folder / "data", port=port) + access, encoding="utf-8")
    with _server(runner, folder, [str(runner.find("docker-registry")), "serve", str(configuration)], port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def files(runner: Runner, folder: Path) -> Iterator[str]:
    """The store's folder over HTTP; gives the address of pip's index."""
    port = free_port()
    folder.mkdir(parents=True)
    words = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(folder), str(port)]
    with _server(runner, folder.with_name("files"), words, port):
        yield f"http://127.0.0.1:{port}/simple/"


@contextmanager
def feed(runner: Runner, known: Path) -> Iterator[str]:
    """A feed of vulnerabilities that knows what the file says; gives its address."""
    port = free_port()
    script = Path(__file__).with_name("feed.py")
    with _server(runner, known.with_name("feed"), [sys.executable, str(script), str(port), str(known)], port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def docker(runner: Runner, folder: Path) -> Iterator[str]:
    """A dockerd of its own, with nothing of the machine's images or networks; gives its DOCKER_HOST."""
    folder.mkdir(parents=True)
    path = folder / "sock"
    words = [str(runner.find("dockerd")), "--bridge=none", "--iptables=false", "--group=0", f"--host=unix://{path}"]
    words += [f"--data-root={folder / 'data'}", f"--exec-root={folder / 'exec'}", f"--pidfile={folder / 'pid'}"]
    with _server(runner, folder, words, path):
        yield f"unix://{path}"
