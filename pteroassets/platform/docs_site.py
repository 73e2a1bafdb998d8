"""Serve the dbt docs and the pages: ``python -m pteroassets.platform.docs_site --directory D --port P``.

Only the files of the site are served; the folder of dbt's output also holds compiled SQL and logs. The pages stand
below ``/pages/``, from wherever they are published.
"""

from __future__ import annotations

import mimetypes
from pathlib import Path

import click
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from pteroassets.dashboards.render import CONTENT_SECURITY_POLICY
from pteroassets.dashboards.store import Store
from pteroassets.platform.loopback import HOST

SITE = ("index.html", "entities.html", "manifest.json", "catalog.json")


NOT_MADE = "The pages are not made yet: the job everything and the schedules of the pages make them."


def site(directory: Path, pages: Store | None = None) -> Starlette:
    """Return the application; it reads a file at each request, so a later ``dbt docs generate`` shows at once.

    Args:
        directory: Folder of the dbt docs.
        pages: Where the pages are published.
    """

    def file(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in SITE or not (directory / name).is_file():
            raise HTTPException(404)
        return FileResponse(directory / name, headers={"Cache-Control": "no-cache"})

    routes: list[BaseRoute] = [Route("/", file), Route("/{name}", file)]
    if pages is not None:
        routes[:0] = [
            Route("/pages", lambda _: RedirectResponse("/pages/")),
            Route("/pages/", lambda _: _page(pages, "index.html")),
            Route("/pages/{name:path}", lambda request: _page(pages, request.path_params["name"])),
        ]
    return Starlette(routes=routes)


def _page(pages: Store, name: str) -> Response:
    if not name.startswith("assets/") and not name.endswith(".html"):
        raise HTTPException(404)
    try:
        content = pages.get(name)
    except FileNotFoundError:
        if name == "index.html":
            return Response(NOT_MADE, media_type="text/plain")
        raise HTTPException(404) from None
    # a script or a style that changes has another name
    kept = "max-age=31536000, immutable" if name.startswith("assets/") else "no-cache"
    return Response(
        content,
        media_type=mimetypes.guess_type(name)[0],
        headers={
            "Cache-Control": kept,
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            "X-Content-Type-Options": "nosniff",
        },
    )


@click.command()
@click.option("--directory", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--pages", help="Where the pages are published, a folder or a URL that fsspec knows.")
@click.option("--host", default=HOST, show_default=True)
@click.option("--port", type=int, required=True)
def main(directory: Path, pages: str | None, host: str, port: int) -> None:
    """Serve the dbt docs in DIRECTORY and the PAGES."""
    store = None if pages is None else Store(pages)
    uvicorn.run(site(directory, store), host=host, port=port, log_level="warning")


if __name__ == "__main__":
    main()
