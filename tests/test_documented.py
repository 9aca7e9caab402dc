"""Everything that a user can touch is in the reference, and what documents name is there."""

from __future__ import annotations

import inspect
import json
import re
import shlex
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

import documents
import llamood
import write_reference
from documents import DOCUMENTS, WRITTEN_BY_HAND, command_lines, named, text
from llamood.cli import COMMANDS, main
from llamood.cli.chat import HELP, Chat
from llamood.moods.affect import AXES
from llamood.moods.mood import Mood
from llamood.moods.notation import BESIDE, BOUNDS, STARTED
from llamood.moods.parameters import KINDS, parameters
from llamood.moods.schema import mood_schema
from llamood.moods.settings import SETTINGS
from llamood.server.metrics import Metrics
from llamood.server.requests import ChatRequest
from reference import header, names, service
from reference.moods import EXAMPLES

ROOT = documents.ROOT


def page(name: str) -> str:
    return text(documents.REFERENCE / name)


@cache
def api() -> dict[str, Any]:
    return service.document()


def parsers() -> Iterator[tuple[str, click.Command]]:
    """Every command that can be typed, from the parsers alone."""
    context = click.Context(main)
    waiting = [(f"llamood {name}", main.get_command(context, name)) for name in COMMANDS]
    while waiting:
        name, command = waiting.pop(0)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            waiting += [(f"{name} {inner}", each) for inner, each in command.commands.items()]


PARSERS = dict(parsers())


def options_of(command: click.Command) -> set[str]:
    options = (each for each in command.params if isinstance(each, click.Option))
    return {name for each in options for name in (*each.opts, *each.secondary_opts)}


# -- the reference is what the program says ------------------------------------------------------


@pytest.mark.parametrize("name", write_reference.PAGES)
def test_the_reference_is_up_to_date(name: str) -> None:
    assert page(name) == write_reference.PAGES[name](), "run python tools/write_reference.py"


def test_nothing_else_lies_in_the_reference() -> None:
    assert {path.name for path in documents.REFERENCE.iterdir()} == set(write_reference.PAGES)


# -- commands ------------------------------------------------------------------------------------


def sections(name: str, level: int) -> dict[str, str]:
    """Heading of that level -> what stands below it."""
    _, *parts = re.split(rf"^{'#' * level} (.+)$", page(name), flags=re.MULTILINE)
    ends = re.compile(rf"^#{{1,{level}}} ", flags=re.MULTILINE)
    return {head: ends.split(body)[0] for head, body in zip(parts[::2], parts[1::2], strict=True)}


def test_every_command_is_in_the_reference_and_no_other() -> None:
    assert set(sections("commands.md", 2)) == set(PARSERS)


@pytest.mark.parametrize("name", PARSERS)
def test_every_option_is_in_the_reference_and_no_other(name: str) -> None:
    rows = re.findall(r"^\| (`-.*?) \|", sections("commands.md", 2)[name], flags=re.MULTILINE)
    told = {option for row in rows for option in re.findall(r"`(--?[a-z-]+)`", row)}
    assert told == options_of(PARSERS[name])


@pytest.mark.parametrize("name", PARSERS)
def test_every_command_says_what_it_does_and_shows_it(name: str) -> None:
    command = PARSERS[name]
    help_text = command.help or ""
    assert "Example" in help_text
    assert len(help_text.split("\b")[0].strip()) > 30
    for each in command.params:
        if isinstance(each, click.Option):
            assert each.help, f"{each.opts} has no help"


def test_the_conversation_tells_all_of_its_commands() -> None:
    source = inspect.getsource(Chat.__init__)
    known = {*re.findall(r'"(/[a-z]+)": self', source), "/exit"}
    told = set(re.findall(r"^(/[a-z]+)", HELP, flags=re.MULTILINE))
    listed = set(re.findall(r"^\| `(/[a-z]+)", page("commands.md"), flags=re.MULTILINE))
    assert known == told == listed


def test_commands_that_documents_show_are_there() -> None:
    found = list(command_lines())
    assert len(found) > 100
    for where, line in found:
        command = re.match(r"llamood ([a-z]+)(?: ([a-z]+))?(?: |$)", line)
        if re.match(r"llamood --?[a-z]+$", line):
            continue
        assert command is not None, f"{where} shows {line!r}"
        name = f"llamood {command[1]}"
        if f"{name} {command[2]}" in PARSERS:
            name = f"{name} {command[2]}"
        assert name in PARSERS, f"{where} shows {line!r}, and there is no such command"
        words = shlex.split(line, comments=True)
        given = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        unknown = given - options_of(PARSERS[name]) - {"--help", "-h"}
        assert not unknown, f"{where} shows {line!r}"


# -- the service ---------------------------------------------------------------------------------


def endpoints() -> set[str]:
    return {f"{method} {path}" for method, path, _ in service.operations(api())}


def test_every_endpoint_is_in_the_reference_and_no_other() -> None:
    told = {each for each in sections("http.md", 2) if re.match(r"[A-Z]+ /", each)}
    assert told == endpoints()


def test_endpoints_that_documents_name_are_there() -> None:
    paths = {each.split(" ")[1] for each in endpoints()} | {"/openapi.json", "/v1"}
    for path in WRITTEN_BY_HAND:
        spans = "\n".join(re.findall(r"`([^`]+)`", text(path)))
        for method, named_path in re.findall(
            r"(?:(GET|POST) )?(/v1\b[a-z/_.-]*|/health|/metrics)", spans
        ):
            assert named_path in paths, f"{named(path)}: {named_path}"
            assert not method or f"{method} {named_path}" in endpoints(), f"{named(path)}: {method}"


def test_every_endpoint_says_what_it_does() -> None:
    for method, path, operation in service.operations(api()):
        assert len(operation.get("description", "")) > 20, f"{method} {path}"


def test_every_field_of_a_request_is_in_the_reference_and_no_other() -> None:
    schemas = api()["components"]["schemas"]
    told = sections("http.md", 3)
    for name, section in told.items():
        rows = re.findall(r"^\| `([a-z_.\[\]]+)` \|", section, flags=re.MULTILINE)
        fields = {each for each in rows if "." not in each}
        assert name == "Mood" or fields == set(schemas[name]["properties"]), name
    assert set(schemas) - set(told) == {"JsonValue"}  # which is anything


def test_every_field_that_a_client_may_choose_says_what_it_is() -> None:
    schemas = api()["components"]["schemas"]
    for name in ("ChatRequest", "TextRequest", "RowsRequest", "EmotionRequest", "Extra", "Felt"):
        for field, schema in schemas[name]["properties"].items():
            assert service.about(schema), f"{name}.{field}"


def test_every_metric_and_every_refused_field_is_in_the_reference() -> None:
    told = sections("http.md", 2)["GET /metrics"]
    listed = re.findall(r"^\| `(llamood_\w+)` \|", told, flags=re.MULTILINE)
    registered = {family.name for family in Metrics()._registry.collect()}
    assert {name.removesuffix("_total") for name in listed} == registered
    for field in ChatRequest.refused:
        assert f"`{field}`" in sections("http.md", 3)["ChatRequest"]


# -- moods ---------------------------------------------------------------------------------------


def test_every_kind_of_schedule_is_in_the_reference_and_no_other() -> None:
    told = sections("moods.md", 3)
    assert set(told) == set(KINDS) == set(EXAMPLES)
    for kind, section in told.items():
        rows = re.findall(r"^\| (.+?) \| `([a-z_]+)` \|", section, flags=re.MULTILINE)
        takes = [p for p in parameters(kind) if not p.beside]
        assert [attribute for _, attribute in rows] == [p.attribute for p in takes]
        for (key, _), p in zip(rows, takes, strict=True):
            assert (
                kind == "constant" or key == f"`{p.place}`" or (kind, p.main) == (key[1:-1], True)
            )


def test_every_setting_and_axis_is_in_the_reference_and_no_other() -> None:
    told = page("moods.md")
    listed = set(re.findall(r"^\| `(\$[a-z]+)` \|", told, flags=re.MULTILINE))
    properties = set(mood_schema()["properties"])
    assert listed == set(SETTINGS) == properties - set(AXES)
    assert all(f"`{axis}`" in told for axis in AXES)


def test_examples_of_the_reference_are_moods_in_all_three_forms() -> None:
    for kind, section in sections("moods.md", 3).items():
        (written,) = re.findall(r"```json\n(.*?)```", section, flags=re.DOTALL)
        (python,) = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
        (short,) = re.findall(r"```console\n--feel '(.*?)'\n```", section, flags=re.DOTALL)
        mood = Mood({"joy": EXAMPLES[kind]})
        assert Mood.parse(short) == mood
        assert json.loads(written) == {"joy": EXAMPLES[kind]}
        names_at_hand = {**vars(llamood), **vars(import_module("llamood.moods.shapes"))}
        names_at_hand |= {name: getattr(llamood, name) for name in llamood.__all__}
        names_at_hand |= {cls.kind: cls for cls in _classes()}
        assert Mood({"joy": eval(python, names_at_hand)}) == mood


def _classes() -> list[Any]:
    from llamood.moods.notation import FUNCTIONS

    return list(FUNCTIONS.values())


def test_settings_that_documents_name_are_there() -> None:
    for path in WRITTEN_BY_HAND:
        named_ones = set(re.findall(r"[`\"'](\$[a-z]+)[`\"'=:]", text(path)))
        assert named_ones <= set(SETTINGS), named(path)


# -- Python --------------------------------------------------------------------------------------


def test_every_public_name_is_in_the_reference() -> None:
    told = page("python.md")
    for package in names.PACKAGES:
        for name in names.public(package):
            assert f"### {package}.{name}\n" in told or f"`{package}.{name}`" in told
    for name in llamood.__all__:
        assert f"### llamood.{name}\n" in told


def test_every_name_in_the_reference_is_there() -> None:
    for heading in sections("python.md", 3):
        package = max((p for p in names.PACKAGES if heading.startswith(f"{p}.")), key=len)
        assert heading.removeprefix(f"{package}.") in names.public(package)
        names.found(package, heading.removeprefix(f"{package}."))


def classes() -> list[type]:
    found = [
        names.found(package, name) for package in names.PACKAGES for name in names.public(package)
    ]
    return list(dict.fromkeys(each for each in found if inspect.isclass(each)))


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__qualname__)
def test_every_method_is_in_the_reference_with_its_parameters(cls: type) -> None:
    headings = sections("python.md", 4)
    for name, member in names.members(cls):
        section = headings[f"{cls.__name__}.{name}"]
        if isinstance(member, property):
            continue
        function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        (signature,) = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
        for parameter in list(inspect.signature(function).parameters)[1:]:
            assert re.search(rf"\b{parameter}\b", signature), f"{cls.__name__}.{name}"


def test_every_public_name_says_what_it_is() -> None:
    for package in names.PACKAGES:
        for name in names.public(package):
            value = names.found(package, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                assert value.__doc__, f"{package}.{name}"
    for cls in classes():
        for name, member in names.members(cls):
            assert inspect.getdoc(member), f"{cls.__name__}.{name}"


def test_names_of_python_that_documents_use_are_there() -> None:
    for path in WRITTEN_BY_HAND:
        for name in set(re.findall(r"\bllamood(?:\.[A-Za-z_][A-Za-z_0-9]*)+", text(path))):
            if not is_of_another_kind(name) and not is_field_of_an_answer(name):
                assert is_there(name), f"{named(path)}: {name}"


def is_of_another_kind(name: str) -> bool:
    """Files, keys of GGUF files, hosts."""
    endings = (".h", ".hpp", ".gdextension", ".example", ".so", ".dll", ".cpp", ".dylib")
    return name.endswith(endings) or name in keys_of_files() or ".0." in name or ".so." in name


def is_field_of_an_answer(name: str) -> bool:
    fields = api()["components"]["schemas"]["Felt"]["properties"]
    return name.removeprefix("llamood.") in fields


def keys_of_files() -> set[str]:
    source = text(ROOT / "csrc" / "vectors" / "gguf_file.cpp") + "".join(
        text(path) for path in (ROOT / "python" / "llamood" / "vectors").glob("*.py")
    )
    return set(re.findall(r"llamood\.[a-z_0-9.]+", source)) | {"llamood.model"}


def is_there(name: str) -> bool:
    module, *rest = name.split(".")
    value: Any = import_module(module)
    for i, part in enumerate(rest):
        if value is names.found("llamood", "demo") and part == "MODEL":
            return True
        if not hasattr(value, part):
            try:
                value = import_module(".".join([module, *rest[: i + 1]]))
                continue
            except ImportError:
                return False
        value = getattr(value, part)
    return True


# -- C -------------------------------------------------------------------------------------------


def declared() -> set[str]:
    return set(re.findall(r"\b(?:llamood|LLAMOOD)_[A-Za-z_0-9]+", text(header.HEADER)))


def test_every_function_of_the_header_is_in_the_reference_and_no_other() -> None:
    functions = set(re.findall(r"LLAMOOD_API [^;]*?\b(llamood_\w+)\(", text(header.HEADER)))
    assert len(functions) > 30
    told = page("c.md")
    headings = set(re.findall(r"^### (\w+)$", told, flags=re.MULTILINE))
    assert functions <= headings <= declared()
    left = {"LLAMOOD_H", "LLAMOOD_API", "LLAMOOD_BUILDING"}
    assert declared() - left <= set(re.findall(r"\b(?:llamood|LLAMOOD)_[A-Za-z_0-9]+", told))


def test_every_function_of_the_header_says_what_it_does() -> None:
    freed = {"llamood_mood_free", "llamood_model_free", "llamood_stage_free"}
    for _, items in header.sections():
        for item in items:
            if "LLAMOOD_API" in item.declared and item.name not in freed:
                assert item.about, item.name


def test_names_of_c_that_documents_use_are_there() -> None:
    options = {name for name, _, _ in header.options()}
    elsewhere = {"LLAMOOD_API_KEY", "llamood_godot"} | options
    for path in WRITTEN_BY_HAND:
        for name in set(re.findall(r"\b(?:llamood|LLAMOOD)_[A-Za-z_0-9]+\b", text(path))):
            there = name in declared() | elsewhere or any(
                each.startswith(name) for each in declared()
            )
            assert there, f"{named(path)}: {name}"


def test_options_of_cmake_are_those_that_there_are() -> None:
    cmake = text(ROOT / "CMakeLists.txt")
    there = set(
        re.findall(r"^(?:option\(|set\()(LLAMOOD_\w+) \"(?:[^\"]*\" CACHE|\w)", cmake, re.M)
    )
    assert {name for name, _, _ in header.options()} == there
    for path in WRITTEN_BY_HAND:
        assert set(re.findall(r"-D(LLAMOOD_\w+)", text(path))) <= there, named(path)


# -- the rest ------------------------------------------------------------------------------------


def test_every_mood_that_documents_write_in_short_is_one() -> None:
    found = 0
    for where, line in command_lines():
        for feel in re.findall(r"--feel ('[^']+'|[^\s']+)", line):
            short = feel.strip("'")
            if short in ("...", "MOOD") or short.startswith("@"):
                continue
            found += 1
            try:
                Mood.parse(short)
            except llamood.LlamoodError as error:
                pytest.fail(f"{where} shows {line!r}: {error}")
    assert found >= 7


def test_words_of_moods_are_told_apart() -> None:
    assert set(BESIDE) <= set(KINDS)
    assert {*BOUNDS, STARTED} <= set(mood_schema()["$defs"]) | {STARTED}


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_no_document_shows_what_the_tests_are_made_with(path: Path) -> None:
    """But the map, which tells where tests are, and reports of devices, which tell what ran."""
    if path.name != "ARCHITECTURE.md" and path.parent.name != "devices":
        assert "tiny_chat" not in text(path)
