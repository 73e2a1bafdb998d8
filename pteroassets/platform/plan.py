"""Say how samples would be taken on this panel now, for people who choose settings."""

from __future__ import annotations

from typing import Any

from pteroassets.landing.context import Landing
from pteroassets.landing.pterodactyl.passes import UTILIZATION_PASS
from pteroassets.landing.pterodactyl.utilization import SamplingPlan, circumstances, plan_sampling
from pteroassets.platform.finding import Finding
from pteroassets.settings import Settings
from pteroassets.sources.pterodactyl.client import ALL_KEYS, PanelClient
from pteroassets.sources.pterodactyl.errors import PanelError, UnreadableAnswerError
from pteroassets.sources.pterodactyl.pacing import AnnouncedLimits


def run_plan(settings: Settings) -> SamplingPlan:
    """Return the plan for the panel of *settings*; asks it two questions and needs no Postgres.

    Raises:
        MissingSettingError: Its address or a key is not set.
        PanelError: It does not answer.
    """
    landing = Landing(settings=settings)
    landing.require(*ALL_KEYS)
    with landing.client(AnnouncedLimits(landing.clock), patience_seconds=0) as panel:
        return plan_for(panel, settings)


def plan_for(panel: PanelClient, settings: Settings) -> SamplingPlan:
    """Return the plan by the numbers of servers and nodes and the limits that *panel* announces.

    Raises:
        PanelError: It does not answer.
    """
    servers = _total(panel.client("", type="admin-all", per_page=1))
    nodes = _total(panel.application("nodes", per_page=1))
    return plan_sampling(
        circumstances(
            settings,
            servers=servers,
            nodes=nodes,
            client_limit=panel.limits.get("client"),
            application_limit=panel.limits.get("application"),
            schedule=UTILIZATION_PASS.rhythms[settings.pteroassets_schedules].every,
        )
    )


def plan_rows(plan: SamplingPlan) -> list[tuple[str, str]]:
    """Return what was decided as names and values."""
    unknown, allowed, least = "unknown", plan.allowed_per_minute, plan.least_seconds
    return [
        ("path", f"each {'node' if plan.path == 'nodes' else 'server at the panel'} is asked"),
        ("requests to the client API in one pass", f"{plan.requests:,}"),
        ("requests a minute for samples", unknown if allowed is None else f"{allowed:,.0f}"),
        ("least interval", unknown if least is None else f"{least:,.0f} s"),
        ("wanted interval", f"{plan.wanted_seconds:,} s"),
        ("interval kept", f"{plan.interval_seconds:,} s"),
        ("a pass is spread over", f"{plan.spread_seconds:,.0f} s" if plan.spread_seconds else "nothing: at once"),
    ]


def check_sampling(panel: PanelClient, settings: Settings) -> list[Finding]:
    """Return whether samples can be taken as often as wanted; nothing where the panel refuses, as other checks say."""
    try:
        plan = plan_for(panel, settings)
    except PanelError:
        return []
    return [
        Finding(
            subject="sampling",
            status="ok" if plan.is_as_wanted else "warning",
            detail=f"every {plan.interval_seconds} s: {plan.why}",
            remedy="" if plan.is_as_wanted else "pteroassets plan shows the figures",
        )
    ]


def _total(listing: dict[str, Any]) -> int:
    total = ((listing.get("meta") or {}).get("pagination") or {}).get("total")
    if not isinstance(total, int):
        raise UnreadableAnswerError("the panel did not say how many rows its list has: is it a Pterodactyl panel?")
    return total
