"""The notebooks in JupyterLab: on loopback, behind a token, with a kernel of ours, reading only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pteroassets.dashboards.context import Context
from pteroassets.platform.environment import RuntimeFault
from pteroassets.platform.notebook import lab_command, prepare, run_notebook
from pteroassets.settings import Settings
from tests.dashboards.pages import METRICS, NOW


def test_it_listens_on_loopback_only_and_takes_no_token_away() -> None:
    command = lab_command(Path("jupyter"), port=8899, open_browser=False)
    assert "--ip=127.0.0.1" in command
    assert not any("token" in word or "password" in word for word in command)
    assert "--LabApp.extension_manager=readonly" in command
    assert "--no-browser" in command


def test_the_kernel_is_this_python_and_knows_the_registry(tmp_path: Path) -> None:
    variables = prepare(tmp_path, Context(now=NOW, metrics=METRICS))
    kernel = json.loads((Path(variables["JUPYTER_PATH"]) / "kernels" / "pteroassets" / "kernel.json").read_text())
    assert kernel["argv"][0] == sys.executable
    subprocess.run([sys.executable, "-c", "import ipykernel_launcher"], check=True)
    asked = "from pteroassets.dashboards import kit; print(kit.figure('players', 3).shown, kit.metric('uptime').label)"
    shown = subprocess.run([sys.executable, "-c", asked], env=variables, capture_output=True, text=True, check=True)
    assert shown.stdout == "3 Uptime\n"


def test_without_jupyterlab_or_data_it_says_what_to_do(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, pteroassets_home=tmp_path)  # type: ignore[call-arg]
    with pytest.raises(RuntimeFault, match="run make notebook"):
        run_notebook(settings, lab=tmp_path / "missing", home=None)
    with pytest.raises(RuntimeFault, match="there is no data in"):
        run_notebook(settings, lab=Path(sys.executable), home=tmp_path)
