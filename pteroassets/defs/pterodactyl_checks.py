"""Checks that show which nodes need attention after the newest samples."""

import dagster as dg

from pteroassets.defs.queries import rows_of, told_of_nodes, verdict
from pteroassets.landing.context import Landing
from pteroassets.sources.outcomes import UNANSWERED


@dg.asset_check(asset=["pterodactyl", "utilization_samples"], description="Every node answered in the newest pass.")
def every_node_answers(landing: dg.ResourceParam[Landing]) -> dg.AssetCheckResult:
    """Fail when servers of the newest pass have no sample because their node, or the panel, did not answer."""
    rows = rows_of(landing, "every_node_answers", unanswered=list(UNANSWERED))
    return verdict(rows, "unsampled", **told_of_nodes(rows))


@dg.asset_check(
    asset=["pterodactyl", "utilization_samples"],
    description="A sample that was not measured is NULL, never 0, and each one that was not says why.",
)
def unknown_is_not_zero(landing: dg.ResourceParam[Landing]) -> dg.AssetCheckResult:
    """Fail when a sample without a measurement has figures, or lacks a reason."""
    (counts,) = rows_of(landing, "unknown_is_not_zero")
    passed = counts["figures_without_a_measurement"] == 0 and counts["outcomes_without_a_reason"] == 0
    return dg.AssetCheckResult(passed=passed, metadata=counts)


CHECKS = [every_node_answers, unknown_is_not_zero]
