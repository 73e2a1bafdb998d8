"""Sample servers at their nodes, where an operator allows it: one request a node (see `nodes`).

Path of the data::

    node: GET /api/servers --list[Raw]--> Raw a server --_Reported--> figures --read_stats--> sample

A node answers from memory, so no figure is older than a second or two. Its answer holds every server's start command
and environment, with passwords in it: the decoder builds only the fields that are named here.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from pteroassets.sources.pterodactyl.client import PanelClient, ServerFlags
from pteroassets.sources.pterodactyl.errors import NodeTimeoutError, PanelError, UnreadableAnswerError
from pteroassets.sources.pterodactyl.nodes import NodeAccessError, Nodes
from pteroassets.sources.pterodactyl.utilization import (
    NODES_AT_ONCE,
    PanelReader,
    PassStamp,
    UtilizationSample,
    read_stats,
)
from pteroassets.sources.wording import counted

# ten thousand servers on one node would need 25 MB
_LARGEST_REPORT_BYTES = 64 * 1024 * 1024
# a node has its answer in memory: one that takes longer hangs, and a pass with such a node still ends within 20 s
_REPORT_SECONDS = 10.0
# for all of an answer: one that drips byte by byte hangs as well
_WHOLE_REPORT_SECONDS = 15.0
_LARGEST_SKEW_SECONDS = 60.0


class _Network(msgspec.Struct, frozen=True):
    rx_bytes: float | int | None = None
    tx_bytes: float | int | None = None


class _Use(msgspec.Struct, frozen=True):
    memory_bytes: float | int | None = None
    cpu_absolute: float | int | None = None
    disk_bytes: float | int | None = None
    uptime: float | int | None = None
    network: _Network = _Network()


class _Configuration(msgspec.Struct, frozen=True):
    uuid: uuid.UUID


class _Reported(msgspec.Struct, frozen=True):
    """All that is read of a server; Wings and Pelican's Wings name it alike."""

    configuration: _Configuration
    state: str | None = None
    utilization: _Use = _Use()

    def attributes(self) -> dict[str, Any]:
        """Return the figures as the panel would give them."""
        use = self.utilization
        return {
            "current_state": self.state,
            "resources": {
                "memory_bytes": use.memory_bytes,
                "cpu_absolute": use.cpu_absolute,
                "disk_bytes": use.disk_bytes,
                "network_rx_bytes": use.network.rx_bytes,
                "network_tx_bytes": use.network.tx_bytes,
                "uptime": use.uptime,
            },
        }


_REPORT = msgspec.json.Decoder(list[msgspec.Raw])
_SERVER = msgspec.json.Decoder(_Reported)


@dataclass(slots=True, kw_only=True)
class _Found:
    """What came of asking a node: samples, and the servers that are left to be asked for at the panel."""

    samples: list[UtilizationSample] = field(default_factory=list)
    left: Sequence[ServerFlags] = ()


class NodeReader:
    """Asks each node once for all of its servers, several nodes at a time.

    What a node does not tell is asked for at the panel, which may reach the node where this machine does not, knows
    why a server is not there, and needs no token of it; the pass notes for which node and why. Only a node that hangs
    is not tried that way, since it would hang there as well. Kept for several passes it keeps the nodes' tokens, and
    knows which of them rest (see `Nodes`).

    Args:
        panel: Whose nodes.
        max_workers: Requests in flight at once for servers that are asked for at the panel.
    """

    def __init__(self, panel: PanelClient, *, max_workers: int = 8) -> None:
        self._panel = panel
        self._nodes = Nodes(panel)
        self._at_panel = PanelReader(panel, max_workers=max_workers)

    def read(self, servers: Sequence[ServerFlags], stamp: PassStamp) -> list[UtilizationSample]:
        """Return one sample for each of *servers*.

        Raises:
            KeyRejectedError: Servers had to be asked for at the panel, which no longer accepts the key.
        """
        by_node: dict[str, list[ServerFlags]] = defaultdict(list)
        for server in servers:
            by_node[server.node_name].append(server)
        if not by_node:
            return []
        with ThreadPoolExecutor(max_workers=min(len(by_node), NODES_AT_ONCE)) as pool:
            found = list(pool.map(lambda node: self._read_node(node, by_node[node], stamp), by_node))
        left = [server for each in found for server in each.left]
        return [*(sample for each in found for sample in each.samples), *self._at_panel.read(left, stamp)]

    def _read_node(self, node: str, servers: Sequence[ServerFlags], stamp: PassStamp) -> _Found:
        try:
            reported = self._report(node, stamp)
        except NodeTimeoutError as error:
            reason = f"node {node}: {error}"
            return _Found(samples=[stamp.sample(server, "node_unreachable", reason=reason) for server in servers])
        except (NodeAccessError, PanelError) as error:
            stamp.note(
                node,
                f"{counted(len(servers), 'server')} asked for at the panel, since the node could not be asked "
                f"directly: {error}",
            )
            return _Found(left=servers)
        left = [server for server in servers if server.uuid not in reported]
        if left:
            stamp.note(
                node, f"{counted(len(left), 'server')} asked for at the panel, since the node does not report them"
            )
        return _Found(
            samples=[
                read_stats(server, reported[server.uuid].attributes(), stamp)
                for server in servers
                if server.uuid in reported
            ],
            left=left,
        )

    def _report(self, node: str, stamp: PassStamp) -> dict[str, _Reported]:
        """Return what a node reports, by uuid; a server that cannot be read is not in it."""
        connect_seconds, read_seconds = self._panel.timeout
        answer = self._nodes.ask(
            node,
            "servers",
            "its servers",
            largest_bytes=_LARGEST_REPORT_BYTES,
            timeout=(connect_seconds, min(read_seconds, _REPORT_SECONDS)),
            deadline_seconds=_WHOLE_REPORT_SECONDS,
        )
        if answer.date is not None:
            _compare_clocks(node, answer.date, stamp)
        try:
            rows = _REPORT.decode(answer.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise UnreadableAnswerError(f"node {node} gave no list of its servers") from None
        return {str(server.configuration.uuid): server for server in _servers(rows)}


def _servers(rows: Sequence[msgspec.Raw]) -> Iterator[_Reported]:
    for row in rows:
        try:
            yield _SERVER.decode(row)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue  # asked for at the panel, as if the node had not named it


def _compare_clocks(node: str, said: datetime, stamp: PassStamp) -> None:
    """Note a node whose clock is far from ours: its logs' times are as wrong."""
    seconds = (said - stamp.clock.now()).total_seconds()
    if abs(seconds) > _LARGEST_SKEW_SECONDS:
        stamp.note(
            node,
            f"the clock of the node is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} this machine's: "
            "set both by NTP",
        )
