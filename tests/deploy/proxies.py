"""The proxy of deploy/ as its image runs it, from Debian's packages, before services that say what they are asked."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import trustme

from pteroassets.platform.loopback import HOST, free_port, is_open
from pteroassets.settings import CHECKOUT

CONFIGURATION = CHECKOUT / "deploy" / "proxy"
TOOLS = CHECKOUT / ".tools" / "deploy" / "bin"
OPERATOR, GUEST = ("operator", "a long password"), ("gast", "another one")
UPSTREAMS = ("webserver", "guests", "site")


def needed(path: str | Path | None, what: str) -> str:
    """A program that some tests need: CI has it, a developer may have not."""
    if path is not None and Path(path).exists():
        return str(path)
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


class _Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.headers.get("Upgrade") == "websocket":
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.end_headers()
            self.close_connection = True
            return
        said = {"name": self.server.name, "path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}}  # type: ignore[attr-defined]
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def upstream(name: str) -> Iterator[str]:
    """A service of the platform that says of each request who answered it, and what it got."""
    server = http.server.ThreadingHTTPServer((HOST, 0), _Upstream)
    server.name = name  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True)
class Proxy:
    port: int
    log: Path
    certificate: str

    @property
    def address(self) -> str:
        return f"https://localhost:{self.port}"

    def logged(self, line: str) -> str:
        """The log, once it has *line*: a program of its own writes it."""
        deadline = time.monotonic() + 30
        while line not in (text := self.log.read_text()):
            assert time.monotonic() < deadline, text
            time.sleep(0.05)
        return text

    def session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.verify = self.certificate
        return session

    def get(self, path: str, login: tuple[str, str] | None = None, **headers: str) -> requests.Response:
        """Ask for *path* exactly as it is written."""
        with self.session() as session:
            request = requests.Request("GET", self.address, auth=login, headers=headers)
            prepared = session.prepare_request(request)
            prepared.url = f"{self.address}{path}"
            return session.send(prepared, allow_redirects=False, timeout=30)


def reached(answer: requests.Response) -> str | None:
    """Which service gave the answer; None if the proxy did."""
    if not answer.headers.get("Content-Type") and answer.text.startswith("{"):
        return str(answer.json()["name"])
    return None


@contextmanager
def running_proxy(folder: Path, login: str, *, port: int | None = None, **variables: str) -> Iterator[Proxy]:
    """Run Apache with the configuration of the image, as the image does: as somebody who is not root."""
    apache = needed(
        shutil.which("apache2", path=os.environ["PATH"] + ":/usr/sbin"), "needs Debian's package apache2-bin"
    )
    needed("/usr/lib/apache2/modules/mod_auth_openidc.so", "needs Debian's package libapache2-mod-auth-openidc")
    folder.mkdir(mode=0o755)
    files, run = folder / "files", folder / "run"
    files.mkdir()
    run.mkdir()
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    own = ca.issue_cert("localhost")
    own.cert_chain_pems[0].write_to_path(files / "proxy_certificate")
    own.private_key_pem.write_to_path(files / "proxy_key")
    for name in ("proxy_users", "proxy_oidc"):
        if (folder.parent / name).exists():
            shutil.copyfile(folder.parent / name, files / name)
    account = {}
    if os.geteuid() == 0:
        for path in (run, files, *files.iterdir()):
            shutil.chown(path, "nobody", "nogroup")
            path.chmod(0o500 if path == files else 0o700 if path == run else 0o400)
        for parent in (folder, *folder.parents):
            if parent.stat().st_uid == 0 and not parent.stat().st_mode & 1:
                parent.chmod(parent.stat().st_mode | 0o011)  # so that the other account may go through
            if parent.name.startswith("pytest-of-"):
                break
        account = {"user": "nobody", "group": "nogroup", "extra_groups": []}
    port = port or free_port()
    with ExitStack() as stack:
        environment = {
            "PATH": os.environ["PATH"],
            "PROXY_CONF": str(CONFIGURATION),
            "PROXY_PORT": str(port),
            "PROXY_RUN": str(run),
            "PROXY_FILES": str(files),
            "PROXY_ADDRESS": f"localhost:{port}",
            **{f"PROXY_{name.upper()}": stack.enter_context(upstream(name)) for name in UPSTREAMS},
            **variables,
        }
        log = folder / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [apache, "-D", "FOREGROUND", "-f", str(CONFIGURATION / "apache.conf"), "-D", login],
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                **account,  # type: ignore[arg-type]
            )
        try:
            wait_for(port, process, log)
            yield Proxy(port, log, str(folder / "ca.pem"))
        finally:
            process.terminate()
            process.wait(30)


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while not is_open(port):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
