"""``llamood generate``: one completion, streamed."""

from __future__ import annotations

import sys

import click

from llamood.cli import models, options, prompts
from llamood.cli.consoles import write_json
from llamood.errors import ModelError
from llamood.llama import Llama
from llamood.mood import Mood


@click.command("generate")
@options.model_argument
@click.argument("prompt", metavar="PROMPT")
@options.vectors_option
@options.feel_option
@options.system_option
@click.option("--raw", is_flag=True, help="Continue PROMPT as it is, also with a chat model.")
@options.sampling_options(max_tokens=256)
@options.device_options
@options.json_option
def command(
    *,
    model: str,
    prompt: str,
    emotions: str | None,
    moods: tuple[Mood, ...],
    system: str | None,
    raw: bool,
    sampling: options.Sampling,
    device: options.Device,
    as_json: bool,
) -> None:
    """Answer PROMPT, or continue it, in a mood.

    With a model that has a chat template PROMPT is what the user says, and the answer is
    written; any other model continues PROMPT as it stands. PROMPT - reads standard input.

    \b
    Examples:
      llamood generate demo --feel 'joy=0.7,$layers=2:4' "Tell me about bread."
      llamood generate model.gguf -e evs/ --feel joy=0.8,fear=0.2 "Who is there?"
      llamood generate model.gguf --raw --feel @mood.json "Once upon a time"
    """
    if raw and system is not None:
        raise click.UsageError("--system belongs to a conversation; leave it out, or --raw")
    mood = options.merged(moods)
    llm = models.open_in_mood(model, emotions=emotions, mood=mood, device=device)
    text = _standard_input() if prompt == "-" else prompt
    tokens = _tokens(llm, text, system=system, raw=raw)
    prompts.require_room(llm, tokens)
    if as_json:
        completion = llm.create_completion(tokens, **sampling.arguments())
        choice = completion["choices"][0]
        write_json(
            {
                "model": str(models.model_path(model)),
                "mood": mood.to_dict(),
                "seed": sampling.seed,
                "prompt": text,
                "text": choice["text"],
                "finish_reason": choice["finish_reason"],
                "usage": completion["usage"],
            }
        )
        return
    for chunk in llm.create_completion(tokens, stream=True, **sampling.arguments()):
        click.echo(chunk["choices"][0]["text"], nl=False)
    click.echo()


def _standard_input() -> str:
    return sys.stdin.buffer.read().decode(errors="replace")


def _tokens(llm: Llama, prompt: str, *, system: str | None, raw: bool) -> list[int]:
    """The prompt of the model: a user's turn where it knows turns."""
    if not raw and prompts.has_chat_template(llm):
        said = [] if system is None else [{"role": "system", "content": system}]
        return prompts.chat_tokens(llm, [*said, {"role": "user", "content": prompt}])
    if system is not None:
        raise ModelError("this model has no chat template, so --system has no place in the prompt")
    return prompts.plain_tokens(llm, prompt)
