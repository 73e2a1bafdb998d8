"""What the collector says of its routes, and whether what that allows, and what it does not, is answered well."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pteroassets.clock import SystemClock
from pteroassets.collector.compatibility import DEEDS
from pteroassets.collector.http import Compatibility, collector_app
from pteroassets.collector.openapi import openapi
from pteroassets.collector.reference import read_reference
from pteroassets.settings import CHECKOUT
from pteroassets.sources.events.contracts import CONTRACTS
from pteroassets.warehouse.connection import ConnectionSettings, connect
from tests.collector.serving import KEY, served

GIVEN = Compatibility(game="arena", reference=read_reference(CHECKOUT / "dbt_project" / "seeds" / "events"))

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "response_schema_conformance",
    "content_type_conformance",
    "ignored_auth",
)


def test_every_route_and_every_contract_is_described() -> None:
    nowhere = ConnectionSettings(host="127.0.0.1", port=1, username="x", password="x", database="x")
    for given in (None, GIVEN):
        app = collector_app(nowhere, {}, most_waiting=1, clock=SystemClock(), compatibility=given)
        routes = {(route.path, method.lower()) for route in app.routes for method in route.methods - {"HEAD"}}  # type: ignore[attr-defined]
        told = openapi(is_compatible=given is not None)
        assert {(path, method) for path, ways in told["paths"].items() for method in ways} == routes - {
            ("/openapi.json", "get")
        }
    schemas = told["components"]["schemas"]
    assert {f"{kind}_{version}" for kind, version in CONTRACTS} <= schemas.keys()
    named = set(re.findall(r"#/components/schemas/(\w+)", str(told)))
    assert named <= schemas.keys()
    assert "$defs" not in str(told)


@pytest.mark.postgres
def test_no_request_is_answered_with_a_fault(warehouse_settings: ConnectionSettings, tmp_path: Path) -> None:
    with served(warehouse_settings, compatibility=GIVEN) as client:
        address = f"http://127.0.0.1:{client.port}/openapi.json"
        command = [Path(sys.executable).with_name("st"), "run", address, "--max-examples", "10", "--seed", "1"]
        command += ["--checks", ",".join(CHECKS)]
        command += ["--header", f"Authorization: Bearer {KEY}", "--phases", "examples,coverage,fuzzing"]
        command += ["--mode", "all", "--generation-database", "none", "--no-color"]
        done = subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    with connect(warehouse_settings, autocommit=True) as connection:
        kinds = {kind for (kind,) in connection.execute("select distinct event_type from raw_events.events")}
        reasons = {one for (one,) in connection.execute("select distinct reason from raw_events.dead_letters")}
    # it came as far as the tables, with good events and bad ones
    assert {deed.event_type for deed in DEEDS if deed.table is None} <= kinds
    assert {"not_an_event", "unknown_id", "wrong_fields"} <= reasons
