"""How many ways an answer may go on under a grammar, which is what drawing by it costs.

llama.cpp follows all ways at once that fit what was said, and holds each against every token of the
vocabulary. Ways that begin alike multiply where one lies in another: by a short schema there can be
millions. So they are counted before anything is drawn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import combinations

from llamood.server.errors import ApiError
from llamood.server.gbnf import Named, Part, Ranges, Repeated, Rule, Text, Way, rules_of

# On a vocabulary of 49,152 tokens as many take 3 ms of one core for a token at most; any text in a
# string, where all that fits counts (top_k 0), takes 28. Others wait for neither.
WIDEST = 128
_LOOK_AHEAD = 200  # characters of two ways that are held against each other
_MOST_EXPANDED = 400  # parts that are looked into for them
_MOST_PARTS = 200_000  # looked at in all, each as often as what lies in it changes
_ANY: Ranges = ((0, 0x10FFFF),)
_SPACES = " \t\n\r"


def require_narrow(grammar: str, *, param: str) -> None:
    """Raises `ApiError` for one that is too wide."""
    if breadth(grammar) > WIDEST:
        raise ApiError(
            400,
            f"this schema lets an answer go on in more than {WIDEST} ways at once; give an enum "
            "fewer values, make properties required, and let parts of an anyOf begin with "
            "different required properties or constants",
            param=param,
            code="schema_too_wide",
        )


@lru_cache(maxsize=64)
def breadth(grammar: str) -> int:
    """The most ways that can be open at once, or a few more; one more than `WIDEST` for all that
    are more. Of grammars as `formats` writes them."""
    try:
        return _Breadth(rules_of(grammar)).found["root"]
    except RecursionError:  # of parts that may all be left out, one after the other
        return WIDEST + 1


class _Breadth:
    """`found`: of each rule."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = rules
        self._starts: dict[str, int] = {}
        self._empty: dict[str, bool] = {}
        self._firsts: dict[str, Ranges] = {}
        self._alike: dict[str, list[list[int]]] = {}
        self.found = dict.fromkeys(rules, 1)
        users = _users(rules)
        n_left = _MOST_PARTS
        # A rule may lie in itself. What adds up there grows with each round, up to the limit.
        todo = deque(rules)
        waiting = set(rules)
        while todo and self.found["root"] <= WIDEST:
            name = todo.popleft()
            waiting.discard(name)
            n_left -= sum(map(len, rules[name]))
            found = min(self._of(name), WIDEST + 1) if n_left > 0 else WIDEST + 1
            if found > self.found[name]:
                self.found[name] = found
                todo.extend(users[name] - waiting)
                waiting |= users[name]

    def _of(self, name: str) -> int:
        """Of ways that begin alike all may be open at once, of others one."""
        rule = self._rules[name]
        start = sum(map(self._start, rule))
        if len(rule) > WIDEST or start > WIDEST:
            return WIDEST + 1
        widths = [self._of_way(way) for way in rule]
        return max(start, *(sum(widths[i] for i in alike) for alike in self._alike_in(name)))

    def _of_way(self, way: Way) -> int:
        widest = 1
        for i, part in enumerate(way):
            widest = max(widest, self._start(way[i:]))
            what = part.what if isinstance(part, Repeated) else part
            if isinstance(part, Repeated):  # which may come again
                widest = max(widest, self._start((what,)) + self._start(way[i + 1 :]))
            if isinstance(what, Named):
                widest = max(widest, self.found[what.name])
        return widest

    # -- how a part begins -------------------------------------------------------------------

    def _start(self, way: Way) -> int:
        """In how many ways."""
        n = 0
        for part in way:
            what = part.what if isinstance(part, Repeated) else part
            n += self._start_of_rule(what.name) if isinstance(what, Named) else 1
            if not self._can_be_empty(part):
                break
        return min(n, WIDEST + 1)

    def _start_of_rule(self, name: str) -> int:
        if name not in self._starts:
            self._starts[name] = 0
            self._starts[name] = sum(map(self._start, self._rules[name]))
        return self._starts[name]

    def _can_be_empty(self, part: Part) -> bool:
        if isinstance(part, Repeated):
            return part.least == 0 or self._can_be_empty(part.what)
        if isinstance(part, Named):
            if part.name not in self._empty:
                self._empty[part.name] = False
                ways = self._rules[part.name]
                self._empty[part.name] = any(all(map(self._can_be_empty, way)) for way in ways)
            return self._empty[part.name]
        return isinstance(part, Text) and not part.text

    def _first(self, way: Way) -> Ranges:
        """What its first character may be, as far as it has one."""
        found: set[tuple[int, int]] = set()
        for part in way:
            found.update(self._first_of(part))
            if not self._can_be_empty(part):
                break
        return tuple(found)

    def _first_of(self, part: Part) -> Ranges:
        what = part.what if isinstance(part, Repeated) else part
        if isinstance(what, Text):
            return ((ord(what.text[0]), ord(what.text[0])),) if what.text else ()
        if isinstance(what, Named):
            if what.name not in self._firsts:
                self._firsts[what.name] = ()
                firsts = {each for way in self._rules[what.name] for each in self._first(way)}
                self._firsts[what.name] = tuple(firsts)
            return self._firsts[what.name]
        return what.ranges

    # -- which ways begin alike ----------------------------------------------------------------

    def _alike_in(self, name: str) -> list[list[int]]:
        """For each way of a rule, which ones may still be open when one is in the midst of it."""
        if name not in self._alike:
            begins = [list(self._beginning(way)) for way in self._rules[name]]
            alike = [[i] for i in range(len(begins))]
            for i, j in combinations(range(len(begins)), 2):
                if all(map(_have_common, begins[i], begins[j])):
                    alike[i].append(j)
                    alike[j].append(i)
            self._alike[name] = alike
        return self._alike[name]

    def _beginning(self, way: Way) -> Iterator[Ranges]:
        """The characters that it begins with, white space left out, as far as there is one way."""
        todo = list(way)[::-1]
        n_char = 0
        for _ in range(_MOST_EXPANDED):
            if not todo or n_char > _LOOK_AHEAD:
                return
            part = todo.pop()
            if self._is_space(part):
                continue
            if isinstance(part, Text):
                yield from (((ord(char), ord(char)),) for char in part.text)
                n_char += len(part.text)
            elif isinstance(part, Named) and len(self._rules[part.name]) == 1:
                todo += self._rules[part.name][0][::-1]
            else:
                rest = (part, *todo[::-1])
                yield _ANY if all(map(self._can_be_empty, rest)) else self._first(rest)
                if isinstance(part, Repeated | Named):
                    return

    def _is_space(self, part: Part) -> bool:
        return self._can_be_empty(part) and all(
            chr(low) in _SPACES and chr(high) in _SPACES for low, high in self._first_of(part)
        )


def _users(rules: Mapping[str, Rule]) -> dict[str, set[str]]:
    """The rules in which each one lies."""
    users: dict[str, set[str]] = {name: set() for name in rules}
    for name, rule in rules.items():
        for part in (part for way in rule for part in way):
            what = part.what if isinstance(part, Repeated) else part
            if isinstance(what, Named):
                users[what.name].add(name)
    return users


def _have_common(one: Ranges, other: Ranges) -> bool:
    return any(low <= most and least <= high for low, high in one for least, most in other)
