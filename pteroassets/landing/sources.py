"""Every source, in the order in which the data flows, with its passes."""

from __future__ import annotations

from collections.abc import Mapping

from pteroassets.landing.minecraft.passes import PASSES as MINECRAFT
from pteroassets.landing.passes import Pass
from pteroassets.landing.pterodactyl.estate import ENTITIES_PASS
from pteroassets.landing.pterodactyl.passes import UTILIZATION_PASS
from pteroassets.landing.pterodactyl.upkeep import UPKEEP_PASS

# A name here is a module of `pteroassets.defs` and a source of dbt.
SOURCES: Mapping[str, tuple[Pass, ...]] = {
    "pterodactyl": (ENTITIES_PASS, UTILIZATION_PASS, UPKEEP_PASS),
    "minecraft": MINECRAFT,
}
PASSES: Mapping[str, Pass] = {one.name: one for passes in SOURCES.values() for one in passes}
