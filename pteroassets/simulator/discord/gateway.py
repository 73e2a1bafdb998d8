"""The gateway: sessions that are identified or resumed, heartbeats, and events in order."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import zlib
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from pteroassets.simulator.discord.guilds import Guild, User

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE, RESUME = 0, 1, 2, 3, 4, 6
RECONNECT, MEMBERS, INVALID_SESSION, HELLO, ACK = 7, 8, 9, 10, 11
PRIVILEGED: Final = 1 << 1 | 1 << 8 | 1 << 15
"""Intents that need Discord's leave: members, presences, contents of messages."""
EVENTS_A_MINUTE: Final = 120
IDENTIFIES_A_DAY: Final = 1000
_REPLAYED: Final = 1000
_SESSIONS_KEPT: Final = 10
_ZLIB: Final = "zlib-stream"

CLOSE_UNKNOWN_OPCODE, CLOSE_DECODE, CLOSE_NOT_IDENTIFIED, CLOSE_TOKEN, CLOSE_TWICE = 4001, 4002, 4003, 4004, 4005
CLOSE_SEQUENCE, CLOSE_TOO_FAST, CLOSE_TIMED_OUT, CLOSE_VERSION, CLOSE_INTENTS = 4007, 4008, 4009, 4012, 4014


class Behind(Protocol):
    """What the gateway needs of the fake."""

    token: str
    bot: User
    base_url: str
    guilds: dict[int, Guild]
    seconds: Callable[[], float]

    def touch(self) -> None:
        """Wake those who wait for a change."""
        ...


class Session:
    """What a bot sees between IDENTIFY and the end; it outlives its connections."""

    def __init__(self, intents: int) -> None:
        self.id = secrets.token_hex(16)
        self.intents = intents
        self.sequence = 0
        self.events: deque[dict[str, Any]] = deque(maxlen=_REPLAYED)
        self.connection: Connection | None = None

    def dispatch(self, name: str, data: dict[str, Any]) -> None:
        """Send an event, now or when the bot resumes."""
        self.sequence += 1
        event = {"op": DISPATCH, "t": name, "s": self.sequence, "d": data}
        self.events.append(event)
        if self.connection is not None:
            self.connection.send(event)


class Connection:
    """One WebSocket; messages leave in the order in which they were given."""

    def __init__(self, gateway: Gateway, websocket: WebSocket, *, is_compressed: bool) -> None:
        self._gateway = gateway
        self._websocket = websocket
        self._outbox: asyncio.Queue[dict[str, Any] | int] = asyncio.Queue()
        self._deflate = zlib.compressobj() if is_compressed else None
        self.session: Session | None = None
        self._heard: deque[float] = deque(maxlen=EVENTS_A_MINUTE)

    def send(self, payload: dict[str, Any]) -> None:
        """Send *payload* after what was sent before."""
        self._outbox.put_nowait(payload)

    def close(self, code: int) -> None:
        """Close with *code* after what was sent before; the session takes no more events from now on."""
        if self.session is not None and self.session.connection is self:
            self.session.connection = None
        self._outbox.put_nowait(code)

    async def run(self) -> None:
        """Serve until one end closes."""
        writer = asyncio.create_task(self._write())
        try:
            await self._read()
        except (WebSocketDisconnect, RuntimeError):
            pass  # the other end is gone; whether it resumes is up to it
        finally:
            if self.session is not None and self.session.connection is self:
                self.session.connection = None
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):  # as asked for
                await writer

    async def _write(self) -> None:
        while True:
            item = await self._outbox.get()
            try:
                if isinstance(item, int):
                    await self._websocket.close(item)
                    return
                text = json.dumps(item, separators=(",", ":"))
                if self._deflate is None:
                    await self._websocket.send_text(text)
                else:
                    packed = self._deflate.compress(text.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
                    await self._websocket.send_bytes(packed)
            except (WebSocketDisconnect, RuntimeError):
                return  # the other end is gone

    async def _read(self) -> None:
        interval = self._gateway.heartbeat
        self.send({"op": HELLO, "t": None, "s": None, "d": {"heartbeat_interval": int(interval * 1000), "_trace": []}})
        while self._websocket.client_state is WebSocketState.CONNECTED:
            try:
                # every heartbeat is a message, so silence means that one is missing
                message = await asyncio.wait_for(self._websocket.receive(), interval * 2)
            except TimeoutError:
                self.close(CLOSE_TIMED_OUT)
                return
            if message["type"] == "websocket.disconnect":
                return
            now = self._gateway.seconds()
            if len(self._heard) == EVENTS_A_MINUTE and now - self._heard[0] < 60.0:  # noqa: PLR2004 - a minute
                self.close(CLOSE_TOO_FAST)
                continue
            self._heard.append(now)
            try:
                payload = json.loads(message.get("text") or message.get("bytes") or "")
                operation, data = payload["op"], payload.get("d")
            except (ValueError, KeyError, TypeError):
                self.close(CLOSE_DECODE)
                continue
            self._gateway.hear(self, operation, data)


class Gateway:
    """All sessions and connections of the bot."""

    def __init__(self, discord: Behind, heartbeat: float) -> None:
        self._discord = discord
        self.heartbeat = heartbeat
        self.seconds = discord.seconds
        self.sessions: dict[str, Session] = {}
        self.connections: set[Connection] = set()
        self.identifies = 0
        self.resumes = 0
        self.heartbeats = 0
        self.presence: dict[str, Any] | None = None
        self.acknowledges = True
        self.refuses_until = 0.0

    @property
    def is_connected(self) -> bool:
        """Whether a session has a connection."""
        return any(one.connection is not None for one in self.sessions.values())

    async def serve(self, websocket: WebSocket) -> None:
        """Answer one connection."""
        if self.seconds() < self.refuses_until:
            await websocket.close(1013)
            return
        await websocket.accept()
        query = websocket.query_params
        if query.get("v") != "10" or query.get("encoding", "json") != "json":
            await websocket.close(CLOSE_VERSION)
            return
        connection = Connection(self, websocket, is_compressed=query.get("compress") == _ZLIB)
        self.connections.add(connection)
        try:
            await connection.run()
        finally:
            self.connections.discard(connection)

    def dispatch(self, name: str, data: dict[str, Any], *, intent: int = 0) -> None:
        """Send an event to every session that asked for *intent*."""
        for session in self.sessions.values():
            if not intent or session.intents & intent:
                session.dispatch(name, data)

    def hear(self, connection: Connection, operation: Any, data: Any) -> None:
        """Obey one message of a bot."""
        match operation:
            case 1:
                self.heartbeats += 1
                if self.acknowledges:
                    connection.send({"op": ACK, "t": None, "s": None, "d": None})
            case 2:
                self._identify(connection, data)
            case 6:
                self._resume(connection, data)
            case 3 | 4 | 8 if connection.session is None:
                connection.close(CLOSE_NOT_IDENTIFIED)
            case 3:
                self.presence = data
            case 4:
                pass  # nobody talks here
            case 8:
                self._members(connection, data)
            case _:
                connection.close(CLOSE_UNKNOWN_OPCODE)

    def _identify(self, connection: Connection, data: dict[str, Any]) -> None:
        if connection.session is not None:
            connection.close(CLOSE_TWICE)
            return
        if data.get("token") != self._discord.token:
            connection.close(CLOSE_TOKEN)
            return
        intents = int(data.get("intents", 0))
        if intents & PRIVILEGED:
            connection.close(CLOSE_INTENTS)
            return
        self.identifies += 1
        session = Session(intents)
        while len(self.sessions) >= _SESSIONS_KEPT:
            del self.sessions[next(iter(self.sessions))]
        self.sessions[session.id] = session
        session.connection, connection.session = connection, session
        discord = self._discord
        guilds = [guild for guild in discord.guilds.values() if guild.has_bot]
        address = discord.base_url.replace("http://", "ws://")
        session.dispatch(
            "READY",
            {
                "v": 10,
                "user": {**discord.bot.to_json(), "mfa_enabled": True, "verified": True, "email": None},
                "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
                "session_id": session.id,
                "session_type": "normal",
                "resume_gateway_url": f"{address}/gateway",
                "shard": data.get("shard", [0, 1]),
                "application": {"id": str(discord.bot.id), "flags": 0},
                "private_channels": [],
                "relationships": [],
                "user_settings": {},
                "_trace": [],
            },
        )
        if intents & 1:
            for guild in guilds:
                session.dispatch("GUILD_CREATE", guild.created_event(discord.bot.id))
        discord.touch()

    def _resume(self, connection: Connection, data: dict[str, Any]) -> None:
        if data.get("token") != self._discord.token:
            connection.close(CLOSE_TOKEN)
            return
        session = self.sessions.get(str(data.get("session_id")))
        if session is None:
            connection.send({"op": INVALID_SESSION, "t": None, "s": None, "d": False})
            return
        sequence = int(data.get("seq") or 0)
        missing = [event for event in session.events if event["s"] > sequence]
        if sequence > session.sequence or session.sequence - sequence != len(missing):
            connection.close(CLOSE_SEQUENCE)
            return
        if session.connection is not None:
            session.connection.close(CLOSE_TWICE)
        self.resumes += 1
        session.connection, connection.session = connection, session
        for event in missing:
            connection.send(event)
        session.dispatch("RESUMED", {"_trace": []})
        self._discord.touch()

    def _members(self, connection: Connection, data: dict[str, Any]) -> None:
        guild = self._discord.guilds.get(int(data.get("guild_id", 0)))
        asked = {str(one) for one in _listed(data.get("user_ids"))}
        begins = data.get("query")
        if guild is None or connection.session is None:
            return
        if begins == "" and not asked:
            connection.close(CLOSE_INTENTS)  # all members need the intent of members
            return
        found = [
            member.to_json()
            for member in guild.members.values()
            if str(member.user.id) in asked or (begins and member.user.name.startswith(begins))
        ]
        chunk = {"guild_id": str(guild.id), "members": found, "chunk_index": 0, "chunk_count": 1, "not_found": []}
        if data.get("nonce"):
            chunk["nonce"] = data["nonce"]
        connection.session.dispatch("GUILD_MEMBERS_CHUNK", chunk)

    # ------------------------------------------------------------------ faults

    def drop(self, code: int) -> None:
        """Close every connection."""
        for connection in list(self.connections):
            connection.close(code)

    def ask_to_reconnect(self) -> None:
        """Send every connection the request to come again."""
        for connection in list(self.connections):
            connection.send({"op": RECONNECT, "t": None, "s": None, "d": None})

    def invalidate(self, *, may_resume: bool) -> None:
        """Tell every connection that its session is not valid."""
        for connection in list(self.connections):
            connection.send({"op": INVALID_SESSION, "t": None, "s": None, "d": may_resume})
        if not may_resume:
            self.sessions.clear()


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
