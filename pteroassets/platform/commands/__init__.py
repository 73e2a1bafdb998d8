"""Groups of commands, a file for each thing that they are about.

Like those of `pteroassets.cli` they import what they need when they run, so that the command line starts at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

#: An option of commands that work on a platform's data, also while it does not run.
HOME: Final = click.option(
    "--home", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Data folder of a demo or of up."
)
