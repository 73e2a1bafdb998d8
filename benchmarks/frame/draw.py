"""Draw charts of Vega-Lite from standard input: a JSON object of paths and specifications.

It runs in an environment of its own, which has the library that draws and nothing of this project.
"""

import json
import sys
from pathlib import Path

import vl_convert

for name, specification in json.load(sys.stdin).items():
    Path(name).write_text(vl_convert.vegalite_to_svg(specification), encoding="utf-8")
