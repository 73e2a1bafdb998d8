"""Serve the dbt docs on loopback: ``python -m pteroassets.platform.docs_site --directory D --port P``.

Only the files of the site are served; the folder of dbt's output also holds compiled SQL and logs.
"""

from __future__ import annotations

from pathlib import Path

import click
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from pteroassets.platform.loopback import HOST

SITE = ("index.html", "manifest.json", "catalog.json")


def site(directory: Path) -> Starlette:
    """Return the application; it reads a file at each request, so a later ``dbt docs generate`` shows at once."""

    def file(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in SITE or not (directory / name).is_file():
            raise HTTPException(404)
        return FileResponse(directory / name, headers={"Cache-Control": "no-cache"})

    return Starlette(routes=[Route("/", file), Route("/{name}", file)])


@click.command()
@click.option("--directory", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--port", type=int, required=True)
def main(directory: Path, port: int) -> None:
    """Serve the dbt docs in DIRECTORY on 127.0.0.1."""
    uvicorn.run(site(directory), host=HOST, port=port, log_level="warning")


if __name__ == "__main__":
    main()
