"""Every public name of the package, with its signature and what its docstring says."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from reference.markdown import cell, code, notes, page, prose, table

# Packages in the order of their layers, and names that are taken from modules of theirs.
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "llamood": (),
    "llamood.vectors": ("conversion.export",),
    "llamood.moods": (
        "shapes.Constant",
        "triggers.When",
        "personality.Personality",
        "personality.personalities",
        "affect.AffectMap",
        "trace.Trace",
        "schema.mood_schema",
    ),
    "llamood.readings": (),
    "llamood.voices": (
        "character.Character",
        "event.Event",
        "answer_stream.AnswerStream",
        "sampling.Sampling",
        "faces.Faces",
        "feel_tool.FeelTool",
        "feel_tool.Feeling",
        "feel_tool.Feelings",
    ),
    "llamood.extraction": ("directions", "words"),
    "llamood.judges": (),
    "llamood.calibration": (),
    "llamood.evaluation": (),
    "llamood.demo": ("MODEL", "VECTORS", "SUGGESTIONS", "questions"),
    "llamood.errors": (
        "LlamoodError",
        "FileError",
        "FilesError",
        "ModelError",
        "MoodError",
        "VectorError",
        "MoodWarning",
    ),
}


_LONGEST_DEFAULT = 40


def public(package: str) -> list[str]:
    """The names of a package that anybody may use, those of its modules with a dot."""
    return [*getattr(import_module(package), "__all__", ()), *PACKAGES[package]]


def found(package: str, name: str) -> Any:
    """What is called so."""
    *modules, last = f"{package}.{name}".split(".")
    if name.startswith("MODEL"):  # of the demo, whose package may not be installed
        return None
    return getattr(import_module(".".join(modules)), last)


def written() -> str:
    told: set[int] = set()
    return page(
        "# Python",
        notes(__file__),
        *(part for package in PACKAGES for part in _package(package, told)),
    )


def _package(package: str, told: set[int]) -> Iterator[str]:
    yield f"## {package}"
    yield prose(import_module(package).__doc__ or "")
    for name in public(package):
        value = found(package, name)
        if isinstance(value, ModuleType):
            yield f"### {package}.{name}"
            yield prose(value.__doc__ or "")
            if value.__name__ not in PACKAGES:
                yield table(["function", ""], _functions(value))
        elif id(value) in told and value is not None:
            yield f"`{package}.{name}` is `{_first_place(value)}`."
        else:
            told.add(id(value))
            yield from _value(f"{package}.{name}", value)
    if package == "llamood":
        yield "`llamood.__version__` is the version, as a text."


def _first_place(value: Any) -> str:
    for package in PACKAGES:
        for name in public(package):
            if found(package, name) is value:
                return f"{package}.{name}"
    raise KeyError(value)


def _functions(module: ModuleType) -> Iterator[list[str]]:
    for name, value in vars(module).items():
        mine = getattr(value, "__module__", None) == module.__name__
        if mine and inspect.isfunction(value) and not name.startswith("_"):
            brief = (inspect.getdoc(value) or "").split("\n\n")[0]
            yield [f"`{name}`", cell(brief)]


def _value(name: str, value: Any) -> Iterator[str]:
    yield f"### {name}"
    if inspect.isclass(value):
        called = signature(name.rsplit(".", 1)[1], value)
        if called is not None:
            yield code(called, "python")
        yield prose(_own_doc(value))
        told = [each for each in value.__mro__[1:] if each in documented()]
        if told and not issubclass(value, Exception):
            yield f"Beside what is here it has what `{_first_place(told[0])}` has."
        for member, each in members(value):
            yield from _member(f"{value.__name__}.{member}", each)
    elif inspect.isfunction(inspect.unwrap(value) if callable(value) else value):
        yield code(signature(value.__name__, value) or "", "python")
        yield prose(inspect.getdoc(value) or "")
    else:
        yield prose(CONSTANTS[name])


# What is no class and no function has no docstring.
CONSTANTS: Mapping[str, str] = {
    "llamood.vectors.Site": "Where vectors are added: ``layer_out``, the end of a block, or "
    "``attn_out``, between attention and MLP.",
    "llamood.voices.faces.Faces": "What a face can show: emotions, or label -> the emotion that it "
    "shows, None for the neutral face.",
    "llamood.voices.feel_tool.Feelings": "Emotions that a voice may set itself: their names, "
    "emotion -> its largest intensity, or True for all.",
    "llamood.demo.MODEL": "The path of SmolLM2-135M-Instruct (Q4_1), a file of the package of the "
    "extra ``demo``. Raises `ModelError` where that is not installed.",
    "llamood.demo.VECTORS": "The folder of the vectors that come with llamood for it.",
    "llamood.demo.SUGGESTIONS": "Everyday questions such as a small model answers at length, and a "
    "feeling shows in.",
}


@cache
def documented() -> frozenset[type]:
    """The classes that have public names."""
    values = (found(package, name) for package in PACKAGES for name in public(package))
    return frozenset(each for each in values if inspect.isclass(each))


def members(cls: type) -> Iterator[tuple[str, Any]]:
    """Public methods and properties that llamood wrote, of the class and of those that it inherits
    from, where these are not told of themselves."""
    seen: set[str] = set()
    for owner in cls.__mro__:
        is_ours = owner.__module__.startswith("llamood.") and owner.__module__ != "llamood._core"
        if not is_ours or (owner is not cls and owner in documented()):
            continue
        for name, each in vars(owner).items():
            if name in seen or (name.startswith("_") and name != "__call__"):
                continue
            if isinstance(each, property | classmethod | staticmethod) or inspect.isfunction(each):
                seen.add(name)
                yield name, each


def _member(name: str, member: Any) -> Iterator[str]:
    yield f"#### {name}"
    if isinstance(member, property):
        returns = inspect.signature(member.fget).return_annotation if member.fget else ""
        yield code(f"{name.split('.')[1]}: {returns}", "python")
        yield prose(inspect.getdoc(member) or "")
        return
    function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
    yield code(signature(name.split(".")[1], function) or "", "python")
    yield prose(inspect.getdoc(function) or "")


def _own_doc(cls: type) -> str:
    return inspect.cleandoc(cls.__doc__ or "")


def signature(name: str, value: Any) -> str | None:
    """As it is called, a parameter a line where one line would be too long; None of errors, which
    are called by llamood alone, and have no signature that Python could tell."""
    try:
        taken = inspect.signature(value)
    except ValueError:
        return None
    words, kind_before = [], None
    for each in taken.parameters.values():
        if each.name in ("self", "cls"):
            continue
        if each.kind is each.KEYWORD_ONLY and kind_before not in (
            each.KEYWORD_ONLY,
            each.VAR_POSITIONAL,
        ):
            words.append("*")
        if kind_before is each.POSITIONAL_ONLY and each.kind is not each.POSITIONAL_ONLY:
            words.append("/")
        words.append(_parameter(each))
        kind_before = each.kind
    if kind_before is inspect.Parameter.POSITIONAL_ONLY:
        words.append("/")
    back = taken.return_annotation
    returns = "" if inspect.isclass(value) or back is inspect.Signature.empty else f" -> {back}"
    line = f"{name}({', '.join(words)}){returns}"
    if len(line) <= 88:
        return line
    inner = "".join(f"    {word},\n" for word in words)
    return f"{name}(\n{inner}){returns}"


def _parameter(each: inspect.Parameter) -> str:
    stars = {each.VAR_POSITIONAL: "*", each.VAR_KEYWORD: "**"}.get(each.kind, "")
    annotation = "" if each.annotation is each.empty else f": {each.annotation}"
    if each.default is each.empty:
        return f"{stars}{each.name}{annotation}"
    default = repr(each.default)
    if default.startswith("<") or len(default) > _LONGEST_DEFAULT:
        default = "..."
    sign = " = " if annotation else "="
    return f"{stars}{each.name}{annotation}{sign}{default}"
