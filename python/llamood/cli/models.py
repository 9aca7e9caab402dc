"""What MODEL and -e mean, and how a model is opened for a command."""

from __future__ import annotations

import warnings
from pathlib import Path

from llamood import demo
from llamood.cli.consoles import remark
from llamood.cli.options import Device, GuardChoice
from llamood.errors import FileError, LlamoodError, ModelError
from llamood.extras import to_install
from llamood.moods.mood import Mood
from llamood.readings.probe import FILE_NAME, Probe
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.gguf_header import trained_context
from llamood.voices.collapse_monitor import Care
from llamood.voices.llama import Llama

DEMO = "demo"
LARGEST_DEFAULT_CONTEXT = 4096  # tokens; models are trained for more than memory may hold
CONTEXT_STEP = 256  # llama.cpp rounds a context up to this; llama_cpp's buffers do not follow


def model_path(model: str) -> Path:
    """The file that MODEL names. Raises `ModelError` for ``demo`` where that is not installed."""
    return demo.MODEL if model == DEMO else Path(model)


def default_vectors(model: str) -> Path:
    """``<model>.evs`` beside the model file; for ``demo`` those that come with llamood."""
    if model == DEMO:
        return demo.VECTORS
    path = Path(model)
    return path.with_name(path.name.removesuffix(".gguf") + ".evs")


def open_in_mood(
    model: str,
    *,
    emotions: str | None,
    mood: Mood,
    device: Device,
    guard: GuardChoice,
    reading: bool = False,
) -> Llama:
    """MODEL with the vectors of -e, else with the default ones if they are there, in this mood.
    ``reading``: and with readings, where their baseline is there.

    Raises `ModelError` if it does not load, `FileError` for a mood without vectors.
    """
    require_model(model_path(model))
    vectors = default_vectors(model) if emotions is None else Path(emotions)
    if emotions is None and not vectors.exists():
        if not mood.is_neutral:
            raise FileError(
                vectors,
                f"no emotion vectors there; measure them (llamood extract {model}), or say where "
                "they are (-e PATH)",
            )
        return open_model(model, emotions=None, device=device)
    llm = open_model(
        model,
        emotions=vectors,
        device=device,
        readings=reading and has_baseline(vectors),
        guard=False if guard == "off" else guard,
    )
    llm.feel(mood)
    return llm


def has_baseline(vectors: Path) -> bool:
    """Whether a baseline of readings lies with these vectors that is good enough to show; where it
    is not, a remark says so."""
    return unread(vectors) is None


def unread(vectors: Path, *, is_asked: bool = False) -> str | None:
    """Why nothing is read with these vectors, in words; None where something is. A remark tells of
    a baseline in doubt. Raises `FileError` where there is none and readings are asked for."""
    folder = vectors if vectors.is_dir() else vectors.parent
    if not is_asked and not (folder / FILE_NAME).is_file():
        return "no baseline lies with these vectors"
    doubt = Probe.load(folder).doubt
    if doubt is not None:
        remark(f"Note: nothing is read of this model: {doubt}.")
    return doubt


def open_model(
    model: str,
    *,
    emotions: Path | EmotionVectors | None,
    device: Device,
    readings: bool | Probe = False,
    guard: bool | Care = True,
) -> Llama:
    """MODEL in llama.cpp, silent, with the vectors. Raises `ModelError` if it does not load."""
    path = model_path(model)
    require_model(path)
    trained = trained_context(path) or LARGEST_DEFAULT_CONTEXT
    context = device.ctx or min(trained, LARGEST_DEFAULT_CONTEXT)
    context += -context % CONTEXT_STEP
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always", UserWarning)
        try:
            llm = Llama(
                path,
                emotions=emotions,
                site="layer_out" if readings else None,  # for which their baseline was measured
                readings=readings,
                guard=guard,
                n_ctx=context,
                verbose=False,
                **device.hardware(),
            )
        except LlamoodError:
            raise
        except ValueError as error:  # llama_cpp has no type of its own for this
            raise ModelError(
                f"{path}: llama.cpp cannot load this model ({error}); it may be damaged, of an "
                "architecture newer than this llama.cpp, or too large for the memory "
                "(--n-gpu-layers 0 keeps it off the GPU, --ctx takes a smaller context)"
            ) from error
    for warning in remarks:
        remark(f"Note: {warning.message}")
    return llm


def require_model(path: Path) -> None:
    """Raise `ModelError` unless there is a GGUF file."""
    if not path.is_file():
        found = "a folder" if path.is_dir() else "nothing there"
        raise ModelError(
            f"{path}: a GGUF model was expected, found {found}; {DEMO!r} is one to try "
            f"({to_install('demo')})"
        )
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    if magic != b"GGUF":
        raise ModelError(f"{path}: a GGUF model was expected, found a file of another kind")
