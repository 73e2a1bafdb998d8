"""Where servers of an egg keep their logs, and which files are logs."""

from __future__ import annotations

import pytest

from pteroassets.sources.minecraft.places import Egg, place_of


@pytest.mark.parametrize(
    ("egg", "software", "folder"),
    [
        (Egg(name="Paper", nest="Minecraft"), "Java server", "/logs"),
        (Egg(name="Vanilla Minecraft"), "Java server", "/logs"),
        (Egg(name="Forge Minecraft"), "Java server", "/logs"),
        (Egg(name="Sponge (SpongeVanilla)"), "Java server", "/logs"),
        (Egg(name="Survival", nest="Minecraft"), "Java server", "/logs"),
        (Egg(name="My Pack", nest="Packs", done=")! For help, type "), "Java server", "/logs"),
        (Egg(name="My Pack", nest="Packs", files=("config.yml", "server.properties")), "Java server", "/logs"),
        (Egg(name="Box", image="registry.example.com/minecraft-server:latest"), "Java server", "/logs"),
        (Egg(name="Bungeecord", nest="Minecraft", startup="java -jar bungeecord.jar"), "BungeeCord", "/"),
        (Egg(name="Waterfall", nest="Minecraft"), "Waterfall", "/logs"),
        (Egg(name="Velocity", nest="Minecraft", startup="java -jar velocity.jar"), "Velocity", "/logs"),
        (Egg(name="Vanilla Bedrock", nest="Minecraft"), "Bedrock Dedicated Server", "/"),
        (Egg(name="Phone players", startup="./bedrock_server"), "Bedrock Dedicated Server", "/"),
        (Egg(name="PocketmineMP"), "PocketMine-MP", "/"),
        (Egg(name="Phones", startup="./bin/php7/bin/php ./PocketMine-MP.phar --no-wizard"), "PocketMine-MP", "/"),
        (Egg(name="PowerNukkit"), "Nukkit", "/logs"),
        (Egg(name="GeyserMC"), "Geyser", "/logs"),
    ],
)
def test_an_egg_is_recognised_by_what_the_panel_tells_of_it(egg: Egg, software: str, folder: str) -> None:
    place = place_of(egg)
    assert place is not None
    assert (place.software, place.folder) == (software, folder)


@pytest.mark.parametrize(
    "egg",
    [
        Egg(name="Garrys Mod", nest="Source Engine", startup="./srcds_run -game garrysmod"),
        Egg(name="Rust", nest="Rust", done="Server startup complete"),
        Egg(name="Valheim Vanilla", nest="Valheim"),
        Egg(name="Rust Vanilla"),
        Egg(name="Mumble Server", nest="Voice Servers"),
        Egg(name="Teamspeak3 Server", nest="Voice Servers"),
        Egg(name="Discord bot", nest="Bots", image="registry.example.com/yolks:java_21", startup="java -jar bot.jar"),
    ],
)
def test_another_games_egg_has_no_logs_of_ours(egg: Egg) -> None:
    assert place_of(egg) is None
