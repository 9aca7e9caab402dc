"""How a schedule is written: JSON, Python's form, and the command line's short form.

    {"ramp": [0, 1.2], "over": 64}      ramp(0, 1.2, over=64)      ramp(0,1.2,over=64)

All three are read off the parameters of each kind, so none can say what another cannot, and a
fault has the same place in all: its place in the JSON form. The short form is Python's without
spaces, in which the words of ``ease`` need no quotes and ``return_`` is written ``return``.
"""

from __future__ import annotations

import ast
import difflib
import json
import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from llamood import _core
from llamood.errors import MoodError
from llamood.moods import composition, shapes
from llamood.moods.composition import Product, Sum
from llamood.moods.parameters import KINDS as TABLE
from llamood.moods.parameters import Parameter, found, parameters
from llamood.moods.schedule import Schedule, with_owners
from llamood.moods.shapes import Constant
from llamood.moods.triggers import Custom, Hold, On, When

Json = Any

LONGEST_SHORT = 4096  # characters

# In the order of the table.
KINDS: Mapping[str, type[Schedule]] = {kind: Schedule.kinds[kind] for kind in TABLE}
FUNCTIONS: Mapping[str, type[Schedule]] = {
    kind: cls
    for kind, cls in KINDS.items()
    if cls.__module__ == shapes.__name__ or cls in (On, When, Hold)
}
METHODS: Mapping[str, type[Schedule]] = {
    kind: cls
    for kind, cls in KINDS.items()
    if cls.__module__ == composition.__name__ and cls not in (Sum, Product)
}
# In JSON these stand beside the keys of the schedule that they start and limit; of bounds there may
# be no schedule beside.
BOUNDS = ("floor", "cap")
BESIDE = ("on", "max", *BOUNDS)
JSON_KINDS: Mapping[str, type[Schedule]] = {
    kind: cls for kind, cls in KINDS.items() if kind not in BESIDE
}
STARTED = "start"  # the key of what `on` starts, where that cannot stand beside it


# -- JSON --------------------------------------------------------------------------------------


def to_json(schedule: Schedule) -> Json:
    """JSON-able; a constant is a number. Raises MoodError where a Python function is in it."""
    _require_written(schedule)
    return _with_lists(schedule.core.written())


def _with_lists(value: Any) -> Json:
    if isinstance(value, dict):
        return {key: _with_lists(part) for key, part in value.items()}
    return [_with_lists(part) for part in value] if isinstance(value, tuple) else value


def _said(schedule: Schedule) -> Iterable[Parameter]:
    """The parameters that are not at their default."""
    for p in parameters(schedule.kind):
        if p.required or getattr(schedule, p.attribute) != p.default:
            yield p


def _require_written(schedule: Schedule) -> None:
    if schedule.calls:
        raise MoodError("", "a Python function has no written form; write a schedule instead")


def from_json(value: Any) -> Schedule:
    """A number or an object as :func:`to_json` writes it. Schedules and functions may stand in it.

    Raises MoodError; its place lies in ``value``.
    """
    owners = with_owners(value)
    return (
        owners
        if isinstance(owners, Schedule)
        else Schedule.standing_for(_core.Schedule.read(owners))
    )


# -- what all forms share ----------------------------------------------------------------------


def close_to(word: Any, known: Iterable[str]) -> list[str]:
    """The known word that may have been meant, or none."""
    return difflib.get_close_matches(str(word), known, n=1)


def _refuse(word: Any, takes: str, known: Iterable[str]) -> NoReturn:
    """``takes``: what takes the known words, as the message says it."""
    close = close_to(word, known)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise MoodError(str(word)[:40], f"unknown; {takes} {', '.join(known)}{hint}")


# -- Python's form and the short form ----------------------------------------------------------


def to_python(schedule: Schedule) -> str:
    """``eval`` of it, with the names of llamood, gives the schedule again."""
    return _expression(schedule, short=False)


def to_short(schedule: Schedule) -> str:
    """:func:`parse` of it gives the schedule again.

    Raises MoodError where a Python function is in it, or for more than is read back.
    """
    _require_written(schedule)
    text = _argument(schedule, None, short=True)
    if len(text) > LONGEST_SHORT:
        _refuse_long()
    return text


def _refuse_long() -> NoReturn:
    raise MoodError("", f"longer than {LONGEST_SHORT} characters; write it as JSON, in a file")


def _expression(schedule: Schedule, *, short: bool) -> str:
    """What is a schedule in Python too, and not only a number or function that becomes one."""
    if isinstance(schedule, Custom):
        return f"Custom({_argument(schedule, None, short=short)})"
    if isinstance(schedule, Sum | Product):
        return _operation(schedule, short=short)
    method = schedule.kind in METHODS
    words = []
    for p in _said(schedule):
        word = _argument(getattr(schedule, p.attribute), p, short=short)
        # Without its name: what every one of the kind has, and what a method says first.
        plain = p.main or p.beside or (method and p.required)
        words.append(word if plain else f"{p.key if short else p.attribute}={word}")
    if not method:
        return f"{schedule.kind}({_listed(words, short=short)})"
    first = getattr(schedule, parameters(schedule.kind)[0].attribute)
    receiver = _expression(first, short=short)
    if isinstance(first, Sum | Product):
        receiver = f"({receiver})"
    return f"{receiver}.{schedule.kind}({_listed(words[1:], short=short)})"


def _operation(schedule: Sum | Product, *, short: bool) -> str:
    words = []
    for part in schedule.parts:
        word = _argument(part, None, short=short)
        nested = isinstance(part, Sum) and isinstance(schedule, Product)
        words.append(f"({word})" if nested else word)
    # Python would add two numbers before there is a schedule, so the first is written as one.
    if all(isinstance(part, Constant | Custom) for part in schedule.parts[:2]):
        words[0] = _expression(schedule.parts[0], short=short)
    sign = "+" if isinstance(schedule, Sum) else "*"
    return (sign if short else f" {sign} ").join(words)


def _argument(value: Any, p: Parameter | None, *, short: bool) -> str:
    if isinstance(value, Constant):
        return _argument(value.value, None, short=short)
    if isinstance(value, Custom):
        return str(getattr(value.function, "__name__", repr(value.function)))
    if isinstance(value, Schedule):
        return _expression(value, short=short)
    if isinstance(value, str):
        bare = short and p is not None and p.kind["type"] == "choice"
        return value if bare else json.dumps(value, ensure_ascii=False)
    if isinstance(value, tuple):
        return f"[{_listed([_argument(part, None, short=short) for part in value], short=short)}]"
    return repr(value).removesuffix(".0")


def _listed(words: Iterable[str], *, short: bool) -> str:
    return ("," if short else ", ").join(words)


# Texts are passed over; these before an equals sign are parameters.
_NO_NAMES = re.compile(
    r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|\b(return|else|then)(?=\s*=)""", re.DOTALL
)
_EXAMPLE = "a number or a schedule was expected, as in 0.8 or ramp(0,1.2,over=64)"


def parse(text: str) -> Schedule:
    """The short form (or Python's). Nothing is evaluated: Python only takes the text apart.

    Raises MoodError.
    """
    if len(text) > LONGEST_SHORT:
        _refuse_long()
    source = _NO_NAMES.sub(lambda match: match[1] or f"{match[2]}_", text.strip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what looks odd as a program
            return _schedule(ast.parse(source, mode="eval").body)
    except MoodError:
        raise
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise MoodError("", f"{_EXAMPLE}, found {found(text)}") from None


def _schedule(node: ast.expr) -> Schedule:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mult):
        joined = Sum if isinstance(node.op, ast.Add) else Product
        parts = enumerate(_operands(node, type(node.op)))
        return joined(tuple(_placed(f"{joined.kind}[{i}]", part) for i, part in parts))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id in BOUNDS:  # of an emotion to which nothing is added
            return _call(METHODS[node.func.id], [ast.Constant(0), *node.args], node.keywords)
        return _call(_known(node.func.id, FUNCTIONS), node.args, node.keywords)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        cls = _known(node.func.attr, METHODS)
        return _call(cls, [node.func.value, *node.args], node.keywords)
    return from_json(_literal(node))


def _known(name: str, known: Mapping[str, type[Schedule]]) -> type[Schedule]:
    if name not in known:
        _refuse(name, "known after a dot are" if known is METHODS else "known are", known)
    return known[name]


def _operands(node: ast.expr, operator: type[ast.operator]) -> list[ast.expr]:
    """``a + b + c`` taken apart, however many there are."""
    operands: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, operator):
        operands.append(node.right)
        node = node.left
    return [node, *reversed(operands)]


def _call(cls: type[Schedule], arguments: list[ast.expr], keywords: list[ast.keyword]) -> Schedule:
    """A method's first argument is what it is called on."""
    takes = parameters(cls.kind)
    if len(arguments) > len(takes):
        fault = f"{cls.kind} takes {len(takes)} values or fewer, found {len(arguments)}"
        raise MoodError("", fault)
    given = {p.attribute: argument for p, argument in zip(takes, arguments, strict=False)}
    names = {p.attribute: p for p in takes}
    for keyword in keywords:
        if keyword.arg not in names:
            _refuse(keyword.arg, f"{cls.kind} takes", [p.key for p in takes])
        if keyword.arg in given:
            raise MoodError(names[keyword.arg].key, "given twice; give it once")
        given[keyword.arg] = keyword.value
    for p in takes:
        if p.required and p.attribute not in given:
            raise MoodError("", f"{p.key} is missing; {cls.kind} cannot do without it")
    return cls(**{name: _value(names[name], part) for name, part in given.items()})


Schedule.written = to_python


def _value(p: Parameter, node: ast.expr) -> Any:
    if p.kind["type"] == "schedule":
        return _placed(p.place, node)
    try:
        return _literal(node)
    except MoodError as error:
        raise error.within(p.place) from None


def _placed(place: str, node: ast.expr) -> Schedule:
    try:
        return _schedule(node)
    except MoodError as error:
        raise error.within(place) from None


def _literal(node: ast.expr) -> Any:
    """A number, a text, a list of them; a name stands for itself as a text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float):
        return node.value
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.List | ast.Tuple):
        return [_literal(part) for part in node.elts]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _literal(node.operand)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return -value if isinstance(node.op, ast.USub) else value
    understood = "only numbers, texts, schedules, + and * are understood"
    raise MoodError("", f"{understood}, found {found(ast.unparse(node))}")
