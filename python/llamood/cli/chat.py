"""``llamood chat``: a conversation, with moods."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import click

from llamood.atomic import write_files
from llamood.cli import models, options
from llamood.cli.consoles import collapsed, printable, remark, tell_written
from llamood.cli.conversation import Conversation, Turn, seed_of
from llamood.cli.prompts import has_chat_template
from llamood.cli.terminal import cleaned, echo, say
from llamood.errors import LlamoodError, MoodError
from llamood.moods.mood import Mood
from llamood.moods.personality import Personality
from llamood.voices.llama import Llama

HELP = """\
/feel joy=1,fear=0.2   feel this from now on, as behind --feel: joy=ramp(0,1,64), shy, @mood.json;
                       /feel alone is neutral
/mood                  what is felt now, and what could be; /mood FILE writes it, for /feel @FILE
/read                  what the last answer expressed, in standard deviations of neutral text
/retry                 another answer to what you said last, in the mood of now
/undo                  take back what you said last, and its answer
/system TEXT           the system prompt from now on; /system alone takes it away
/save FILE             write the conversation and the mood as JSON
/load FILE             go on with what /save wrote, in its mood
/help                  this
/exit                  leave, as Ctrl-D does; Ctrl-C stops an answer"""


@click.command("chat")
@options.model_argument
@options.vectors_option
@options.feel_option
@options.personality_options
@options.guard_option
@options.system_option
@options.sampling_options(max_tokens=512)
@options.device_options
def command(
    *,
    model: str,
    emotions: str | None,
    moods: tuple[Mood, ...],
    personality: Personality | None,
    guard: options.GuardChoice,
    system: str | None,
    sampling: options.Sampling,
    device: options.Device,
) -> None:
    """Talk with MODEL, and change its mood while talking: /feel joy=1.

    What begins with a slash is a command to llamood; /help lists them: /retry for another answer,
    /undo, /system, /save and /load. Ctrl-C stops an answer; Ctrl-D leaves.

    \b
    Examples:
      llamood chat demo --feel joy=1
      llamood chat model.gguf -e evs/ --system "You are a guard."
      llamood chat demo --personality shy
    """
    mood = options.merged(moods, personality)
    llm = models.open_in_mood(
        model, emotions=emotions, mood=mood, device=device, guard=guard, reading=True
    )
    if llm.emotions is None:
        remark(f"Note: no vectors in {models.default_vectors(model)}, so it can feel nothing.")
    if not has_chat_template(llm):
        remark("Note: this model has no chat template and may not know how to converse.")
    if system is None and personality is not None:
        system = personality.system
    Chat(llm, Conversation(system=system), sampling).run()


class Chat:
    """Reads lines, answers them, and obeys those that begin with a slash."""

    def __init__(self, llm: Llama, conversation: Conversation, sampling: options.Sampling) -> None:
        self._llm = llm
        self._conversation = conversation
        self._sampling = sampling
        self._at_terminal = sys.stdin.isatty()
        self._commands: dict[str, Callable[[str], None]] = {
            "/feel": self._feel,
            "/mood": self._show_mood,
            "/read": self._show_reading,
            "/retry": self._retry,
            "/undo": self._undo,
            "/system": self._set_system,
            "/save": self._save,
            "/load": self._load,
            "/help": self._help,
        }

    def run(self) -> None:
        """Until /exit or the end of the input."""
        if self._at_terminal:
            with contextlib.suppress(ImportError):
                import readline  # noqa: F401  (gives input() a history and editing)
            remark("/help lists the commands.")
        while (line := self._read()) is not None:
            if line == "/exit":
                return
            try:
                if line.startswith("/"):
                    self._obey(line)
                elif line:
                    self._answer(line)
            except LlamoodError as error:
                remark(str(error))
            except KeyboardInterrupt:  # pressed just before or after an answer
                remark("")

    def _read(self) -> str | None:
        """The next line without the space around it; None at the end."""
        try:
            return input(cleaned(self._invitation())).strip()
        except EOFError:
            if self._at_terminal:
                echo()
            return None
        except KeyboardInterrupt:
            if not self._at_terminal:
                raise
            remark("\nCtrl-D or /exit leaves.")
            return ""

    def _invitation(self) -> str:
        if not self._at_terminal:
            return ""
        mood = self._llm.mood
        shown = "" if mood.is_neutral else _short(mood)
        if not mood.is_constant or mood.inertia is not None:
            # What is asked for moves: tell where the last answer has left it.
            mix = " ".join(f"{name} {weight:.2g}" for name, weight in self._llm.mix.items())
            shown = f"{shown} now {mix or 'neutral'}".lstrip()
        return f"[{shown}] > " if shown else "> "

    # -- what begins with a slash ----------------------------------------------------------

    def _obey(self, line: str) -> None:
        name, _, argument = line.partition(" ")
        if name not in self._commands:
            remark(f"There is no {name}; /help lists what there is.")
            return
        self._commands[name](argument.strip())

    def _feel(self, argument: str) -> None:
        self._llm.feel(Mood.parse(argument))
        self._show_mood("")

    def _show_mood(self, argument: str) -> None:
        mood = self._llm.mood
        if argument:
            path = Path(argument).expanduser()
            text = json.dumps(mood.to_dict(), indent=2) + "\n"
            write_files({path: lambda to: to.write_text(text, encoding="utf-8")})
            tell_written(path)
            return
        emotions = self._llm.emotions
        known = "nothing" if emotions is None else ", ".join(emotions.names)
        remark(f"{'neutral' if mood.is_neutral else _short(mood)} (can feel {known})")

    def _show_reading(self, _: str) -> None:
        reading = sorted(self._llm.reading.items(), key=lambda item: -item[1])
        remark(
            "  ".join(f"{name} {score:.1f}" for name, score in reading) or "nothing was said yet"
        )

    def _save(self, argument: str) -> None:
        if not argument:
            remark("Where to? /save FILE")
            return
        path = Path(argument).expanduser()
        about = {"model": self._llm.model_path, "mood": self._llm.mood.to_dict()}
        self._conversation.save(path, **about)
        remark(f"{_turns(self._conversation)} and the mood saved to {printable(str(path))}")

    def _load(self, argument: str) -> None:
        if not argument:
            remark("From where? /load FILE")
            return
        path = Path(argument).expanduser()
        conversation, about = Conversation.load(path)
        if "mood" in about:
            try:
                self._llm.feel(Mood(about["mood"]))
            except MoodError as error:
                remark(f"Note: its mood is not felt here: {error}")
        self._conversation = conversation
        remark(f"{_turns(conversation)} loaded from {printable(str(path))}")
        if conversation.turns:
            last = conversation.turns[-1]
            lines = [f"> {last.user}", *last.answer.splitlines()]
            remark("\n".join(map(printable, lines)))
        self._show_mood("")

    def _undo(self, _: str) -> None:
        last = self._conversation.undo()
        remark("Nothing was said yet." if last is None else f"Taken back: {printable(last.user)}")

    def _retry(self, _: str) -> None:
        last = self._conversation.undo()
        if last is None:
            remark("Nothing was said yet.")
            return
        if self._sampling.temperature == 0:
            remark("(At --temperature 0 the same is answered to the same in the same mood.)")
        kept = len(self._conversation.turns)
        try:
            self._answer(last.user, attempt=last.attempt + 1)
        finally:
            if len(self._conversation.turns) == kept:  # there is no other: the last one stays
                self._conversation.turns.append(last)

    def _set_system(self, argument: str) -> None:
        self._conversation.system = argument or None
        remark("A system prompt from now on." if argument else "No system prompt from now on.")

    def _help(self, _: str) -> None:
        remark(HELP)

    # -- answers ---------------------------------------------------------------------------

    def _answer(self, user: str, *, attempt: int = 0) -> None:
        """``attempt``: how many answers to it were taken back."""
        forgotten = self._conversation.forgotten
        room = min(self._sampling.max_tokens, self._llm.n_ctx() // 4)
        tokens = self._conversation.prompt(self._llm, user, room=room)
        if self._conversation.forgotten > forgotten:
            n = self._conversation.forgotten - forgotten
            remark(f"(The context is full: the oldest {n} of the remembered turns are forgotten.)")
        turn = len(self._conversation.turns)
        seed = seed_of(self._sampling.seed, turn=turn, attempt=attempt)
        sampling = replace(self._sampling, seed=seed)
        mood = self._llm.mood.to_dict()
        text, ended, told = self._speak(tokens, user, sampling)
        if "guard" in told:
            remark(f"({collapsed(told['guard'])})")
        if ended == "length":
            remark("(Cut at the longest answer; --max-tokens and --ctx allow more.)")
        if text or ended != "interrupted":
            self._conversation.turns.append(Turn(user, text, mood, seed, ended, attempt))

    def _speak(
        self, tokens: list[int], user: str, sampling: options.Sampling
    ) -> tuple[str, str, Mapping[str, Any]]:
        """Write the answer to what the user says as it comes; the text, how it ended, and what
        llamood tells of it."""
        said: list[str] = []
        ended = "interrupted"
        told: Mapping[str, Any] = {}
        try:
            with stoppable() as stopped:
                how = {"stream": True, "said": user, **sampling.arguments()}
                stream = self._llm.create_completion(tokens, **how)
                for chunk in stream:
                    choice = chunk["choices"][0]
                    told = chunk.get("llamood", {})
                    stopped.softly = True
                    said.append(choice["text"])
                    say(choice["text"])
                    if choice["finish_reason"] is not None:
                        ended = choice["finish_reason"]
                    elif stopped.asked:
                        stream.close()
                        break
        except KeyboardInterrupt:
            self._llm.reset()  # it stopped in the middle of a step: trust nothing that is cached
        echo()
        return "".join(said).strip(), ended, told


def _turns(conversation: Conversation) -> str:
    n = len(conversation.turns)
    return "1 turn" if n == 1 else f"{n} turns"


def _short(mood: Mood) -> str:
    """As it could be typed, unless it came from a file that is too long for that."""
    try:
        return mood.to_short()
    except MoodError:
        return f"a mood of {', '.join(mood.schedules())}"


class Stop:
    """Whether Ctrl-C has been pressed, and how it is taken."""

    asked = False
    softly = False  # wait for the token that is being computed


@contextlib.contextmanager
def stoppable() -> Iterator[Stop]:
    """Ctrl-C in the block raises KeyboardInterrupt; once `softly` is set, it first only asks."""
    stop = Stop()

    def on_interrupt(_signal: int, _frame: FrameType | None) -> None:
        if stop.asked or not stop.softly:
            raise KeyboardInterrupt
        stop.asked = True

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
