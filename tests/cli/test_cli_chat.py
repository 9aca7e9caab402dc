"""A conversation in the terminal: moods, history, Ctrl-C, and what is saved."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import llamood
import tiny_chat
from cli_runs import LLAMOOD, run, with_vectors
from llama_gguf import CHATML, LlamaShape, byte_tokenizer, write_llama
from llamood.cli.conversation import Conversation, Turn, seed_of
from llamood.cli.prompts import chat_tokens
from llamood.errors import ModelError

CHAT = ("--seed", "3", "--max-tokens", "12", "--threads", "1")
SPEAKER = tiny_chat.MODEL  # whose answers are lines of text
PATIENCE = 60  # seconds that a busy machine may take

# Takes the terminal that it was given as its own, so that Ctrl-C reaches it as a signal.
AT_TERMINAL = (
    "import fcntl, os, sys, termios;"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "os.execv(sys.argv[1], sys.argv[1:])"
)


@pytest.fixture
def small(random_chat: Path, tmp_path: Path) -> Path:
    return with_vectors(random_chat, tmp_path)


class Terminal:
    """The program in a pseudo-terminal: what it shows, and what is typed."""

    def __init__(self, handle: int, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._handle = handle
        self._shown = b""

    def type(self, keys: str) -> None:
        os.write(self._handle, keys.encode())

    def wait_for(self, pattern: str) -> str:
        """What was shown up to the end of the first match, which is not looked at again."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern.encode(), self._shown)):
            left = deadline - time.monotonic()
            if not select.select([self._handle], [], [], max(left, 0))[0]:
                raise TimeoutError(f"{pattern!r} was not shown, but {self._shown!r}")
            self._shown += os.read(self._handle, 65536)
        shown, self._shown = self._shown[: found.end()], self._shown[found.end() :]
        return shown.decode(errors="replace")

    def ended(self) -> int:
        """The exit code, once it has left; what it still shows is read, so that it can."""
        with suppress(OSError):  # the other side of the terminal is closed
            self.wait_for("(?!)")  # matches nothing
        return self.process.wait(PATIENCE)


@contextmanager
def terminal(*arguments: str | Path) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", AT_TERMINAL, *LLAMOOD, *map(str, arguments)]
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "TERM": "dumb"},
    )
    os.close(theirs)
    try:
        yield Terminal(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def write_endless_model(path: Path) -> Path:
    """A model that says nothing but ``aaaa`` and never ends: only that token has a weight."""
    shape = LlamaShape(
        n_layer=2, n_embd=32, n_ff=32, n_head=2, n_head_kv=2, n_vocab=300, n_ctx=65536, tied=False
    )
    weights = {name: np.zeros(dims, np.float32) for name, dims in shape.tensors().items()}
    weights["token_embd.weight"] += 1
    weights["output_norm.weight"] += 1
    weights["output.weight"][ord("a")] += 1
    tokenizer = byte_tokenizer(shape.n_vocab)
    return write_llama(
        path, shape, weights, tokenizer=tokenizer, chat_template=CHATML, name="endless"
    )


# -- in a terminal --------------------------------------------------------------------------


def test_ctrl_c_stops_the_answer_and_the_conversation_goes_on(tmp_path: Path) -> None:
    saved = tmp_path / "saved.json"
    long = ("--max-tokens", "100000", "--ctx", "60000", "--threads", "1")
    with terminal("chat", write_endless_model(tmp_path / "endless.gguf"), *long) as shown:
        shown.wait_for("> $")
        shown.type("Tell me a long story.\n")
        shown.wait_for("story.\r?\n")
        shown.wait_for("a{20}")  # it is speaking
        shown.type("\x03")
        shown.wait_for("> $")
        assert shown.process.poll() is None

        shown.type(f"/save {saved}\n")
        shown.wait_for("1 turn and the mood saved to")
        messages = json.loads(saved.read_text())["messages"]
        assert [m["role"] for m in messages] == ["user", "assistant"]
        assert messages[1]["ended"] == "interrupted"
        assert set(messages[1]["content"]) == {"a"}
        assert 20 <= len(messages[1]["content"]) < 50_000

        shown.wait_for("> $")
        shown.type("And then?\n")  # the part that was said is in the history of this
        shown.wait_for("then\\?\r?\n")
        shown.wait_for("a{20}")
        shown.type("\x03")
        shown.wait_for("> $")
        shown.type("/exit\n")
        assert shown.ended() == 0


def test_ctrl_c_at_the_prompt_stays_and_ctrl_d_leaves(small: Path) -> None:
    with terminal("chat", small, *CHAT) as shown:
        shown.wait_for("> $")
        shown.type("half a li")
        shown.wait_for("half a li")
        time.sleep(1.0)  # until input() waits again: a signal just before that waits with it
        shown.type("\x03")
        shown.wait_for("Ctrl-D or /exit leaves")
        shown.wait_for("> $")
        assert shown.process.poll() is None
        shown.type("\x04")
        assert shown.ended() == 0


def test_the_prompt_shows_the_mood(small: Path) -> None:
    with terminal("chat", small, *CHAT, "--guard", "off", "--feel", "fear=0.5") as shown:
        shown.wait_for(r"\[fear=0.5\] > $")
        shown.type("/feel joy=1\n")
        shown.wait_for(r"\[joy=1\] > $")
        shown.type("/feel\n")
        shown.wait_for(r"\n> $")
        # What moves is shown with where it is: neutral still, then what the answer ended with.
        shown.type("/feel joy=1,$inertia=0.01\n")
        shown.wait_for(r"\[joy=1,\$inertia=0.01 now neutral\] > $")
        shown.type("Hello\n")
        shown.wait_for(r"now joy 1\] > $")


def test_a_mood_too_long_to_type_is_named(small: Path, tmp_path: Path) -> None:
    points = [[token, token % 7 / 10] for token in range(900)]
    file = tmp_path / "long.json"
    file.write_text(json.dumps({"joy": {"keys": points}}))
    with terminal("chat", small, *CHAT, "--feel", f"@{file}") as shown:
        shown.wait_for(r"\[a mood of joy now neutral\] > $")
        shown.type("/mood\n")
        shown.wait_for(r"a mood of joy \(can feel")


# -- through a pipe -------------------------------------------------------------------------


def talk(model: Path, *lines: str, options: tuple[str | Path, ...] = CHAT) -> tuple[str, str]:
    """What is said to these lines on stdout, and what is remarked on stderr."""
    result = run("chat", model, *options, stdin="".join(f"{line}\n" for line in lines))
    assert result.exit_code == 0
    return result.stdout, result.stderr


def test_an_answer_is_that_of_the_library_with_history_and_mood(
    small: Path, tmp_path: Path
) -> None:
    saved = tmp_path / "saved.json"
    talk(small, "Hello", "/feel joy=2", "Who are you?", f"/save {saved}", options=(
        *CHAT, "--system", "You are a guard.",
    ))  # fmt: skip
    messages = json.loads(saved.read_text())["messages"]
    assert [m["role"] for m in messages] == ["system", "user", "assistant", "user", "assistant"]
    assert [m["mood"] for m in messages if m["role"] == "assistant"] == [{}, {"joy": 2.0}]

    llm = llamood.Llama(
        small, emotions=small.with_suffix(".evs"), n_ctx=1024, n_threads=1, verbose=False
    )
    history = [{"role": m["role"], "content": m["content"]} for m in messages]
    for at, message in enumerate(messages):
        if message["role"] == "assistant":
            stream = llm.create_chat_completion(
                history[:at],
                stream=True,
                mood=message["mood"],
                seed=message["seed"],
                max_tokens=12,
                temperature=0.6,
                top_p=0.9,
            )
            said = [chunk["choices"][0]["delta"].get("content", "") for chunk in stream]
            assert "".join(said).strip() == message["content"]
    llm.close()


def test_commands_answer_on_stderr_and_wrong_ones_do_no_harm(small: Path) -> None:
    said, remarks = talk(
        small,
        *("/mood", "/feel joy=1,fear=-0.5", "/feel jo=1", "/feel joy", "/mood", "/feel", "/mood"),
        *("/dance", "/save", f"/save {small}/no/folder.json", "/help", "", "   "),
    )
    assert said == ""
    lines = remarks.splitlines()
    known = "(can feel anger, fear, joy)"
    moods = [line for line in lines if line.endswith(known)]
    now = ["neutral", "joy=1,fear=-0.5", "joy=1,fear=-0.5", "neutral", "neutral"]
    assert moods == [f"{mood} {known}" for mood in now]
    assert any("did you mean 'joy'" in line for line in lines)
    assert any("name=intensity was expected" in line for line in lines)
    assert "There is no /dance; /help lists what there is." in lines
    assert "Where to? /save FILE" in lines
    assert any(line.startswith(str(small)) for line in lines)
    assert any(line.startswith("/exit ") for line in lines)


def test_exit_leaves_before_the_end_of_the_input(small: Path) -> None:
    assert talk(small, "/exit", "Hello") == ("", "")


def test_without_vectors_there_is_nothing_to_feel(random_chat: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.gguf"
    alone.symlink_to(random_chat)
    said, remarks = talk(alone, "/feel joy=1", "Hello")
    assert said.endswith("\n")
    assert "so it can feel nothing" in remarks
    assert "no emotions were loaded" in remarks


def test_a_model_without_a_chat_template_is_named_as_such(stories: Path) -> None:
    said, remarks = talk(stories, "Once upon a time")
    assert "no chat template" in remarks
    assert said.strip()


# -- once more, and back ---------------------------------------------------------------------


def said_and_kept(folder: Path, *lines: str, model: Path = SPEAKER) -> tuple[list[str], list[Any]]:
    """The answers as they were spoken, and the messages that /save kept."""
    saved = folder / "kept.json"
    said, _ = talk(model, *lines, f"/save {saved}")
    return said.splitlines(), json.loads(saved.read_text())["messages"]


def test_another_try_is_another_answer_and_the_same_each_time(tmp_path: Path) -> None:
    asked = ("Tell me about bread.", "Tell me about the museum.", "/retry", "/retry")
    said, kept = said_and_kept(tmp_path, *asked)
    assert len(set(said)) == len(said) == 4  # the seed is one, and no answer comes twice
    assert [m["content"] for m in kept if m["role"] == "user"] == [*asked[:2]]
    assert kept[-1]["seed"] == seed_of(3, turn=1, attempt=2)
    assert kept[-1]["content"] == said[-1].strip()
    assert said_and_kept(tmp_path, *asked) == (said, kept)
    # What was tried before makes no difference to what comes after.
    assert said_and_kept(tmp_path, *asked[:2])[0] == said[:2]


def test_a_try_is_in_the_mood_of_now(tmp_path: Path) -> None:
    _, kept = said_and_kept(tmp_path, "Hello", "/feel joy=2", "/retry")
    assert len(kept) == 2
    assert kept[1]["mood"] == {"joy": 2.0}


def test_what_is_taken_back_was_never_said(tmp_path: Path) -> None:
    said, kept = said_and_kept(tmp_path, "Hello", "Go away.", "/undo", "Who are you?")
    assert [m["content"] for m in kept if m["role"] == "user"] == ["Hello", "Who are you?"]
    plain, _ = said_and_kept(tmp_path, "Hello", "Who are you?")
    assert [said[0], said[2]] == plain
    assert said_and_kept(tmp_path, "Hello", "/undo")[1] == []


def test_where_nothing_was_said_nothing_is_taken_back() -> None:
    said, remarks = talk(SPEAKER, "/undo", "/retry")
    assert said == ""
    assert remarks.splitlines().count("Nothing was said yet.") == 2


def test_where_there_is_no_other_answer_the_last_one_stays(tmp_path: Path) -> None:
    long = "What is bread? " * 1200  # fills the context
    _, kept = said_and_kept(tmp_path, "Hello", f"/system {long}", "/retry", "/system")
    assert [m["role"] for m in kept] == ["user", "assistant"]


def test_the_system_prompt_is_said_and_taken_away(small: Path, tmp_path: Path) -> None:
    lines = ("/system You are a guard.", "Hello")
    _, kept = said_and_kept(tmp_path, *lines, model=small)
    assert kept[0] == {"role": "system", "content": "You are a guard."}
    _, plain = said_and_kept(tmp_path, "Hello", model=small)
    assert kept[2]["content"] != plain[1]["content"]
    _, gone = said_and_kept(tmp_path, lines[0], "/system", "Hello", model=small)
    assert gone == plain


# -- saved and loaded -----------------------------------------------------------------------


def test_a_conversation_goes_on_where_it_was_saved(tmp_path: Path) -> None:
    first, last = tmp_path / "first.json", tmp_path / "last.json"
    begun = ("/system You are a guard.", "/feel joy=2,fear=ramp(0,1,8)", "Hello")
    whole, _ = talk(SPEAKER, *begun, f"/save {first}", "Who are you?", "/retry", f"/save {last}")
    on, remarks = talk(SPEAKER, f"/load {first}", "Who are you?", "/retry", f"/save {tmp_path}/on")
    assert whole.splitlines()[1:] == on.splitlines()
    assert json.loads((tmp_path / "on").read_text()) == json.loads(last.read_text())
    assert "1 turn loaded from" in remarks
    assert "> Hello" in remarks
    assert "joy=2,fear=ramp(0,1" in remarks


def test_a_mood_is_written_and_felt_again(tmp_path: Path) -> None:
    file = tmp_path / "mood.json"
    _, remarks = talk(
        SPEAKER, "/feel joy=wave(0,1,9),$inertia=2", f"/mood {file}", "/feel", f"/feel @{file}"
    )
    assert f"Wrote {file}" in remarks
    shown = [line for line in remarks.splitlines() if "(can feel" in line]
    assert shown[0] == shown[2] != shown[1]


def test_messages_of_others_are_loaded(small: Path, tmp_path: Path) -> None:
    file = tmp_path / "theirs.json"
    said = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello\nthere"}]
    file.write_text(json.dumps({"messages": said}))
    _, remarks = talk(small, "/feel joy=1", f"/load {file}", f"/save {tmp_path}/ours.json")
    assert "> Hi\nHello\nthere\n" in remarks
    ours = json.loads((tmp_path / "ours.json").read_text())
    assert [(m["role"], m["content"]) for m in ours["messages"]] == [
        ("user", "Hi"), ("assistant", "Hello\nthere")
    ]  # fmt: skip
    assert ours["mood"] == {"joy": 1.0}  # a file that says no mood changes none


USER = {"role": "user", "content": "Hi"}
GUARD = {"role": "assistant", "content": "Who is it?"}


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ('{"joy": 1}', "is no conversation"),
        ("[]", "is no conversation"),
        ('{"messages": [1]}', "message 1 is not"),
        ({"messages": [{**USER, "content": None}]}, "message 1 is not"),
        ({"messages": [USER, {**GUARD, "role": "tool"}]}, "message 2 is not"),
        ({"messages": [USER]}, "in turn"),
        ({"messages": [GUARD, USER]}, "in turn"),
        ({"messages": [USER, GUARD, {**USER, "role": "system"}, GUARD]}, "in turn"),
        ({"messages": [USER, {**GUARD, "mood": "@/secret"}]}, "mood of an answer is '@/secret'"),
        ({"messages": [USER, {**GUARD, "seed": "7"}]}, "seed of an answer is '7'"),
        ({"messages": [USER, {**GUARD, "seed": True}]}, "seed of an answer is True"),
        ({"messages": [USER, GUARD], "mood": "@/secret"}, "mood is '@/secret', expected an object"),
    ],
)
def test_what_is_no_conversation_is_not_loaded(
    small: Path, tmp_path: Path, written: Any, says: str
) -> None:
    file = tmp_path / "strange.json"
    file.write_text(written if isinstance(written, str) else json.dumps(written))
    saved = tmp_path / "saved.json"
    _, remarks = talk(small, "Hello", f"/load {file}", "/load", "/load none", f"/save {saved}")
    assert f"{file}: " in remarks
    assert says in remarks
    assert "From where? /load FILE" in remarks
    assert "none: cannot be read" in remarks
    assert len(json.loads(saved.read_text())["messages"]) == 2  # what was said stays


def test_a_mood_that_cannot_be_had_here_is_told(small: Path, tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    file.write_text(json.dumps({"mood": {"awe": 1}, "messages": [USER, GUARD]}))
    _, remarks = talk(small, "/feel joy=1", f"/load {file}")
    assert "Note: its mood is not felt here: mood at 'awe'" in remarks
    assert "1 turn loaded" in remarks
    assert remarks.splitlines()[-1].startswith("joy=1 ")


# -- the context ----------------------------------------------------------------------------


def test_the_oldest_turns_are_forgotten_and_it_says_so(small: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.json"
    lines = [f"This is line number {i} of many that are said." for i in range(5)]
    _, remarks = talk(small, *lines, f"/save {saved}", options=(*CHAT, "--ctx", "256"))
    assert "The context is full: the oldest 1 of the remembered turns are forgotten." in remarks
    assert len(json.loads(saved.read_text())["messages"]) == 10  # all of it is saved


def test_what_is_kept_is_the_system_prompt_and_the_newest_turns(random_chat: Path) -> None:
    llm = llamood.Llama(random_chat, n_ctx=512, n_threads=1, verbose=False)
    turns = [Turn(f"question {i}", f"answer {i}", {}, 0, "stop") for i in range(20)]
    conversation = Conversation(system="You are a guard.", turns=turns)
    tokens = conversation.prompt(llm, "the last one", room=100)
    kept = turns[conversation.forgotten :]
    assert 0 < len(kept) < 20
    text = llm.detokenize(tokens).decode()
    assert "You are a guard." in text
    assert "the last one" in text
    assert all((turn.user in text) == (turn in kept) for turn in turns if turn.user[-2] != " ")
    assert len(tokens) + 100 <= 512
    one_more = Conversation(system="You are a guard.", turns=turns[conversation.forgotten - 1 :])
    assert len(chat_tokens(llm, one_more._messages("the last one", 0))) + 100 > 512

    with pytest.raises(ModelError, match="context 512"):
        conversation.prompt(llm, "x" * 600, room=100)
    assert turns[conversation.forgotten :] == kept  # a line too long costs no history
    llm.close()
