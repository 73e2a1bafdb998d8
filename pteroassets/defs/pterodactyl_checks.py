"""Checks that show which nodes need attention after the newest samples."""

import dagster as dg

from pteroassets.landing.context import Landing
from pteroassets.sources.outcomes import UNANSWERED


@dg.asset_check(asset=["pterodactyl", "utilization_samples"], description="Every node answered in the newest pass.")
def every_node_answers(landing: dg.ResourceParam[Landing]) -> dg.AssetCheckResult:
    """Fail when servers of the newest pass have no sample because their node, or the panel, did not answer."""
    with landing.connect() as connection:
        rows = connection.execute(
            """
            select node_name, outcome, count(*), min(reason)
            from raw_pterodactyl.utilization_samples
            where pass_at = (select max(pass_at) from raw_pterodactyl.utilization_samples)
                and outcome = any(%s)
            group by node_name, outcome order by node_name, outcome
            """,
            (list(UNANSWERED),),
        ).fetchall()
    return dg.AssetCheckResult(
        passed=not rows,
        metadata={
            "unsampled": dg.JsonMetadataValue(
                [
                    {"node": node, "outcome": outcome, "servers": count, "for_example": reason}
                    for node, outcome, count, reason in rows
                ]
            )
        },
    )


@dg.asset_check(
    asset=["pterodactyl", "utilization_samples"],
    description="A sample that was not measured is NULL, never 0, and each one that was not says why.",
)
def unknown_is_not_zero(landing: dg.ResourceParam[Landing]) -> dg.AssetCheckResult:
    """Fail when a sample without a measurement has figures, or lacks a reason."""
    with landing.connect() as connection:
        row = connection.execute(
            """
            select
                count(*) filter (where outcome <> 'ok' and num_nonnulls(cpu_percent, memory_bytes,
                    network_rx_bytes, network_tx_bytes, uptime_milliseconds) > 0),
                count(*) filter (where outcome not in ('ok', 'offline') and reason is null),
                count(*) filter (where is_suspect)
            from raw_pterodactyl.utilization_samples
            where pass_at > (select max(pass_at) from raw_pterodactyl.utilization_samples) - interval '1 day'
            """
        ).fetchone()
    with_figures, without_reason, suspects = row or (0, 0, 0)
    return dg.AssetCheckResult(
        passed=with_figures == 0 and without_reason == 0,
        metadata={
            "figures_without_a_measurement": with_figures,
            "outcomes_without_a_reason": without_reason,
            "running_with_memory_0": suspects,
        },
    )


CHECKS = [every_node_answers, unknown_is_not_zero]
