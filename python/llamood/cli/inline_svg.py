"""A matplotlib figure as SVG inside a page: self-contained, small, and in the page's own ink."""

from __future__ import annotations

import importlib.util
import io
import warnings
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from llamood.cli.plots import new_figure

INK = "#010203"  # what is drawn in it takes the colour of the text around the picture
_NAMESPACE = "http://www.w3.org/2000/svg"
_SETTINGS = {
    "figure.dpi": 72,  # a pixel is a point
    "svg.fonttype": "none",  # text stays text
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "text.parse_math": False,
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK
    ),
}


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def inline_svg(
    draw: Callable[[Any], None], *, name: str, figsize: tuple[float, float], label: str
) -> str:
    """What ``draw`` draws into an empty figure, as an ``<svg>`` element.

    It refers to nothing outside itself, nor do two of different ``name`` share an id; the same
    figure gives the same text. Nothing is clipped, so axes must hold all that is drawn in them.
    ``figsize``: inches. ``label``: what the picture shows, for whoever cannot see it. Needs
    matplotlib (`can_draw`).
    """
    import matplotlib

    written = io.StringIO()
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the page has more fonts
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**_SETTINGS, "svg.hashsalt": name})
        figure = new_figure(figsize=figsize)
        draw(figure)
        for artist in figure.findobj():
            artist.set_clip_on(False)  # a clip path is a url()
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    return _inline(written.getvalue(), label=label)


def _inline(svg: str, *, label: str) -> str:
    root = ElementTree.fromstring(svg)
    used = {each.get(_XLINK, "")[1:] for each in root.iter()}
    for element in list(root.iter()):
        for child in list(element):
            if child.tag in _NEEDLESS:
                element.remove(child)
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{_NAMESPACE}}}")
        if element.get("id", "") not in used:
            element.attrib.pop("id", None)
        if _XLINK in element.attrib:
            element.set("href", element.attrib.pop(_XLINK))
        if "style" in element.attrib:
            element.set("style", _style(element.attrib["style"]))
        if "d" in element.attrib:
            element.set("d", " ".join(element.attrib["d"].split()))
        element.tail = None
        if element.text is not None and not element.text.strip():
            element.text = None
    view = root.attrib["viewBox"]
    root.attrib.clear()
    root.attrib.update(
        {
            "xmlns": _NAMESPACE,
            "viewBox": view,
            "role": "img",
            "aria-label": label,
            "fill": "currentColor",
            "stroke-linejoin": "round",
        }
    )
    return ElementTree.tostring(root, encoding="unicode")


_XLINK = "{http://www.w3.org/1999/xlink}href"
# Who made it and when; and a rule for all elements, which would hold for the whole page.
_NEEDLESS = frozenset(f"{{{_NAMESPACE}}}{name}" for name in ("metadata", "style"))


def _style(style: str) -> str:
    """In the font and the ink of the page."""
    kept = [part for part in style.split("; ") if not part.startswith("font-family:")]
    return ";".join(kept).replace(INK, "currentColor")
