"""Arguments and options that several commands share, and the values they become."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import click

from llamood.cores import threads
from llamood.errors import MoodError
from llamood.moods.mood import Mood
from llamood.moods.personality import Personality, named, personalities

Command = Callable[..., Any]


class MoodType(click.ParamType[Mood]):
    """A mood in short form, or ``@FILE``."""

    name = "mood"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Mood:
        if isinstance(value, Mood):
            return value
        try:
            return Mood.parse(value)
        except MoodError as error:
            self.fail(str(error), param, ctx)


def merged(moods: Sequence[Mood], personality: Personality | None = None) -> Mood:
    """All of them as one, after the personality's; where two name the same emotion or setting, the
    later one counts."""
    first = [] if personality is None else [Mood(personality.mood)]
    return Mood({key: value for mood in [*first, *moods] for key, value in mood.to_dict().items()})


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How tokens are drawn."""

    max_tokens: int
    temperature: float
    top_p: float
    seed: int  # 0 to 2**32 - 1

    def arguments(self) -> dict[str, Any]:
        """What ``create_completion`` calls them."""
        return {
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "seed": self.seed,
        }


@dataclass(frozen=True, kw_only=True)
class Device:
    """Where and in how much memory llama.cpp runs the model. ``threads``: None for as many as
    there are cores; ``ctx``: None for what the model was trained for; ``rpc``: servers on other
    machines, None for none."""

    n_gpu_layers: int
    threads: int | None
    ctx: int | None = None
    rpc: str | None = None

    def hardware(self) -> dict[str, Any]:
        """What ``llamood.Llama`` calls it, without the context."""
        given = {} if self.threads is None else threads(self.threads)
        servers = {} if self.rpc is None else {"rpc_servers": self.rpc}
        return {"n_gpu_layers": self.n_gpu_layers, **given, **servers}


model_argument = click.argument("model", metavar="MODEL")

vectors_option = click.option(
    "-e",
    "--emotions",
    metavar="PATH",
    help="Emotion vectors: a folder or a file. Default: the folder <MODEL>.evs beside the model; "
    "for demo, those that come with llamood.",
)

feel_option = click.option(
    "--feel",
    "moods",
    type=MoodType(),
    metavar="MOOD",
    multiple=True,
    help="As in joy=0.8,fear=-0.2, @mood.json, or shy, which is the mood of a personality that "
    "ships. May be given again: the later one counts.",
)


def personality_options(command: Command) -> Command:
    """Who is to answer, ``personality``: a `Personality`, or None."""

    @click.option(
        "--personality",
        "personality_name",
        metavar="NAME",
        help="A mood with a name, and what the model is told to be unless --system says it: "
        f"{', '.join(personalities())}, or of --moods. --feel is added to it.",
    )
    @moods_option
    @functools.wraps(command)
    def with_personality(
        *arguments: Any, personality_name: str | None, folder: str | None, **named_ones: Any
    ) -> Any:
        chosen = None
        if personality_name is not None:
            chosen = named(personality_name, personalities(folder))
        elif folder is not None:
            raise click.UsageError("--moods says which there are; --personality NAME chooses one")
        return command(*arguments, personality=chosen, **named_ones)

    return with_personality


moods_option = click.option(
    "--moods",
    "folder",
    metavar="FOLDER",
    help="More personalities, or others of the same names: a JSON file each, NAME.json, as "
    '{"system": "You are ...", "mood": {"joy": 0.9}}.',
)

GuardChoice = Literal["rescue", "stop", "off"]

guard_option = click.option(
    "--guard",
    type=click.Choice(["rescue", "stop", "off"]),
    default="rescue",
    show_default=True,
    help="Where an answer collapses under its mood: go back and draw anew in less of it, stop, or "
    "leave it alone.",
)

system_option = click.option("--system", metavar="TEXT", help="System prompt.")

json_option = click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")


def max_tokens_option(default: int) -> Callable[[Command], Command]:
    """The longest answer of what is asked."""
    return click.option(
        "--max-tokens",
        type=click.IntRange(min=8),
        default=default,
        show_default=True,
        help="Longest answer.",
    )


seed_option = click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**32 - 1),
    default=0,
    show_default=True,
    help="The same seed gives the same answers.",
)


def sampling_options(*, max_tokens: int) -> Callable[[Command], Command]:
    """The command gets them as ``sampling``; ``max_tokens`` is the default of that option."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def gathered(
            *, max_tokens: int, temperature: float, top_p: float, seed: int | None, **rest: Any
        ) -> Any:
            sampling = Sampling(
                max_tokens=max_tokens,
                temperature=temperature,
                top_p=top_p,
                seed=secrets.randbits(32) if seed is None else seed,
            )
            return command(sampling=sampling, **rest)

        return _with_options(
            gathered,
            click.option(
                "--max-tokens",
                type=click.IntRange(min=1),
                default=max_tokens,
                show_default=True,
                help="Longest answer.",
            ),
            click.option(
                "--temperature",
                type=click.FloatRange(min=0),
                default=0.6,
                show_default=True,
                help="0 takes the likeliest token.",
            ),
            click.option(
                "--top-p",
                type=click.FloatRange(min=0, max=1),
                default=0.9,
                show_default=True,
                help="Draw from the likeliest tokens of this much probability.",
            ),
            click.option(
                "--seed",
                type=click.IntRange(min=0, max=2**32 - 1),
                help="The same seed gives the same answer. Default: another each time.",
            ),
        )

    return decorate


def device_options(command: Command) -> Command:
    """The command gets them as ``device``."""

    @functools.wraps(command)
    def gathered(
        *, n_gpu_layers: int, threads: int | None, rpc: str | None, ctx: int | None, **rest: Any
    ) -> Any:
        device = Device(n_gpu_layers=n_gpu_layers, threads=threads, rpc=rpc, ctx=ctx)
        return command(device=device, **rest)

    return _with_options(gathered, *_HARDWARE, ctx_option)


_HARDWARE = (
    click.option(
        "--n-gpu-layers",
        type=click.IntRange(min=-1),
        default=-1,
        show_default=True,
        help="Layers on the GPU, if there is one; -1 for all.",
    ),
    click.option(
        "--threads",
        type=click.IntRange(min=1),
        help="CPU threads. Default: one for each core, fewer while others want the cores.",
    ),
    click.option(
        "--rpc",
        metavar="HOST:PORT,...",
        help="Servers of llama.cpp on other machines that hold layers of the model.",
    ),
)

ctx_option = click.option(
    "--ctx",
    type=click.IntRange(min=1),
    help="Context in tokens. Default: what the model was trained for, 4096 at most.",
)


def hardware_options(command: Command) -> Command:
    """The command gets them as ``hardware``, as ``llamood.Llama`` calls them."""

    @functools.wraps(command)
    def gathered(*, n_gpu_layers: int, threads: int | None, rpc: str | None, **rest: Any) -> Any:
        device = Device(n_gpu_layers=n_gpu_layers, threads=threads, rpc=rpc)
        return command(hardware=device.hardware(), **rest)

    return _with_options(gathered, *_HARDWARE)


def _with_options(command: Command, *options: Callable[[Command], Command]) -> Command:
    """The command with these options, which its help lists in this order."""
    for option in reversed(options):
        command = option(command)
    return command
