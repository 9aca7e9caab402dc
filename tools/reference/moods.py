"""Every key of a mood, from the table of schedules and settings that the core checks them by."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

from llamood.moods import notation
from llamood.moods.affect import AXES
from llamood.moods.mood import Mood
from llamood.moods.notation import BESIDE, FUNCTIONS, KINDS
from llamood.moods.parameters import Parameter, parameters
from llamood.moods.schedule import Schedule
from llamood.moods.settings import SETTINGS
from reference.markdown import cell, code, notes, page, prose, table

# An example of each kind of schedule.
EXAMPLES: Mapping[str, Any] = {
    "constant": 0.8,
    "ramp": {"ramp": [0, 1.2], "over": 64, "ease": "smooth"},
    "decay": {"decay": 1.5, "half_life": 40},
    "pulse": {"pulse": 1.5, "attack": 4, "hold": 8, "release": 30},
    "wave": {"wave": [0.2, 1], "period": 50},
    "keys": {"keys": [[0, 0], [20, 1.2], [60, 0.3]]},
    "drift": {"drift": 0.6, "spread": 0.2, "return": 30, "seed": 7},
    "sum": {"sum": [{"ramp": [0, 1], "over": 8}, 0.1]},
    "product": {"product": [{"wave": [0, 1], "period": 9}, {"decay": 1, "half_life": 40}]},
    "then": {"then": [{"pulse": 1, "hold": 8}, 0.2]},
    "clamp": {"clamp": {"wave": [-1, 1], "period": 9}, "low": 0, "high": 0.8},
    "delay": {"delay": {"ramp": [0, 1], "over": 8}, "by": 12},
    "repeat": {"repeat": {"pulse": 1, "release": 8}, "times": 3, "every": 16},
    "max": {"ramp": [0, 3], "over": 9, "max": 2},
    "floor": {"ramp": [0, 1], "over": 9, "floor": 0.5},
    "cap": {"ramp": [0, 1], "over": 9, "cap": 1},
    "on": {"on": "betray", "pulse": 1.5, "release": 40},
    "when": {"when": {"sadness": "> 1.5"}, "of": "user", "then": 0.8},
    "hold": {"hold": 1.5},
}


def written() -> str:
    return page(
        "# Moods",
        notes(__file__),
        "## Schedules",
        "What stands under an emotion's name, or under an axis of affect. Where a default is given,"
        " the key may be left out.",
        *(part for kind in KINDS for part in _kind(kind)),
        "## Settings",
        table(["key", "values", "default", ""], _settings()),
        f"The axes of affect are {', '.join(f'`{axis}`' for axis in AXES)}.",
    )


def _kind(kind: str) -> Iterator[str]:
    cls = Schedule.kinds[kind]
    schedule = notation.from_json(EXAMPLES[kind])
    yield f"### {kind}"
    yield prose(inspect.getdoc(cls) or "")
    if kind in BESIDE:
        yield f"`{kind}` stands beside the keys of the schedule that it is of."
    rows = [_parameter(kind, p) for p in parameters(kind) if not p.beside]
    yield table(["key", "in Python", "values", "default"], rows)
    python = notation.to_python(schedule)
    name = "" if kind in FUNCTIONS else cls.__name__
    mood = Mood({"joy": schedule})
    forms = [json.dumps({"joy": EXAMPLES[kind]}), f"{python}{_where(kind, name)}"]
    yield code(forms[0], "json")
    yield code(f"{forms[1]}", "python")
    yield code(f"--feel '{mood.to_short()}'", "console")


def _where(kind: str, name: str) -> str:
    """Which class that is, where it has no name of its own there."""
    module = Schedule.kinds[kind].__module__
    return f"  # {module}.{name}" if name else ""


def _parameter(kind: str, p: Parameter) -> list[str]:
    key = "a plain number" if kind == "constant" else f"`{p.place or kind}`"
    default = "" if p.required else "nothing" if p.default is None else f"`{json.dumps(p.default)}`"
    return [key, f"`{p.attribute}`", cell(values(p.kind)), default]


def _settings() -> Iterator[list[str]]:
    for key, setting in SETTINGS.items():
        default = "none" if setting.default is None else f"`{json.dumps(setting.default)}`"
        yield [f"`{key}`", cell(values(setting.kind)), default, cell(setting.about)]


def values(kind: Mapping[str, Any]) -> str:
    """What a parameter or a setting may be, in words."""
    if kind["type"] in ("number", "count"):
        what = "number" if kind["type"] == "number" else "whole number"
        return f"{what}, {kind['low']:.10g} to {kind['high']:.10g}"
    if kind["type"] == "choice":
        return " or ".join(f"`{word}`" for word in kind["words"])
    return {
        "text": f"text, {kind.get('high')} characters at most",
        "limits": 'limits of readings, as `{"sadness": "> 1.5"}` or `"sadness > 1.5 and joy < 0"`, '
        f"{kind.get('high')} at most",
        "schedule": "number or schedule",
        "schedules": f"list of numbers and schedules, 2 to {kind.get('high')}",
        "layers": "first and last layer, as `[8, 20]`; in short `$layers=8:20`",
        "points": f"list of `[token, intensity]`, tokens rising, {kind.get('high')} at most",
    }[kind["type"]]
