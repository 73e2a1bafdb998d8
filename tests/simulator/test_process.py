"""The simulation as a process of its own: its state file, its control, its end."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
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


def get(session: requests.Session, address: str, key: str) -> requests.Response:
    return session.get(address, headers={"Authorization": f"Bearer {key}", "Accept": "application/json"}, timeout=10)


def test_several_processes_count_requests_together_and_divide_the_nodes(tmp_path: Path) -> None:
    wide = ("--clock", "manual", "--servers", "60", "--nodes", "3", "--processes", "2", "--client-limit", "12")
    process, state = start(tmp_path, *wide)
    panel, key = state["panel_url"], state["client_key"]
    try:
        sessions = [requests.Session() for _ in range(8)]  # so that no process takes all connections
        with ThreadPoolExecutor(max_workers=8) as pool:
            answers = list(pool.map(lambda number: get(sessions[number % 8], f"{panel}/api/client", key), range(30)))
        assert Counter(answer.status_code for answer in answers) == {200: 12, 429: 18}
        remaining = sorted(int(one.headers["x-ratelimit-remaining"]) for one in answers if one.ok)
        assert remaining == list(range(12))
        with control(state) as handle:
            assert handle.get(f"{state['control_url']}/requests").json()["counts"] == {"list": 30}
            later = (ANCHOR + timedelta(seconds=61)).isoformat()
            handle.post(f"{state['control_url']}/clock", json={"now": later})
            assert get(sessions[0], f"{panel}/api/client", key).ok, "all clocks moved"
            truth = handle.get(f"{state['control_url']}/truth").json()
        used = {sample["server_uuid"]: sample for sample in truth["samples"]}
        reported = {}
        for number in (1, 2, 3):
            node = get(sessions[0], f"{panel}/api/application/nodes/{number}", state["application_key"]).json()
            path = f"{panel}/api/application/nodes/{number}/configuration"
            token = get(sessions[0], path, state["application_key"]).json()["token"]
            address = f"http://127.0.0.1:{node['attributes']['daemon_listen']}/api/servers"
            assert get(sessions[0], address, token).content == get(sessions[1], address, token).content
            for server in get(sessions[0], address, token).json():
                reported[server["configuration"]["uuid"]] = server["utilization"]["memory_bytes"]
        assert len(reported) == 60
        asked = {uuid for uuid, sample in used.items() if sample["outcome"] in ("ok", "offline")}
        assert {uuid: reported[uuid] for uuid in asked} == {uuid: used[uuid]["memory_bytes"] for uuid in asked}
    finally:
        assert stop(process) == 0
