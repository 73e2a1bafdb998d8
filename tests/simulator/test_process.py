"""The simulation as a process of its own: its state file, its control, its end."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from .conftest import ANCHOR, SEED


def start(folder: Path, *more: str) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    state_file = folder / "state.json"
    command = [
        *(sys.executable, "-m", "pteroassets.simulator", "--seed", str(SEED), "--anchor", ANCHOR.isoformat()),
        *("--size", "tiny", "--state-file", str(state_file), *more),
    ]
    process = subprocess.Popen(command)
    deadline = time.monotonic() + 60
    while not state_file.exists():
        assert process.poll() is None, "it ended"
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)
    return process, json.loads(state_file.read_text())


def stop(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=30)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    process, state = start(tmp_path, "--clock", "manual")
    yield state, tmp_path
    assert stop(process) == 0


def control(state: dict[str, Any]) -> requests.Session:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {state['control_token']}"
    return session


def test_the_state_file_is_for_its_owner_alone_and_goes_with_the_process(tmp_path: Path) -> None:
    process, state = start(tmp_path)
    assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == 0o600
    assert set(state["log_timezones"].values()) == {"Europe/Berlin", "America/New_York"}
    assert stop(process) == 0
    assert not (tmp_path / "state.json").exists()


def test_a_process_that_follows_has_the_same_keys_and_ports(tmp_path: Path) -> None:
    process, before = start(tmp_path)
    stop(process)
    process, after = start(tmp_path)
    stop(process)
    for name in ("panel_url", "application_key", "client_key", "control_url"):
        assert after[name] == before[name]
    assert after["control_token"] != before["control_token"]


def test_the_clock_moves_on_command_and_needs_the_token(running: tuple[dict[str, Any], Path]) -> None:
    state, _ = running
    url = state["control_url"]
    assert requests.post(f"{url}/clock", json={"now": "wall"}, timeout=30).status_code == 401
    session = control(state)
    assert session.get(f"{url}/state", timeout=30).json()["now"] == ANCHOR.isoformat()
    moved = session.post(f"{url}/clock", json={"now": "2026-10-20T10:00:00+00:00"}, timeout=30)
    assert moved.json() == {"now": "2026-10-20T10:00:00+00:00"}
    assert session.post(f"{url}/clock", json={"now": "2026-10-20T10:00:00"}, timeout=30).status_code == 422
    assert session.post(f"{url}/clock", json={"now": "wall"}, timeout=30).json()["now"] > "2026-10-20T10:00:01"


def test_truth_faults_and_requests_are_reached_from_outside(running: tuple[dict[str, Any], Path]) -> None:
    state, _ = running
    session, url = control(state), state["control_url"]
    truth = session.get(f"{url}/truth", params={"at": ANCHOR.isoformat()}, timeout=60).json()
    assert len(truth["entities"]["servers"]) == len(truth["samples"])
    assert truth["sessions"]
    headers = {"Authorization": f"Bearer {state['client_key']}", "Accept": "application/json"}
    session.post(f"{url}/faults", json={"add": [{"route": "account", "status": 500}], "node_down": [1]}, timeout=30)
    account = f"{state['panel_url']}/api/client/account"
    assert requests.get(account, headers=headers, timeout=30).status_code == 500
    session.post(f"{url}/faults", json={"clear": True}, timeout=30)
    assert requests.get(account, headers=headers, timeout=30).status_code == 200
    counted = session.get(f"{url}/requests", params={"entries": 1}, timeout=30).json()
    assert counted["counts"] == {"account": 2}
    assert [entry["status"] for entry in counted["entries"]] == [500, 200]
