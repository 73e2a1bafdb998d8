"""Read a simulated panel as the passes do."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from pteroassets.clock import ManualClock
from pteroassets.privacy import Redactor
from pteroassets.simulator.serve import Simulation
from pteroassets.sources.pterodactyl.application import Reading, read_estate
from pteroassets.sources.pterodactyl.client import PanelClient
from pteroassets.sources.pterodactyl.pacing import AnnouncedLimits


def connect(simulation: Simulation, clock: ManualClock, **changes: Any) -> PanelClient:
    arguments: dict[str, Any] = {
        "application_key": SecretStr(simulation.application_key),
        "client_key": SecretStr(simulation.client_key),
        "budget": AnnouncedLimits(clock),
        "clock": clock,
    }
    return PanelClient(simulation.panel_url, **(arguments | changes))


def estate_of(panel: PanelClient, clock: ManualClock, redactor: Redactor) -> dict[str, Reading]:
    return {reading.entity: reading for reading in read_estate(panel, redactor=redactor, clock=clock)}
