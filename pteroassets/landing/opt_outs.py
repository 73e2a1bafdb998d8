"""Players who are to be forgotten: their names and UUIDs, wherever they stand in a text, become pseudonyms.

The list holds keyed hashes, so it does not tell whom it is about. A pseudonym is as long as what it stands for: bytes
of a log file stay where they are, and a file is known again by its beginning, which is changed in the same way each
time.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pteroassets.warehouse.connection import Connection

TABLE: Final = "ops.opt_outs"
_UUID_LENGTHS: Final = (32, 36)  # without its dashes, and with them
_FIRST_DASH: Final = 8
_LETTERS: Final = string.ascii_letters + string.digits
_BEDROCK: Final = 16  # digits of zero with which the UUIDs begin that a proxy of Bedrock clients makes
# what may stand before a name without a character between that parts words: a colour, or an escape of JSON
_BEFORE: Final = rb"(\x1b\[[0-9;]*m|\xc2?\xa7\w|\\u[0-9a-f]{4}|\\[nrt]|(?<!\w))"
_ADDRESS: Final = re.compile(rb"(?:\d{1,3}\.){3}\d{1,3}|\[?(?:[0-9a-fA-F]{0,4}:){3,}[0-9a-fA-F]{0,4}")


class OptOutError(Exception):
    """The list cannot be used, or a name cannot be forgotten; the message says what to do."""


def token_hash(token: str, key: bytes) -> bytes:
    """Return the keyed hash of a name, in whatever case, or of a UUID, with or without dashes."""
    plain = token.lower().replace("-", "")
    return hmac.new(key, f"opt-out {plain}".encode(), hashlib.sha256).digest()


def new_pseudonym(token: str, taken: Collection[str] = ()) -> str:
    """Return a random pseudonym of *token*, as long as it, which is none of *taken*, in lower case.

    That of a name begins with an underscore. That of a UUID is one of the same version, by which it is told where an
    account counts.
    """
    while True:
        found = _pseudonym_of_uuid(uuid.UUID(token)) if len(token) in _UUID_LENGTHS else _pseudonym_of_name(token)
        if found.lower() not in taken:
            return found


def _pseudonym_of_name(name: str) -> str:
    return "_" + "".join(secrets.choice(_LETTERS) for _ in name[1:])


def _pseudonym_of_uuid(known: uuid.UUID) -> str:
    digits = uuid.uuid4().hex
    if known.hex.startswith("0" * _BEDROCK):
        digits = "0" * _BEDROCK + digits[_BEDROCK:]
    else:
        digits = digits[:12] + known.hex[12] + digits[13:]
    return str(uuid.UUID(digits))


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """A row of the list; *server_uuid* is None where it holds on every server."""

    token_hash: bytes
    server_uuid: uuid.UUID | None
    pseudonym: str


class OptOuts:
    """Replaces what is on the list in texts of one server.

    Args:
        rows: Those that hold there.
        key: Of the hashes.
    """

    def __init__(self, rows: Iterable[OptOut], key: bytes) -> None:
        self._key = key
        self._pseudonyms = {row.token_hash: row.pseudonym for row in rows}
        names = {found for found in self._pseudonyms.values() if len(found) not in _UUID_LENGTHS}
        self._names = frozenset(names)
        self._tokens: dict[bytes, bytes | None] = {}
        words = [*sorted({len(name) for name in names}, reverse=True), 32]
        token = rb"|".join([rb"\w{8}(?:-\w{4}){3}-\w{12}", *(b"\\w{%d}" % length for length in words)])
        self._pattern = re.compile(_BEFORE + rb"(" + token + rb")(?![\w])")

    def __bool__(self) -> bool:
        """Return whether anybody is on the list."""
        return bool(self._pseudonyms)

    @property
    def digest(self) -> str:
        """Return a digest of the list, which changes with it and tells nothing of whom it is about."""
        return hmac.new(self._key, repr(sorted(self._pseudonyms.items())).encode(), hashlib.sha256).hexdigest()

    def content(self, content: bytes) -> bytes:
        """Return the bytes of a log, as many as they were, without addresses in the lines of those on the list."""
        changed = self._replaced(content)
        if changed is content:
            return content
        pairs = zip(content.split(b"\n"), changed.split(b"\n"), strict=True)
        return b"\n".join(after if before == after else _without_addresses(after) for before, after in pairs)

    def text(self, text: str) -> str:
        """Return a text with pseudonyms."""
        return self._replaced(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def value(self, value: Any) -> Any:
        """Return a value of JSON with pseudonyms in its texts, and in texts alone: keys are words of ours."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {name: self.value(member) for name, member in value.items()}
        return [self.value(member) for member in value] if isinstance(value, list) else value

    def key(self, name: str, *taken: Collection[str]) -> str:
        """Return a key that is another's word, with pseudonyms; underscores part it from those that are *taken*."""
        found = self.text(name)
        if found != name:
            while any(found in names for names in taken):
                found += "_"
        return found

    def account(self, player_uuid: uuid.UUID | None) -> uuid.UUID | None:
        """Return a player's UUID, or its pseudonym."""
        return None if player_uuid is None else uuid.UUID(self.text(str(player_uuid)))

    def has_pseudonym(self, name: str | None) -> bool:
        """Return whether *name*, with what some servers put before a name, is the pseudonym of somebody."""
        return name is not None and (name in self._names or name.lstrip(".*") in self._names)

    def _replaced(self, content: bytes) -> bytes:
        found = self._pattern.sub(self._replacement, content) if self._pseudonyms else content
        return content if found == content else found

    def _replacement(self, match: re.Match[bytes]) -> bytes:
        token = match[2]
        if token not in self._tokens:
            pseudonym = self._pseudonyms.get(token_hash(token.decode(), self._key))
            if (
                pseudonym is not None
                and len(pseudonym) in _UUID_LENGTHS
                and token[_FIRST_DASH : _FIRST_DASH + 1] != b"-"
            ):
                pseudonym = pseudonym.replace("-", "")
            self._tokens[token] = None if pseudonym is None else pseudonym.encode()
        found = self._tokens[token]
        return match[0] if found is None else match[1] + found


def _without_addresses(line: bytes) -> bytes:
    return _ADDRESS.sub(lambda match: re.sub(rb"[0-9a-fA-F]", b"0", match[0]), line)


NOBODY: Final = OptOuts((), b"")


@dataclass(frozen=True, slots=True)
class OptOutList:
    """The list as it stands in the warehouse.

    Attributes:
        key: Of the hashes, ``PTEROASSETS_PII_KEY``; None where it is not set.
    """

    key: bytes | None

    def of_server(self, connection: Connection, server_uuid: uuid.UUID) -> OptOuts:
        """Return what holds on a server; whoever changes the list keeps readers of logs out meanwhile.

        Raises:
            OptOutError: There is a list, but no key, or another one than it was made with.
        """
        rows = connection.execute(
            f"select token_hash, server_uuid, pseudonym from {TABLE} where server_uuid is null or server_uuid = %s "
            "order by server_uuid nulls first",  # what holds there alone takes the place of what holds everywhere
            (server_uuid,),
        ).fetchall()
        return self._made(OptOut(token_hash=one, server_uuid=two, pseudonym=three) for one, two, three in rows)

    def of_all(self, connection: Connection) -> OptOuts:
        """Return what holds on any server, for texts that do not say of which one they tell.

        Raises:
            OptOutError: As above.
        """
        rows = connection.execute(f"select token_hash, server_uuid, pseudonym from {TABLE}").fetchall()
        return self._made(OptOut(token_hash=one, server_uuid=two, pseudonym=three) for one, two, three in rows)

    def needed_key(self) -> bytes:
        """Return the key.

        Raises:
            OptOutError: It is not set.
        """
        if not self.key:
            raise OptOutError(
                "players who are to be forgotten are known by keyed hashes: set PTEROASSETS_PII_KEY to the secret that "
                "the platform uses"
            )
        return self.key

    def _made(self, rows: Iterable[OptOut]) -> OptOuts:
        rows = list(rows)
        if not rows:
            return NOBODY
        key = self.needed_key()
        # a name that no player can have stands for the key itself
        checks = {row.token_hash for row in rows if row.pseudonym == ""}
        if checks != {token_hash("", key)}:
            raise OptOutError(
                "the list of players to be forgotten was made with another PTEROASSETS_PII_KEY: set that one again, or "
                f"empty {TABLE} and forget each of them anew"
            )
        return OptOuts((row for row in rows if row.pseudonym), key)


def add(
    connection: Connection,
    tokens: Mapping[str, str],
    key: bytes,
    *,
    server_uuid: uuid.UUID | None,
    at: datetime,
) -> None:
    """Put names and UUIDs on the list, each with its pseudonym; those that are there keep theirs.

    Args:
        connection: To the warehouse, in a transaction.
        tokens: Pseudonyms by name or UUID.
        key: Of the hashes.
        server_uuid: The only server; None for all.
        at: When.
    """
    with connection.cursor() as cursor:
        cursor.executemany(
            f"insert into {TABLE} (token_hash, server_uuid, pseudonym, forgotten_at) values (%s, %s, %s, %s) "
            "on conflict do nothing",
            [
                (token_hash("", key), None, "", at),
                *((token_hash(token, key), server_uuid, pseudonym, at) for token, pseudonym in tokens.items()),
            ],
        )


def known_pseudonyms(
    connection: Connection, tokens: Iterable[str], key: bytes, *, server_uuid: uuid.UUID | None
) -> dict[str, str]:
    """Return the pseudonyms of those of *tokens* that are on the list, for one server or for all."""
    hashes = {token_hash(token, key): token for token in tokens}
    rows = connection.execute(
        f"select token_hash, pseudonym from {TABLE} where token_hash = any(%s) "
        "and (server_uuid is null or server_uuid = %s) order by server_uuid nulls last",
        (list(hashes), server_uuid),
    ).fetchall()
    return {hashes[found]: pseudonym for found, pseudonym in rows}
