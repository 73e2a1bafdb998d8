"""What the command line offers."""

from __future__ import annotations

from collections.abc import Iterator

import click


def commands(command: click.Command, name: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield each command below *command* with its options and arguments."""
    if isinstance(command, click.Group):
        for below, each in command.commands.items():
            yield from commands(each, f"{name} {below}".strip())
    else:
        yield name, [option for parameter in command.params for option in parameter.opts]
