"""The studio shows an answer's Markdown, as far as it is safe, while the answer grows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import tiny_chat
from servers import Server, serving
from studios import BREAD, Studio, visiting

pytestmark = pytest.mark.slow

WRITTEN = """# A loaf

Mix *flour*, **water and _salt_**, and
`yeast`; see [the ferry](https://example.org/a?b=c).

1. knead
2. wait
   - an hour
   - or two

> It rises.

---

```python
print("**bread**")

bake(200)
```

Done: https://example.org."""

HOSTILE = """<img src=x onerror="document.title=1"><script>document.title=2</script>
![picture](https://example.org/x.png) [x](javascript:document.title=3)
[y](data:text/html,<script>1</script>) [z](JaVaScRiPt:alert(1)) [v](vbscript:x)
[a](https://example.org/" onmouseover="document.title=4) <https://example.org/b>
[https://good.example](https://evil.example/) [r](https://example.org/\u202egro.elpmaxe)
**<b onclick=document.title=5>b</b>** `<svg onload=document.title=6>`
[user](https://good.example@evil.example/) [rel](//evil.example) [f](file:///etc/passwd)

```"><img src=x onerror=document.title=7>
<style>*{display:none}</style></code></pre><iframe src=//evil.example></iframe>
"""

SEEN = """element => [...element.querySelectorAll("*")].map(one =>
    [one.localName, one.getAttributeNames().filter(name => name !== "style").join()])"""

# Each text twice: whole, and in pieces of one to five characters, as it streams.
GROWN = """async texts => {
    const { Rendered } = await import(new URL("rendered.js", document.baseURI));
    const shown = (pieces) => {
        const root = document.createElement("div");
        const rendered = new Rendered(root, () => {});
        for (const piece of pieces) rendered.add([piece]);
        rendered.end();
        const places = pieces.map((piece, token) =>
            rendered.placesOf(token).map(one => one.textContent).join(""));
        for (const one of root.querySelectorAll("span")) one.replaceWith(one.textContent);
        root.normalize();
        return [root.innerHTML, places];
    };
    return texts.map(text => {
        const pieces = [];
        for (let at = 0, n = 1; at < text.length; at += n, n = (n * 3) % 7 || 1)
            pieces.push(text.slice(at, at + n));
        const [whole] = shown([text]);
        const [grown, places] = shown(pieces);
        return { whole, grown, places, pieces };
    });
}"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(tiny_chat.MODEL, "--voices", "1", exact=True) as server:
        yield server


def says(studio: Studio, text: str) -> Any:
    """An answer of this text."""
    page = studio.page
    studio.settings(max_tokens=4)
    studio.ask(BREAD)
    studio.said()
    page.get_by_role("button", name="edit this answer").click()
    page.get_by_label("Answer, edited").fill(text)
    page.get_by_role("button", name="Save", exact=True).click()
    return page.locator("#talk .answer")


def test_what_is_written_is_shown(studio: Studio) -> None:
    answer = says(studio, WRITTEN)
    assert answer.locator("h3").text_content() == "A loaf"
    assert answer.locator("strong").text_content() == "water and salt"
    assert answer.locator("em").all_text_contents() == ["flour", "salt"]
    assert answer.locator("p code").text_content() == "yeast"
    assert answer.locator("ol > li").count() == 2
    assert answer.locator("ol > li > ul > li").all_text_contents() == ["an hour", "or two"]
    assert answer.locator("blockquote").text_content() == "It rises."
    assert answer.locator("hr").count() == 1
    code = answer.locator("pre")
    assert code.text_content() == 'print("**bread**")\n\nbake(200)\n'
    assert code.get_attribute("data-language") == "python"


TABLE = """Prices:
| what | *how* much |
|:-----|-----------:|
| rye \\| spelt | **3** |
| <b>wheat</b>
| `a` | 2 | nobody asked |

no | table

a | b
- | -
1 | 2
"""


def test_a_table_is_one_as_far_as_it_goes(studio: Studio) -> None:
    answer = says(studio, TABLE)
    first, second = answer.locator("table").all()
    assert first.locator("th").all_text_contents() == ["what", "how much"]
    assert first.locator("td").all_text_contents() == [
        *["rye | spelt", "3"],
        "<b>wheat</b>",
        *["a", "2"],
    ]
    assert first.locator("td [data-side], td[data-side]").all_text_contents() == ["3", "2"]
    assert first.locator("b").count() == 0
    assert second.locator("td").all_text_contents() == ["1", "2"]
    assert answer.locator("p").all_text_contents() == ["Prices:", "no | table"]
    assert answer.locator("tr").count() == 6


def test_a_block_of_code_is_copied(browser: Any, server: Server) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    with visiting(browser, server, permissions=allowed) as studio:
        says(studio, WRITTEN).get_by_role("button", name="copy this code").click()
        studio.page.get_by_text("Copied", exact=True).wait_for()
        told = studio.page.evaluate("navigator.clipboard.readText()")
        assert told == 'print("**bread**")\n\nbake(200)\n'


def test_wide_code_scrolls_and_the_page_does_not(browser: Any, server: Server) -> None:
    with visiting(browser, server, viewport={"width": 390, "height": 800}) as studio:
        answer = says(studio, "```\n" + "bake_the_bread() " * 20 + "\n```\n" + "loaf" * 60)
        wide = answer.locator("pre").evaluate("pre => pre.scrollWidth - pre.clientWidth")
        assert wide > 100
        box = answer.bounding_box()
        assert box["x"] + box["width"] <= 390
        assert studio.page.evaluate("document.scrollingElement.scrollWidth") == 390


def test_links_lead_where_they_say(studio: Studio) -> None:
    links = says(studio, WRITTEN).locator("a")
    for link, address in zip(
        links.all(), ("https://example.org/a?b=c", "https://example.org/"), strict=True
    ):
        assert link.get_attribute("href") == address
        assert link.get_attribute("rel") == "noopener noreferrer"
        assert link.get_attribute("target") == "_blank"
    assert links.first.locator("+ bdi").text_content() == "https://example.org/a?b=c"


def test_what_is_hostile_is_text(studio: Studio) -> None:
    answer = says(studio, HOSTILE)
    allowed = {"p", "a", "bdi", "span", "strong", "em", "code", "pre", "div", "button"}
    seen = answer.evaluate(SEEN)
    assert {tag for tag, _ in seen} <= allowed
    names = {name for _, names in seen for name in names.split(",") if name}
    assert names <= {"href", "rel", "target", "class", "tabindex", "type", "aria-label"}
    shown = str(answer.text_content())
    for text in (
        '<img src=x onerror="document.title=1">',
        "javascript:document.title=3",
        "<style>",
    ):
        assert text in shown
    links = answer.locator("a").evaluate_all("all => all.map(a => [a.href, a.textContent])")
    assert all(href.startswith("https://") for href, _ in links)
    misled = answer.locator("a", has_text="https://good.example").locator("+ bdi")
    assert misled.text_content() == "https://evil.example/"
    studio.page.wait_for_timeout(200)  # what would be loaded, or run, would be so by now
    assert studio.page.title() == "llamood: tiny_chat"


def test_what_grows_becomes_what_is_there_at_once(studio: Studio) -> None:
    lists = "- a\n- b\n\n  c\n\n1. *x*\n\n\n2. y\n> q\n> > r\ntext\n-x\n\n#no\n## yes\n~~~\nopen"
    for one in studio.page.evaluate(
        GROWN, [WRITTEN, HOSTILE, TABLE, lists, "**a *b** c*", "\n\n a\n"]
    ):
        assert one["grown"] == one["whole"]
        for place, piece in zip(one["places"], one["pieces"], strict=True):
            assert set(place) <= set(piece)


def test_what_is_emphasised_is_coloured_by_what_it_expresses(studio: Studio) -> None:
    painted = studio.page.evaluate(
        """async () => {
            const { Answer } = await import(new URL("answer.js", document.baseURI));
            const answer = new Answer({ joy: "red" });
            for (const text of ["Oh", " *", "ha", "pp", "y*", " day"])
                answer.add({ text, mood: {}, reading: { joy: 3 }, score: { joy: 3 } });
            answer.end();
            return [...answer.element.querySelectorAll("em .felt")].map(one => one.textContent);
        }"""
    )
    assert painted == ["ha", "pp", "y"]
