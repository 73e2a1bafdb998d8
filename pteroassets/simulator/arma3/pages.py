"""A game as the WOG site tells it: a line of the list, a page, and a digest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from html import escape
from typing import Any, Final

from pteroassets.simulator.arma3.game import SIDES, Game

MOSCOW: Final = timezone(timedelta(hours=3))
_COLOURS: Final = {"EAST": "danger", "WEST": "primary", "GUER": "success", "CIV": "purple"}


def list_page(games: Sequence[Game]) -> bytes:
    """Return the list, newest first as *games* are."""
    lines = "".join(
        f'<tr><td><a href="/games/{game.number}/">{game.number}</a></td><td>{_moscow(game.started_at):%d.%m.%Y}</td>'
        f"<td>{escape(game.mission)}</td>\t<td>{len(game.players)} / {game.slots}</td></tr>\n"
        for game in games
    )
    return _page("Игры / WOG Stats", f'<table class="table">\n{lines}</table>')


def solidgames_list(games: Sequence[Game]) -> bytes:
    """Return a page of the SolidGames site, with the names as the guard before it leaves them."""
    lines = "".join(
        f'<tr><td><a href="/replays/{int(game.started_at.timestamp())}">{_hidden(f"sg@{game.mission}")}</a></td>'
        f"<td>{escape(game.island)}</td><td>1</td><td>{game.started_at + timedelta(hours=1):%d.%m.%Y %H:%M}</td></tr>\n"
        for game in games
    )
    return _page("Реплеи", f'<table class="common-table"><tbody>\n{lines}</tbody></table>')


def solidgames_page(file: str) -> bytes:
    """Return the page of a replay of the SolidGames site."""
    head = "<!DOCTYPE html>\n<html><head><title>OCAP</title></head>"
    return f'{head}<body data-ocap="{escape(file)}"></body></html>'.encode()


def _hidden(said: str, key: int = 0x5A) -> str:
    """Return a text that looks like an address of mail as the guard shows it."""
    mixed = bytes([key, *(one ^ key for one in said.encode())]).hex()
    return f'<span class="__cf_email__" data-cfemail="{mixed}">[email&#160;protected]</span>'


def error_page() -> bytes:
    """Return what the site shows in the place of a game that is not there."""
    return _page("Ошибка / WOG Stats", "<h1>Ошибка</h1>")


def game_page(game: Game) -> bytes:
    """Return the page of a game."""
    begin, end = _moscow(game.started_at), _moscow(game.ended_at)
    length = int(game.end * game.delay)
    rows = [("Остров", escape(game.island).encode("ascii", "xmlcharrefreplace").decode())]
    for side in game.sides:
        commander = game.commanders.get(side)
        link = (
            '<div class="position-relative" data-toggle="current">'
            f'<a href="/projects/wog-a3/players/{commander.player_id}/">{escape(commander.name)}</a></div>'
            if commander
            else ""
        )
        rows.append((f"Командир стороны {_span(side)}", link))
    rows += [
        ("Сторона-победитель", _span(game.winner) if game.winner else ""),
        ("Количество игроков / слотов", f"{len(game.players)} / {game.slots}"),
        ("Дата и время старта миссии", f"{begin:%d.%m.%Y, %H:%M:%S}"),
        ("Дата и время окончания миссии", f"{end:%d.%m.%Y, %H:%M:%S}"),
        ("Длительность миссии", f"{length // 3600:02}:{length // 60 % 60:02}:{length % 60:02}"),
    ]
    lines = "".join(f"\t<tr>\n\t\t<td>{label}</td>\n\t\t<td>{value}</td>\n\t</tr>\n" for label, value in rows)
    mission = f'<h1><a href="/missions/{game.mission_id}/">{escape(game.mission)}</a></h1>'
    title = f"Игра №{game.number} от {begin:%d.%m.%Y} / WOG Stats"
    return _page(title, f'{mission}<table class="table">\n{lines}</table>')


def digest(game: Game) -> bytes:
    """Return the digest of a game: people alone, so that soldiers whom nobody plays kill as nobody and die unseen."""
    dead: dict[str, dict[str, list[Any]]] = {}
    for death in game.deaths:
        victim = None if death.victim is None else game.soldier(death.victim).player_at(death.frame)
        if victim is None:
            continue
        killer = None if death.killer is None else game.soldier(death.killer).player_at(death.frame)
        dead.setdefault(str(int(death.frame * game.delay)), {})[str(victim.player_id)] = [
            _model(game, death.victim, death.frame),
            None if killer is None else killer.player_id,
            "" if killer is None else _model(game, death.killer, death.frame),
            "" if killer is None else death.weapon,
            death.metres if killer is not None else None,
            int(bool(game.is_team_kill(death))),
        ]
    return json.dumps(
        {
            "factions": {
                str(number): [side, game.faction(side), game.heads(side)] for number, side in enumerate(SIDES, start=1)
            },
            "players": {
                str(player.player_id): [SIDES.index(soldier.side) + 1, player.name, soldier.role, soldier.squad]
                for player, soldier in game.players.values()
            },
            "vehiclesUnits": {str(one.vehicle_id): [one.kind, one.name] for one in game.machines},
            "playersDead": dead,
        }
    ).encode()


def _model(game: Game, unit_id: int | None, frame: int) -> str:
    vehicle = None if unit_id is None else game.soldier(unit_id).vehicle_at(frame)
    return "" if vehicle is None else game.machine(vehicle).name


def _moscow(at: datetime) -> datetime:
    return at.astimezone(MOSCOW)


def _span(side: str) -> str:
    return f'<span class="text-{_COLOURS[side]}">{side}</span>'


def _page(title: str, body: str) -> bytes:
    return (
        f'<!DOCTYPE html>\n<html lang="ru"><head><meta charset="utf-8"><title>{title}</title></head>\n'
        f'<body><nav><a href="/projects/wog-a3/games/">Игры</a></nav>\n{body}\n</body></html>\n'
    ).encode()
