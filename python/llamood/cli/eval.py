"""``llamood eval``: measure whether steering works on a model."""

from __future__ import annotations

import importlib.util
import shlex
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from llamood import demo
from llamood.calibration.measuring import CONTROLS, PAPERS
from llamood.cli import eval_report, models, options
from llamood.cli.consoles import progress, remark
from llamood.cli.judging import KNOWN_TEXTS, JudgeType, Jury
from llamood.cli.prompts import first_questions, user_turn
from llamood.cli.terminal import echo
from llamood.errors import FileError, LlamoodError
from llamood.evaluation.answer_log import Answer
from llamood.evaluation.conditions import (
    INTENSITIES,
    KINDS,
    PAPER,
    SHUFFLED,
    UNSTEERED,
    VECTOR,
    Condition,
    Kind,
    Range,
    controlled,
    paper_axes,
)
from llamood.evaluation.evaluation import TOKENS, Evaluation, with_nll
from llamood.evaluation.third_party_answers import read_answers
from llamood.evaluation.verdicts import joint_findings
from llamood.extras import to_install
from llamood.judges.jury import BUNDLED
from llamood.vectors.emotion_vectors import BASE, EmotionVectors
from llamood.vectors.files import load
from llamood.voices.answering import MOST_PARALLEL, PARALLEL


class LayersType(click.ParamType[Range]):
    """``first:last``."""

    name = "layers"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Range:
        first, _, last = str(value).partition(":")
        if not (first.isdecimal() and last.isdecimal()):
            self.fail(f"first:last was expected, as in 8:20, not {value}", param, ctx)
        return int(first), int(last)


class IntensitiesType(click.ParamType[tuple[float, ...]]):
    """Numbers with commas between them."""

    name = "intensities"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        try:
            return tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"numbers were expected, as in 0,0.5,1, not {value}", param, ctx)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What answers are asked for."""

    emotions: EmotionVectors
    controls: Mapping[Kind, EmotionVectors]
    n_question: int | None
    layers: Range | None
    intensities: tuple[float, ...]
    paper: bool
    without: tuple[Kind, ...]
    max_tokens: int
    seed: int

    def conditions(self) -> tuple[Condition, ...]:
        if self.paper:
            return paper_axes(self.emotions)
        made = controlled(self.emotions, intensities=self.intensities, kinds=self.controls)
        return tuple(condition for condition in made if condition.kind not in self.without)

    def options(self) -> dict[str, Any]:
        """As they are written."""
        return {
            "--questions": self.n_question,
            "--layers": None if self.layers is None else f"{self.layers[0]}:{self.layers[1]}",
            "--paper": self.paper or None,
            "--without": self.without or None,
            "--intensities": None if self.paper else _listed(self.intensities),
            "--max-tokens": self.max_tokens,
            "--seed": self.seed,
        }


@dataclass(frozen=True, kw_only=True)
class Answered:
    """Answers, and how they came about as far as it is known."""

    answers: tuple[Answer, ...]
    emotions: EmotionVectors | None = None
    settings: dict[str, Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Evaluation | None = None


@click.command("eval")
@click.argument("model", metavar="MODEL", required=False)
@options.vectors_option
@click.option("-o", "--output", metavar="FOLDER", required=True, help="Where the report goes.")
@click.option(
    "--answers",
    "given",
    metavar="PATH",
    help="Judge these answers and ask nothing: a JSON list, answers.jsonl, or a folder of "
    "INTENSITY/EMOTION.json. MODEL then only says how surprising they are.",
)
@click.option(
    "--questions",
    "n_question",
    type=click.IntRange(min=2),
    help="How many plain questions are asked. Default: all that calibrate does not ask.",
)
@click.option(
    "--layers",
    type=LayersType(),
    metavar="A:B",
    help="Add in these layers only. Default: in all.",
)
@click.option(
    "--intensities",
    type=IntensitiesType(),
    default=",".join(f"{each:g}" for each in INTENSITIES),
    show_default=True,
    help="Multiples of each emotion's ceiling, or of 1 where it has none.",
)
@click.option(
    "--without",
    type=click.Choice([kind for kind in KINDS if kind not in (UNSTEERED, VECTOR)]),
    multiple=True,
    help="Leave these conditions out. May be given again.",
)
@click.option(
    "--paper",
    is_flag=True,
    help="The paper's axes instead: base at -1, 0, 1, 2, 4, each emotion at 0, 1, 2, 4.",
)
@click.option(
    "--judge",
    "judges",
    type=JudgeType(),
    multiple=True,
    default=(BUNDLED,),
    show_default=True,
    help="bundled; reading, what the hidden states of MODEL say of a text; self, the unsteered "
    "model by the likelihood of each label, or gguf:PATH, any other; or hf:PATH, a Hugging Face "
    "text classifier on disk. May be given again: tables are by "
    "all, pictures by the first.",
)
@click.option(
    "--known",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Labelled texts (.tsv, .csv, .jsonl) that judges are tried on. Default: those that ship "
    "with llamood.",
)
@click.option(
    "--embedder",
    metavar="GGUF",
    type=click.Path(path_type=Path),
    help="Embeds questions and answers. Default: MODEL, by its mean last hidden state.",
)
@options.max_tokens_option(TOKENS)
@options.seed_option
@click.option(
    "--parallel",
    type=click.IntRange(min=1, max=MOST_PARALLEL),
    default=PARALLEL,
    show_default=True,
    help="Answers at a time.",
)
@click.option("--restart", is_flag=True, help="Forget an unfinished evaluation.")
@options.hardware_options
@options.json_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    model: str | None,
    emotions: str | None,
    output: str,
    given: str | None,
    n_question: int | None,
    layers: Range | None,
    intensities: tuple[float, ...],
    without: tuple[Kind, ...],
    paper: bool,
    judges: tuple[str, ...],
    known: Path | None,
    embedder: Path | None,
    max_tokens: int,
    seed: int,
    parallel: int,
    restart: bool,
    hardware: dict[str, Any],
    as_json: bool,
) -> None:
    """Let MODEL answer plain questions unsteered, in each emotion at several intensities, and
    under controls: asked for the emotion in words, also by degrees, both together, and with a
    random vector.

    Writes report.html, results.json, table.md and every answer (answers.jsonl). Stopped at any
    point, the same command goes on where it was. With --answers, what other systems answered
    comes into the same tables.

    \b
    Examples:
      llamood eval demo -o report/
      llamood eval model.gguf -e evs/ -o report/ --questions 30 --intensities 0,0.5,1
      llamood eval --answers theirs.json -o theirs/
    """
    require_extras()
    path = None if model is None else models.model_path(model)
    if path is not None:
        models.require_model(path)
    tried_on = known or (KNOWN_TEXTS if KNOWN_TEXTS.exists() else None)
    read_with = Path(emotions) if emotions else model and models.default_vectors(model)
    jury = Jury(tuple(dict.fromkeys(judges)), path, embedder, tried_on, hardware, read_with or None)
    jury.require()
    folder = Path(output)
    if given is not None:
        answered = _read(Path(given), emotions, jury)
    elif model is None:
        raise click.UsageError("say which MODEL answers, or which answers to judge (--answers)")
    else:
        vectors = _vectors(model, emotions, jury)
        asked = Asked(
            emotions=vectors, controls=_controls(model, emotions, vectors.names),
            n_question=n_question, layers=layers, intensities=intensities, paper=paper,
            without=without,
            max_tokens=max_tokens, seed=seed,
        )  # fmt: skip
        found = _ask(model, asked, folder, hardware, parallel=parallel, restart=restart)
        if found is None:
            ctx.exit(1)
        answered = found
    written = {"-e": emotions, "--answers": given, "-o": output, **answered.options}
    written |= {"--judge": None if judges == (BUNDLED,) else jury.judges}
    written |= {"--known": known, "--embedder": embedder}
    report = {
        "command": _command(model, written),
        "model": None if path is None else path.name,
        "axes": "paper" if paper else "controlled",
        "judge": jury.names[0],
        "embedder": None if embedder is None else embedder.name,
        "settings": answered.settings,
        **_judged(answered.answers, jury),
        "vectors": eval_report.plane(answered.emotions),
    }
    paths = eval_report.write(folder, report, answered.answers)
    if answered.evaluation is not None:
        answered.evaluation.forget()
    if as_json:
        echo(eval_report.to_json(report), nl=False)
    else:
        eval_report.show(report, paths)


def require_extras() -> None:
    """Raise `LlamoodError` without them: they are needed when all answers are given."""
    for name in ("scipy", "matplotlib"):
        if importlib.util.find_spec(name) is None:
            raise LlamoodError(
                f"llamood eval needs {name}, which is not installed: {to_install('eval')}"
            )


def _vectors(model: str, emotions: str | None, jury: Jury) -> EmotionVectors:
    """Those that the judge knows."""
    vectors = models.default_vectors(model) if emotions is None else Path(emotions)
    if not vectors.exists():
        raise FileError(
            vectors, f"no emotion vectors there; measure them (llamood extract {model})"
        )
    evs = load(vectors)
    return evs.select(jury.known(evs.names))


def _controls(model: str, emotions: str | None, names: Sequence[str]) -> dict[Kind, EmotionVectors]:
    """Those that extract has left beside the vectors."""
    vectors = models.default_vectors(model) if emotions is None else Path(emotions)
    folders: dict[Kind, Path] = {SHUFFLED: vectors / CONTROLS, PAPER: vectors / PAPERS}
    found = {kind: load(folder) for kind, folder in folders.items() if folder.is_dir()}
    return {kind: evs for kind, evs in found.items() if set(names) <= set(evs.names)}


def _questions() -> tuple[str, ...]:
    """Such as neither vectors nor doses were found with."""
    return demo.questions()


def _ask(
    model: str,
    asked: Asked,
    folder: Path,
    hardware: dict[str, Any],
    *,
    parallel: int,
    restart: bool,
) -> Answered | None:
    """Ask what is left, with a bar; what llamood warns of stands below it. None where the person
    stopped it."""
    evaluation = Evaluation(
        models.model_path(model),
        emotions=asked.emotions,
        prompt=user_turn,
        questions=first_questions(_questions(), asked.n_question),
        output=folder,
        layers=asked.layers,
        conditions=asked.conditions(),
        controls=asked.controls,
        max_tokens=asked.max_tokens,
        seed=asked.seed,
        parallel=parallel,
        restart=restart,
        **hardware,
    )
    if evaluation.done:
        remark(f"Going on at {evaluation.done} of {evaluation.total}.")
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always", UserWarning)
        try:
            with progress(f"Asking {models.model_path(model).name}", keep=True) as advance:
                evaluation.run(advance)
        except KeyboardInterrupt:
            remark(
                f"\nStopped at {evaluation.done} of {evaluation.total}. The answers are kept in "
                f"{folder}; the same command goes on from there, and --restart begins again."
            )
            return None
    for said in dict.fromkeys(str(warning.message) for warning in remarks):
        remark(f"Note: {said}")
    return Answered(
        answers=evaluation.answers,
        emotions=asked.emotions,
        settings=evaluation.settings,
        options=asked.options(),
        evaluation=evaluation,
    )


def _read(path: Path, emotions: str | None, jury: Jury) -> Answered:
    """Answers made elsewhere, of the emotions that the judge knows."""
    answers = read_answers(path)
    known = {*jury.known(_asked_for(answers)), BASE, None}
    answers = tuple(answer for answer in answers if answer.emotion in known)
    if jury.model is not None:
        with progress("Reading", keep=True) as advance:
            answers = with_nll(
                answers, model=jury.model, prompt=user_turn, progress=advance, **jury.hardware
            )
    evs = None if emotions is None else load(Path(emotions))
    return Answered(answers=answers, emotions=evs)


def _judged(answers: Sequence[Answer], jury: Jury) -> dict[str, Any]:
    topics = jury.topics(answers)
    return joint_findings(answers, jury.verdicts(answers, _asked_for(answers)), topics=topics)


def _asked_for(answers: Sequence[Answer]) -> list[str]:
    """The emotions, in order; the mean of all is none that a judge could know."""
    names = dict.fromkeys(answer.emotion for answer in answers)
    return [name for name in names if name is not None and name != BASE]


def _command(model: str | None, written: Mapping[str, Any]) -> str:
    """That gives the same report; options that are None are not written, those of several values
    for each of these."""
    words = ["llamood", "eval", *([] if model is None else [model])]
    for name, value in written.items():
        for each in value if isinstance(value, tuple) else (value,):
            if each is not None:
                words += [name] if each is True else [name, str(each)]
    return shlex.join(words)


def _listed(numbers: Sequence[float]) -> str:
    return ",".join(f"{each:g}" for each in numbers)
