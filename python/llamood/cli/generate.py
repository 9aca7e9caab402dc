"""``llamood generate``: one completion, streamed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from llamood.atomic import write_files
from llamood.cli import models, options, prompts
from llamood.cli.consoles import collapsed, remark, standard_input, tell_written, write_json
from llamood.cli.curves import draw_trace
from llamood.cli.plots import picture
from llamood.cli.terminal import echo, say
from llamood.errors import ModelError
from llamood.moods.mood import Mood
from llamood.moods.personality import Personality
from llamood.voices.llama import Llama


@click.command("generate")
@options.model_argument
@click.argument("prompt", metavar="PROMPT")
@options.vectors_option
@options.feel_option
@options.personality_options
@options.guard_option
@options.system_option
@click.option("--raw", is_flag=True, help="Continue PROMPT as it is, also with a chat model.")
@options.sampling_options(max_tokens=256)
@options.device_options
@click.option(
    "--trace",
    "trace_path",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write the answer as JSON, and under trace the weights asked and applied at each token: "
    '{"emotions": ["joy"], "tokens": [{"text": "The", "asked": [1.2], "applied": [1.0]}]}.',
)
@click.option(
    "--plot",
    metavar="FILE",
    callback=picture,
    help="Draw those weights over the tokens: .png, .svg or .pdf (needs matplotlib).",
)
@options.json_option
def command(
    *,
    model: str,
    prompt: str,
    emotions: str | None,
    moods: tuple[Mood, ...],
    personality: Personality | None,
    guard: options.GuardChoice,
    system: str | None,
    raw: bool,
    sampling: options.Sampling,
    device: options.Device,
    trace_path: Path | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Answer PROMPT, or continue it, in a mood.

    With a model that has a chat template PROMPT is what the user says, and the answer is
    written; any other model continues PROMPT as it stands. PROMPT - reads standard input.

    \b
    Examples:
      llamood generate demo --feel joy=1 "Tell me about bread."
      llamood generate model.gguf -e evs/ --feel joy=0.8,fear=0.2 "Who is there?"
      llamood generate model.gguf --raw --feel @mood.json "Once upon a time"
      llamood generate demo --feel 'joy=ramp(0,1,32)' --plot joy.png "Tell me of tea."
      llamood generate demo --personality grumpy "Tell me about bread."
    """
    if raw and system is not None:
        raise click.UsageError("--system belongs to a conversation; leave it out, or --raw")
    mood = options.merged(moods, personality)
    llm = models.open_in_mood(
        model, emotions=emotions, mood=mood, device=device, guard=guard, reading=mood.reads
    )
    text = standard_input() if prompt == "-" else prompt
    if system is None and personality is not None and not raw:
        system = personality.system
    tokens = _tokens(llm, text, system=system, raw=raw)
    prompts.require_room(llm, tokens)
    asked = {
        **sampling.arguments(),
        "trace": trace_path is not None or plot is not None,
        "said": text,
    }
    about = {
        "model": str(models.model_path(model)),
        "mood": mood.to_dict(),
        "seed": sampling.seed,
        "prompt": text,
    }
    if as_json:
        completion = llm.create_completion(tokens, **asked)
        written = {**about, **_said(completion), "usage": completion["usage"]}
        write_json(written)
    else:
        written = {**about, **_streamed(llm.create_completion(tokens, stream=True, **asked))}
    if "guard" in written:
        remark(f"Note: {collapsed(written['guard'])}")
    if trace_path is not None:
        content = json.dumps(written, indent=1, ensure_ascii=False) + "\n"
        write_files({trace_path: lambda path: path.write_text(content, encoding="utf-8")})
        tell_written(trace_path)
    if plot is not None:
        draw_trace(plot, written["trace"])
        tell_written(plot)


def _streamed(chunks: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Write the text as it comes; what `_said` tells of the whole."""
    pieces: list[str] = []
    for chunk in chunks:
        last = chunk
        pieces.append(chunk["choices"][0]["text"])
        say(pieces[-1])
    echo()
    return {**_said(last), "text": "".join(pieces)}


def _said(result: Mapping[str, Any]) -> dict[str, Any]:
    choice = result["choices"][0]
    return {
        "text": choice["text"],
        "finish_reason": choice["finish_reason"],
        **result.get("llamood", {}),
    }


def _tokens(llm: Llama, prompt: str, *, system: str | None, raw: bool) -> list[int]:
    """The prompt of the model: a user's turn where it knows turns."""
    if not raw and prompts.has_chat_template(llm):
        said = [] if system is None else [{"role": "system", "content": system}]
        return prompts.chat_tokens(llm, [*said, {"role": "user", "content": prompt}])
    if system is not None:
        raise ModelError(
            "this model has no chat template, so what it is told to be (--system, or a "
            "personality's) has no place in the prompt; leave it out, or --raw"
        )
    return prompts.plain_tokens(llm, prompt)
