"""The command line: ``llamood COMMAND``. One file for each command, loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from llamood.cli.errors import reported, written

COMMANDS = {  # name -> what it does; the module of that name holds it as `command`
    "demo": "A small real model answers in every emotion, in less than a minute.",
    "extract": "Measure emotion vectors on a model.",
    "calibrate": "Find the largest fluent dose of each emotion, and rescale.",
    "emotion": "List feelings, add new ones, take some away.",
    "eval": "Measure whether steering works on a model.",
    "dialogue": "Show what is left of a mood, and of sense, after ten turns.",
    "convert": "Bring vectors of other formats in, or take them out.",
    "inspect": "Show what is in a file or folder of vectors, or where they take hold in a model.",
    "plot": "Draw a mood over tokens.",
    "generate": "One completion, streamed.",
    "chat": "A conversation, with moods.",
    "serve": "Serve a model and its moods over HTTP, as the OpenAI API.",
    "read": "Show which emotions a text expresses.",
    "doctor": "Show what llamood finds here, and what is wrong.",
}


MODEL = "MODEL is a GGUF file, or demo: the small model that comes with the extra [demo]."


class Commands(click.Group):
    """The commands of the table above."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"llamood.cli.{cmd_name}").command
        for each in (command, *getattr(command, "commands", {}).values()):
            if any(parameter.name == "model" for parameter in each.params):
                each.epilog = MODEL
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(self, *args: Any, **how: Any) -> Any:
        with written():
            return super().main(*args, **how)

    def invoke(self, ctx: click.Context) -> object:
        with reported():
            return super().invoke(ctx)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="llamood")
def main() -> None:
    """Make a quantised language model feel.

    MODEL is always a GGUF file, or demo: a small model to try everything with.

    \b
    Example:
      llamood generate demo --feel joy=1 "Tell me about bread."
    """
