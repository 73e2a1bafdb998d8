# ruff: noqa: PLR2004 - the shares and counts of a made-up world mean nothing beyond themselves
"""The estate of a world: what exists in the panel, made from a seed, and how it changes."""

from __future__ import annotations

import itertools
from dataclasses import replace

from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.simulator.world.catalog import EGG_BY_NAME
from pteroassets.simulator.world.chance import DAY, HOUR, MINUTE, dice, mix, uuid4_of
from pteroassets.simulator.world.entities import (
    Allocation,
    Change,
    Location,
    Node,
    Server,
    ServerDatabase,
    ServerState,
    Subuser,
    User,
    changed,
)
from pteroassets.simulator.world.plans import (
    BROKEN_FOR,
    LATER_STEP,
    LOCATIONS,
    MAINTENANCE_NODE,
    MOVABLE,
    NEW_ROLES,
    PEOPLE,
    PLANS,
    Plan,
    WorldSize,
    names_for,
)
from pteroassets.simulator.world.software import HABITS

_JARS = frozenset({"Spigot", "Geyser"})  # what is put in the place of Paper's jar, or beside it


class Estate:
    """All entities of one world; servers made after the anchor appear as time is asked for."""

    def __init__(self, seed: int, *, anchor: int, start: int, size: WorldSize | Plan) -> None:
        self.seed = seed
        self.anchor = anchor
        self.start = start
        self.size = size
        self._plan = size if isinstance(size, Plan) else PLANS[size]
        self.locations = self._make_locations()
        self.nodes = self._make_nodes()
        self.node_by_id = {node.id: node for node in self.nodes}
        self._node_by_name = {node.name: node for node in self.nodes}
        self.allocations = self._make_allocations()
        self.allocation_by_id = {allocation.id: allocation for allocation in self.allocations}
        self._free = {
            node.name: [allocation.id for allocation in self.allocations if allocation.node_id == node.id]
            for node in self.nodes
        }
        self.users = self._make_users()
        self.user_by_id = {user.id: user for user in self.users}
        self._reserve: dict[int, dict[str, tuple[int, ...]]] = {}
        self.base_count = self._plan.old_servers + self._plan.new_servers
        self.networks = self._plan.networks
        self.network_of = {
            index: network
            for network in self.networks
            for index in (network.proxy, *(index for _, index in network.members))
        }
        self._servers: list[Server] = []
        self._living: tuple[tuple[int, ...], list[tuple[Server, ServerState]]] | None = None
        for index, created_at in enumerate(self._creation_times()):
            self._servers.append(self._make_server(index, created_at))
        self._tighten()
        self.subusers = self._make_subusers()
        self.subusers_of: dict[int, list[Subuser]] = {}
        for subuser in self.subusers:
            self.subusers_of.setdefault(subuser.server_id, []).append(subuser)
        self.databases = self._make_databases()

    # ------------------------------------------------------------------ reading

    def servers(self, at: int) -> list[Server]:
        """Return every server made at or before *at*, deleted ones too, oldest first."""
        self.count(at)
        return [server for server in self._servers if server.created_at <= at]

    def count(self, at: int) -> int:
        """Return how many servers are known, after making those that are made at or before *at*."""
        while (created_at := self._later_time(len(self._servers))) <= at:
            self._servers.append(self._make_server(len(self._servers), created_at))
        return len(self._servers)

    def living(self, at: int) -> list[tuple[Server, ServerState]]:
        """Return every server that exists at *at* with its state; the list is not the caller's to change.

        The newest answer is kept: a list of ten thousand servers is asked for page by page, and by a hundred nodes.
        """
        asked = (at, self.count(at), Server.alterations)
        if self._living is None or self._living[0] != asked:
            pairs = ((server, server.state(at)) for server in self.servers(at))
            self._living = asked, [(server, state) for server, state in pairs if state is not None]
        return self._living[1]

    def server(self, index: int) -> Server:
        """Return the server numbered *index* from zero."""
        return self._servers[index]

    def assigned(self, at: int) -> dict[int, int]:
        """Return the server id of each assigned allocation's id at *at*."""
        return {number: server.id for server, state in self.living(at) for number in state.allocation_ids}

    # ------------------------------------------------------------------ making

    def _long_ago(self, *names: object) -> int:
        return self.start - int((30 + 600 * dice(self.seed, "long ago", *names).random()) * DAY)

    def _make_locations(self) -> list[Location]:
        needed = {self._plan.machines[name].location for name in self._plan.nodes}
        return [
            Location(id=number, short=short, long=long, created_at=self.start - 700 * DAY + number * 61)
            for number, (short, long) in enumerate(LOCATIONS, start=1)
            if number in needed
        ]

    def _make_nodes(self) -> list[Node]:
        nodes = []
        for number, name in enumerate(self._plan.nodes, start=1):
            machine = self._plan.machines[name]
            throw = dice(self.seed, "node", name)
            maintenance: tuple[tuple[int, int | None], ...] = ()
            if name == MAINTENANCE_NODE:
                maintenance = ((self.anchor - 2 * DAY, None),)
            elif name == "nyc-01":
                maintenance = ((self.anchor - 50 * HOUR, self.anchor - 48 * HOUR),)
            token = CANARIES["node_token"] + "".join(throw.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=64))
            nodes.append(
                Node(
                    id=number,
                    uuid=uuid4_of(self.seed, "node", name),
                    name=name,
                    location_id=machine.location,
                    zone=machine.zone,
                    memory=machine.memory,
                    disk=machine.disk,
                    description="Under repair since its fan broke." if name == MAINTENANCE_NODE else None,
                    created_at=self.start - 690 * DAY + number * 977,
                    token_id=token[-16:],
                    token=token[:64],
                    maintenance=maintenance,
                )
            )
        return nodes

    def _tighten(self) -> None:
        """Give one node less memory than its servers may use together at the anchor."""
        if self._plan.tight_node is None:
            return
        node = self._node_by_name[self._plan.tight_node]
        promised = sum(state.memory for _, state in self.living(self.anchor) if state.node_id == node.id)
        tight = replace(node, memory=int(promised * 0.8) // 1024 * 1024)
        self.nodes[self.nodes.index(node)] = self.node_by_id[node.id] = self._node_by_name[node.name] = tight

    def fails_to_list_eggs(self, nest_id: int, at: int) -> bool:
        """Return whether the panel fails at the eggs of a nest: somebody copied one and emptied its configuration."""
        return nest_id == self._plan.broken_nest and at >= self.anchor - BROKEN_FOR

    def _make_allocations(self) -> list[Allocation]:
        rows: list[Allocation] = []
        for node in self.nodes:
            for number in range(self._plan.allocations[node.name]):
                has_alias = number % 3 == 0
                rows.append(
                    Allocation(
                        id=len(rows) + 1,
                        node_id=node.id,
                        ip=f"203.0.113.{10 + node.id}",
                        alias=f"{node.name}.play.example.com" if has_alias else None,
                        port=25565 + number,
                        notes="kept for tests" if number % 17 == 5 else None,
                        created_at=node.created_at + 60,
                    )
                )
        return rows

    def _make_users(self) -> list[User]:
        users = []
        count = self._plan.users
        times = sorted(self._long_ago("user", number) for number in range(count - 2))
        times += [self.start + int((self.anchor - self.start) * part) for part in (0.35, 0.75)]
        for number, created_at in enumerate(times, start=1):
            throw = dice(self.seed, "user", number)
            first, last = throw.choice(PEOPLE["first"]), throw.choice(PEOPLE["last"])
            name = {1: "etl", 2: "plain"}.get(
                number, f"{throw.choice(('pixel', 'block', 'craft', 'ender'))}_{number:02}"
            )
            users.append(
                User(
                    id=number,
                    uuid=uuid4_of(self.seed, "user", number),
                    external_id=f"billing-{1000 + number}" if number % 4 == 3 else None,
                    username=name,
                    email=f"{name}.{CANARIES['email']}@example.com",
                    first_name=first,
                    last_name=last,
                    is_admin=number == 1,
                    has_2fa=number > 2 and throw.random() < 0.3,
                    created_at=created_at,
                    updated_at=created_at + throw.randrange(0, 20 * DAY)
                    if created_at < self.start - 30 * DAY
                    else created_at,
                    # the last of the old accounts owns nothing and is closed in the course of the history
                    deleted_at=self.start + (self.anchor - self.start) // 2 if number == count - 2 else None,
                )
            )
        return users

    def _creation_times(self) -> list[int]:
        span = self.anchor - self.start
        old = sorted(self._long_ago("server", number) for number in range(self._plan.old_servers))
        new = []
        for number in range(self._plan.new_servers):
            part = (number + 1) / (self._plan.new_servers + 1)
            new.append(self.start + int(span * part) + mix(self.seed, number) % HOUR)
        if new and "installed late" in self._new_roles().values():
            new[-1] = self.anchor - 3 * MINUTE
        return old + new

    def _new_roles(self) -> dict[int, str]:
        first = self._plan.old_servers
        count = self._plan.new_servers
        roles = dict(zip(range(first, first + count), itertools.cycle(["installed"]), strict=False))
        for offset, role in enumerate(NEW_ROLES[: min(3, count)]):
            roles[first + offset] = role
        if count > 3:
            roles[first + count - 1] = "installed late"
        return roles

    def _later_time(self, index: int) -> int:
        number = index - self.base_count
        return self.anchor + (number + 1) * LATER_STEP + mix(self.seed, 77, number) % DAY

    def _owner(self, index: int) -> int:
        # user 1 (the collector's account) owns one server, user 2 (no admin) three
        if index in {0, 1, 2, 3}:
            return 1 if index == 0 else 2
        if not self._plan.has_leaving_owner:
            return 3 + mix(self.seed, 5, index) % (self._plan.users - 5)
        leaves = self._plan.users - 3
        if self._plan.roles.get(index) == "deleted":
            return leaves
        owner = 3 + mix(self.seed, 5, index) % (self._plan.users - 5)
        return owner if owner != leaves else 3 + mix(self.seed, 6, index) % (self._plan.users - 6)

    def _node_name(self, index: int, kind: str) -> str:
        names = [name for name in self._plan.nodes if name != MAINTENANCE_NODE]
        if (
            MAINTENANCE_NODE in self._plan.nodes
            and index >= 60
            and not EGG_BY_NAME.get(kind, EGG_BY_NAME["Paper"]).is_minecraft_server
        ):
            return MAINTENANCE_NODE
        return names[index % len(names)]

    def _take(self, index: int, node: str, count: int, created_at: int) -> tuple[int, ...]:
        if index < self.base_count:
            taken, self._free[node] = self._free[node][:count], self._free[node][count:]
            return tuple(taken)
        owner = self._node_by_name[node]
        made = []
        for _ in range(count):
            port = 25565 + sum(1 for row in self.allocations if row.node_id == owner.id)
            row = Allocation(
                id=len(self.allocations) + 1,
                node_id=owner.id,
                ip=f"203.0.113.{10 + owner.id}",
                alias=None,
                port=port,
                notes=None,
                created_at=created_at,
            )
            self.allocations.append(row)
            self.allocation_by_id[row.id] = row
            made.append(row.id)
        return tuple(made)

    def _make_server(self, index: int, created_at: int) -> Server:
        kinds = self._plan.kinds
        kind = kinds[index] if index < len(kinds) else kinds[index % len(kinds)]
        throw = dice(self.seed, "server", index)
        egg = EGG_BY_NAME["Paper" if kind in _JARS else kind]
        node = self._node_name(index, kind)
        count = 2 if throw.random() < 0.25 else 1
        reserve = {node: self._take(index, node, count, created_at)}
        if node in MOVABLE and MOVABLE[node] in self._node_by_name:
            reserve[MOVABLE[node]] = self._take(index, MOVABLE[node], 1, created_at)
        self._reserve[index] = reserve
        role = {**self._plan.roles, **self._new_roles()}.get(index, "" if index < self.base_count else "installed")
        is_small = self.size is WorldSize.TINY or throw.random() < 0.5
        memory = throw.choice((2048, 3072, 4096) if is_small else (6144, 8192, 12288))
        first = ServerState(
            since=created_at,
            name=f"{self._title(index, kind)} {index + 1:03}",
            memory=0 if role == "unlimited" else memory,
            disk=0 if role == "unlimited" else memory * 5,
            cpu=0 if role == "unlimited" else throw.choice((100, 150, 200, 400)),
            egg_id=egg.id,
            owner_id=self._owner(index),
            node_id=self._node_by_name[node].id,
            allocation_ids=reserve[node],
            status="installing" if created_at >= self.start else None,
        )
        return Server(
            index=index,
            uuid=uuid4_of(self.seed, "server", index),
            external_id=f"order-{50000 + index}" if index % 3 == 0 else None,
            description="" if index % 2 else "Hosted for the school club – 日本語",  # noqa: RUF001 - text as people write it
            swap=512 if index % 5 == 0 else 0,
            zone=self._plan.machines[node].zone,
            is_spigot=kind == "Spigot",
            has_geyser=kind == "Geyser",
            role=role,
            is_offline_mode=index in {15, 30, 54} and egg.is_minecraft_server and index not in self.network_of,
            first=first,
            changes=self._role_changes(role, index, first),
            horizon=max(self.anchor, created_at) + DAY,
            more=self._week,
        )

    def _title(self, index: int, kind: str) -> str:
        """Return what the server is called, which tells what it is for."""
        network = self.network_of.get(index)
        for name, member in network.members if network is not None else ():
            if member == index:
                return name.capitalize()
        return dice(self.seed, "title", index).choice(names_for(kind))

    def _role_changes(self, role: str, index: int, first: ServerState) -> list[tuple[int, Change]]:
        span = self.anchor - self.start
        throw = dice(self.seed, "role", index)

        def part(share: float) -> int:
            return self.start + int(span * share) + throw.randrange(5 * MINUTE, 40 * MINUTE)

        made = first.since
        match role:
            case "resized":
                return [
                    (part(0.3), changed(memory=first.memory + 2048, disk=first.disk + 10240)),
                    (part(0.7), changed(memory=first.memory + 4096, disk=first.disk + 10240, cpu=first.cpu + 100)),
                ]
            case "suspended for days":
                begin = part(0.4)
                return [(begin, changed(status="suspended")), (begin + max(span // 5, HOUR), changed(status=None))]
            case "suspended for good":
                return [(part(0.8), changed(status="suspended"))]
            case "egg changed":
                begin = part(0.5)
                paper = EGG_BY_NAME["Paper"].id
                return [
                    (begin, changed(egg_id=paper, status="installing")),
                    (begin + 3 * MINUTE, changed(status=None)),
                ]
            case "moved":
                return self._move(index, first.node_id, part(0.45 if index % 2 else 0.62))
            case "deleted":
                return [(part(0.6), changed(is_deleted=True))]
            case "restored":
                begin = part(0.65)
                return [(begin, changed(status="restoring_backup")), (begin + 12 * MINUTE, changed(status=None))]
            case "owner changed":
                return [(part(0.55), changed(owner_id=self._owner(index + 1000)))]
            case "installed":
                return [(made + 4 * MINUTE, changed(status=None))]
            case "installed late":
                return [(made + 20 * MINUTE, changed(status=None))]
            case "deleted soon":
                end = made + min(3 * DAY, max((self.anchor - made) // 2, HOUR))
                return [(made + 4 * MINUTE, changed(status=None)), (end, changed(is_deleted=True))]
            case "install failed":
                return [(made + 9 * MINUTE, changed(status="install_failed"))]
            case _:
                return []

    def _move(self, index: int, node_id: int, begin: int) -> list[tuple[int, Change]]:
        here = self.node_by_id[node_id].name
        there = MOVABLE.get(here)
        if there is None or there not in self._reserve[index]:
            return []
        return [
            (begin, changed(is_transferring=True)),
            (
                begin + 7 * MINUTE,
                changed(
                    is_transferring=False,
                    node_id=self._node_by_name[there].id,
                    allocation_ids=self._reserve[index][there],
                ),
            ),
        ]

    def _week(self, server: Server, state: ServerState, week: int, begin: int) -> list[tuple[int, Change]]:
        """Return what happens to *server* in a week after the history: mostly nothing."""
        if server.index == 0 or state.is_gated:
            return []
        is_undated = HABITS[state.egg.software].rotation == "sized"
        throw = dice(self.seed, "week", server.index, week)
        at = begin + throw.randrange(HOUR, 4 * DAY)
        kind = throw.random()
        if kind < 0.18 and state.memory:
            return [(at, changed(memory=state.memory + throw.choice((-1024, 1024, 2048))))]
        if is_undated:
            return []  # nobody could date a log without dates that pauses for days
        if kind < 0.23:
            return [(at, changed(status="suspended")), (at + throw.randrange(6 * HOUR, 2 * DAY), changed(status=None))]
        if kind < 0.27:
            return [(at, changed(owner_id=self._owner(server.index + 5000 + week)))]
        if kind < 0.32:
            return self._move(server.index, state.node_id, at)
        if kind < 0.33:
            return [(at, changed(is_deleted=True))]
        return []

    def _make_subusers(self) -> list[Subuser]:
        rows: list[Subuser] = []
        span = self.anchor - self.start
        for server in self._servers:
            throw = dice(self.seed, "subusers", server.index)
            count = throw.choice((0, 0, 1, 1, 2, 3))
            people = throw.sample(range(2, self._plan.users - 3), k=min(count, self._plan.users - 5))
            if server.index in {4, 5, 6} and 2 not in people:
                people.append(2)
            if server.index == 0 and 3 not in people:
                people.append(3)
            for number in people:
                if number in {state.owner_id for state in server.states(self.anchor)}:
                    continue
                created_at = server.created_at + throw.randrange(HOUR, 20 * DAY)
                is_removed = created_at < self.start and throw.random() < 0.1 and number != 2
                wanted = throw.sample(PEOPLE["permissions"][1:], k=throw.randrange(0, 7))
                if number == 2 and server.index == 5:
                    wanted = ["control.start"]  # may not read files
                rows.append(
                    Subuser(
                        id=len(rows) + 1,
                        user_id=number,
                        server_id=server.id,
                        permissions=("websocket.connect", *wanted),
                        created_at=created_at,
                        deleted_at=self.start + int(span * throw.random()) if is_removed else None,
                    )
                )
        return rows

    def _make_databases(self) -> list[ServerDatabase]:
        rows: list[ServerDatabase] = []
        span = self.anchor - self.start
        for server in self._servers:
            throw = dice(self.seed, "databases", server.index)
            for number in range(throw.choice((0, 0, 1, 2)) if server.index else 2):
                created_at = server.created_at + throw.randrange(HOUR, 10 * DAY)
                is_dropped = created_at < self.start and throw.random() < 0.15
                rows.append(
                    ServerDatabase(
                        id=len(rows) + 1,
                        server_id=server.id,
                        name=f"s{server.id}_{('luckperms', 'stats')[number]}",
                        username=f"u{server.id}_{throw.getrandbits(40):010x}",
                        password=f"{CANARIES['database_password']}-{throw.getrandbits(40):010x}",
                        created_at=created_at,
                        deleted_at=self.start + int(span * throw.random()) if is_dropped else None,
                    )
                )
        return rows


__all__ = ["Estate", "WorldSize"]
