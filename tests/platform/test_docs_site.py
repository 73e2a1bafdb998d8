"""The site of the dbt docs, with the pages below ``/pages/``."""

from __future__ import annotations

from pathlib import Path

import requests

from pteroassets.platform.loopback import free_port
from pteroassets.platform.services import docs_server
from pteroassets.platform.supervisor import Supervisor


def test_the_pages_are_served_beside_the_docs_with_what_a_browser_may_do(tmp_path: Path) -> None:
    docs, pages = tmp_path / "docs", tmp_path / "pages"
    for folder in (docs, pages / "assets", pages / "state"):
        folder.mkdir(parents=True)
    (docs / "index.html").write_text("<title>dbt Docs</title>")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with Supervisor(tmp_path / "logs") as supervisor, requests.Session() as browser:
        supervisor.start(docs_server(docs, port=port, pages=str(pages)))
        assert "not made yet" in browser.get(f"{address}/pages/").text
        (pages / "index.html").write_text("<title>Pages</title>")
        (pages / "assets" / "page-1.css").write_text("body {}")
        (pages / "state" / "fleet.json").write_text("{}")
        (tmp_path / "secret.html").write_text("not a page")
        found = browser.get(f"{address}/pages")
        assert (found.url, found.text) == (f"{address}/pages/", "<title>Pages</title>")
        assert "default-src 'none'" in found.headers["content-security-policy"]
        assert browser.get(f"{address}/pages/index.html").headers["cache-control"] == "no-cache"
        style = browser.get(f"{address}/pages/assets/page-1.css")
        assert style.headers["content-type"].startswith("text/css")
        assert "immutable" in style.headers["cache-control"]
        assert browser.get(address).text == "<title>dbt Docs</title>"
        for name in ("state/fleet.json", "missing.html", "..%2fsecret.html", "assets/..%2findex.html"):
            assert browser.get(f"{address}/pages/{name}").status_code == 404, name
