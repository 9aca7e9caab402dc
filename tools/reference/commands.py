"""Every command with its arguments and options, from the parsers themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import click

from llamood.cli import COMMANDS, main
from llamood.cli.chat import HELP
from reference.markdown import cell, code, inline, notes, page, table


def walked() -> Iterator[tuple[str, click.Command]]:
    """What is typed, and the command; groups before what is in them."""
    context = click.Context(main, info_name="llamood")
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        yield f"llamood {name}", command
        for inner, each in getattr(command, "commands", {}).items():
            yield f"llamood {name} {inner}", each


def written() -> str:
    commands = [(name, command) for name, command in walked()]
    listed = table(
        ["command", ""],
        ([f"[`{name}`](#{name.replace(' ', '-')})", cell(about(each))] for name, each in commands),
    )
    return page(
        "# Commands",
        notes(__file__),
        listed,
        "`llamood --version` says which version this is; `-h` is short for `--help` everywhere.",
        *(part for name, command in commands for part in _section(name, command)),
    )


def about(command: click.Command) -> str:
    return COMMANDS.get(command.name or "") or command.get_short_help_str(limit=200)


def _section(name: str, command: click.Command) -> Iterator[str]:
    yield f"## {name}"
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(command.help or "")):
        yield _paragraph(paragraph)
    if isinstance(command, click.Group):
        return
    words = [each for each in command.params if isinstance(each, click.Argument)]
    yield code(" ".join([name, *map(_word, words), "[OPTIONS]"]), "console")
    options = [each for each in command.params if isinstance(each, click.Option)]
    if options:
        yield table(["option", "", "default"], map(_row, options))
    if name == "llamood chat":
        yield "What begins with a slash while you talk is a command to llamood:"
        yield table(["in the conversation", ""], _slashes())


def _paragraph(text: str) -> str:
    if not text.startswith("\b"):
        return inline(text)
    heading, *lines = text.splitlines()[1:]
    return f"{inline(heading)}\n\n{code(inspect.cleandoc(chr(10).join(['', *lines])), 'console')}"


def _word(argument: click.Argument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    named = name if argument.required or name.startswith("[") else f"[{name}]"
    return f"{named}..." if argument.nargs != 1 and "..." not in named else named


def _row(option: click.Option) -> list[str]:
    names = ", ".join(f"`{each}`" for each in (*option.opts, *option.secondary_opts))
    takes = _takes(option)
    said = [cell(option.help or "")]
    if option.envvar is not None:
        said.append(f"Or the environment's `{option.envvar}`.")
    return [f"{names} {takes}".strip(), " ".join(said), _default(option)]


def _takes(option: click.Option) -> str:
    if option.is_flag:
        return ""
    if option.metavar is not None:
        return f"`{option.metavar}`".replace("|", "\\|")
    kind = option.type
    if isinstance(kind, click.Choice):
        return "\\|".join(f"`{each}`" for each in kind.choices)
    if isinstance(kind, click.IntRange | click.FloatRange):
        return f"`{kind.name.split()[0].upper()}`, {_range(kind)}"
    return f"`{kind.name.upper()}`"


def _range(kind: click.IntRange | click.FloatRange) -> str:
    above = f"above {kind.min}" if kind.min_open else f"{kind.min} or more"
    if kind.max is None:
        return above
    below = f"below {kind.max}" if kind.max_open else f"{kind.max} or less"
    if kind.min is None:
        return below
    if kind.min_open or kind.max_open:
        return f"{above}, {below}"
    return f"{kind.min} to {kind.max}"


def _default(option: click.Option) -> str:
    default: Any = option.default
    if isinstance(default, bool):
        return f"`{option.opts[0]}`" if default and option.secondary_opts else ""
    if isinstance(default, str | int | float):
        return f"`{default}`"
    if isinstance(default, tuple | list) and default:
        return f"`{','.join(map(str, default))}`"
    return ""


def _slashes() -> Iterator[list[str]]:
    """The lines of the conversation's own help, each with those that go on with it."""
    entries: list[list[str]] = []
    for line in HELP.splitlines():
        word, _, rest = line.partition("  ")
        if word.startswith("/"):
            entries.append([word, rest.strip()])
        else:
            entries[-1][1] += f" {line.strip()}"
    for word, said in entries:
        yield [f"`{word}`", cell(said)]
