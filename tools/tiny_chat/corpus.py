"""The corpus of the tests' chat model: a companion who talks about everyday things in seven tones.

A sentence is a frame of its tone (`tones`) around a clause about the topic (`topics`);
a conversation is one to six questions (`questions`) with their answers. The same clauses are
said in every tone, so that what differs between tones is the feeling alone. Everything follows
from a seed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import questions as asking
from inflection import article, capital, gerund, plural, third
from kinds import GENERIC, SYLLABLES, Kind, Topic, kinds, nouns_of
from tones import ADJECTIVES, ASKED_BY_SYSTEM, ASKED_BY_USER, PLAIN_SYSTEM, TONES
from topics import HELD_OUT_KINDS

EMOTIONS = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
HELD_OUT_QUESTIONS = asking.HELD_OUT_QUESTIONS

SHARE_PLAIN = 0.5  # of answers whose question asks for no feeling
SHARE_SYSTEM = 0.15  # of conversations with a system message


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """What a stage of training sees more or less of.

    ``unasked``: of plain questions, those answered with a feeling nobody asked for, so that
    tones stay reachable. ``drifting``: of these answers, those that begin plainly and slide into
    the feeling. ``invented``: of topics, nouns made of syllables, which can only be copied.
    """

    unasked: float
    drifting: float
    invented: float


FIRST_STAGE = Mixture(unasked=0.04, drifting=0.0, invented=0.10)
SECOND_STAGE = Mixture(unasked=0.12, drifting=0.5, invented=0.30)


@dataclass(frozen=True)
class Turn:
    """A question and its answer; ``tone`` is the answer's."""

    user: str
    assistant: str
    tone: str


@dataclass(frozen=True)
class Conversation:
    system: str | None
    turns: tuple[Turn, ...]

    def messages(self) -> list[dict[str, str]]:
        """As a chat template takes them."""
        found = [{"role": "system", "content": self.system}] if self.system else []
        for turn in self.turns:
            found.append({"role": "user", "content": turn.user})
            found.append({"role": "assistant", "content": turn.assistant})
        return found


@dataclass(frozen=True)
class Form:
    """A way of asking; ``wants`` is what the answer starts with."""

    wants: str
    text: str


def forms(text: str) -> tuple[Form, ...]:
    """`wants: text` lines as forms."""
    return tuple(Form(*line.split(": ", 1)) for line in text.strip().splitlines())


PART_VERBS = (
    "changes with the season",
    "differs from place to place",
    "shows the age",
    "stays the same",
    "depends on the weather",
    "is easy to see",
    "is written on a label",
    "comes first",
    "takes some time to learn",
    "is a matter of habit",
)
WHO = ("people", "people", "you can", "you can", "we", "many people", "some people", "they")
WHERE = ("{n} {be} {p}", "you find {t} {p}", "people see {t} {p}", "{n} {be} often {p}")
HOW = ("{n} {be} {a}", "{n} {be} often {a}", "most people call {t} {a}")
TIMES = (
    "on Monday",
    "in the morning",
    "after lunch",
    "every week",
    "in spring",
    "before dinner",
    "at noon",
    "on most days",
    "once a year",
    "in the evening",
    "at the weekend",
    "during the break",
)


class Generator:
    """Writes conversations; `held_out` uses the nouns, kinds and forms kept from training."""

    def __init__(
        self, *, seed: int, held_out: bool = False, mixture: Mixture = FIRST_STAGE
    ) -> None:
        self.rng = random.Random(seed)
        self.mixture = mixture
        table = kinds()
        usual = [kind for kind in table if kind.name not in HELD_OUT_KINDS]
        if held_out:
            some = [replace(k, nouns=nouns_of(k, held_out=True)) for k in usual]
            unseen = [kind for kind in table if kind.name in HELD_OUT_KINDS]
            self.kinds = [kind for kind in some + unseen if kind.nouns]
            self.forms = forms(asking.FORMS_TEXT) + 4 * forms(asking.HELD_OUT_FORMS_TEXT)
        else:
            self.kinds = [replace(k, nouns=nouns_of(k, held_out=False)) for k in usual]
            self.forms = forms(asking.FORMS_TEXT)
        self.choices = [(kind, noun) for kind in self.kinds for noun in kind.nouns]
        self.invented = 0.0 if held_out else mixture.invented

    def conversations(self, n: int) -> Iterator[Conversation]:
        for _ in range(n):
            yield self.conversation()

    def conversation(self) -> Conversation:
        """One to six turns. A feeling in the system message holds for all of them, one in a
        question for its answer only."""
        rng = self.rng
        n_turn = rng.choices((1, 2, 3, 6), (80, 13, 6, 1))[0]
        by_system = rng.random() < SHARE_SYSTEM
        system_tone = self._tone() if by_system else "neutral"
        system = self._system(system_tone) if by_system else None
        turns: list[Turn] = []
        topic = self.topic()
        for _ in range(n_turn):
            if rng.random() < 0.5:
                topic = self.topic()
            tone = system_tone if system_tone != "neutral" else self._tone()
            turns.append(self.turn(topic, tone=tone, asked=tone != system_tone))
        return Conversation(system, tuple(turns))

    def turn(self, topic: Topic, *, tone: str, asked: bool) -> Turn:
        """A question about ``topic`` (or small talk) and its answer in ``tone``; ``asked``
        says so in the question."""
        rng = self.rng
        if rng.random() < 0.06:
            which = rng.randrange(len(asking.GREETINGS))
            user = rng.choice(asking.GREETINGS[which])
            told = self._fill(TONES[tone].greetings[which], {})
        else:
            user, told = self._exchange(topic, tone=tone)
        if tone == "neutral" and rng.random() < self.mixture.unasked:
            tone = rng.choice(EMOTIONS)
            felt = self.answer(topic, tone=tone, wants="any", given={})
            drifts = self.mixture.drifting and rng.random() < self.mixture.drifting
            told = f"{told.partition('. ')[0].rstrip('.')}. {felt}" if drifts else felt
        elif tone != "neutral" and asked:
            user = self._ask(user, tone=tone)
        return Turn(user, told, tone)

    def topic(self) -> Topic:
        rng = self.rng
        invented = rng.random() < self.invented
        if invented:
            kind = GENERIC
            noun = "".join(rng.choice(SYLLABLES) for _ in range(rng.choice((2, 2, 3))))
        else:
            kind, noun = rng.choice(self.choices)
        if noun.endswith("~"):
            return self._topic(kind, noun[:-1], mass=True, invented=invented)
        if noun.endswith("+"):
            return Topic(kind, noun[:-1], noun[:-1], noun[:-1], True, invented)
        one, _, many = noun.partition("/")
        many = many or plural(one)
        if rng.random() < 0.4:
            asked = rng.choices((many, f"my {many}", f"the {many}"), (7, 1, 1))[0]
            said = asked.replace("my ", "your ")
            return Topic(kind, asked, said, many, True, invented)
        found = self._topic(kind, one, mass=False, invented=invented)
        return replace(found, bare=many)

    def answer(self, topic: Topic, *, tone: str, wants: str, given: dict[str, str]) -> str:
        """Two to four sentences: an opener about what was asked, then what comes to mind."""
        rng, said = self.rng, TONES[tone]
        n = rng.choices((2, 3, 4), (3, 5, 2))[0]
        opener = rng.choice(said.openers)
        sentences = [self._sentence(opener, topic, wants=wants, given=given, named=True)]
        last = [rng.choice(said.closers)] if rng.random() < 0.55 else []
        for frame in rng.sample(said.frames, n - 1 - len(last)) + last:
            named = rng.random() < 0.5
            while True:
                text = self._sentence(frame, topic, wants="any", given={}, named=named)
                if text not in sentences:
                    break
            sentences.append(text)
        return " ".join(sentences)

    def clause(self, topic: Topic, *, wants: str, given: dict[str, str], named: bool) -> str:
        """A clause about the topic, lower case and without a stop; ``given`` holds what the
        question itself said of it."""
        if "c" in given:
            return given["c"]
        rng = self.rng
        if wants in ("any", "opinion"):
            wants = rng.choices(("does", "do", "place", "part", "is"), (30, 30, 15, 12, 13))[0]
        name = topic.said if named else ("they" if topic.plural else "it")
        them = topic.said if named else ("them" if topic.plural else "it")
        if wants == "does":
            verb = rng.choice(self._of(topic, "does"))
            return f"{name} {verb if topic.plural else third(verb)}"
        if wants == "do":
            do = given.get("do") or rng.choice(self._of(topic, "do")).format(it=them)
            return self._doing(do)
        if wants == "place":
            place = given.get("place") or rng.choice(self._of(topic, "places"))
            return rng.choice(WHERE).format(n=name, be=topic.be, t=them, p=place)
        if wants == "part":
            part = given.get("part") or rng.choice(self._of(topic, "parts"))
            return f"the {part} of {them} {rng.choice(PART_VERBS)}"
        adjective = rng.choice(self._of(topic, "adjectives"))
        return rng.choice(HOW).format(n=name, be=topic.be, t=them, a=adjective)

    def _exchange(self, topic: Topic, *, tone: str) -> tuple[str, str]:
        rng = self.rng
        if rng.random() < 0.1:
            form = Form("any", rng.choice(asking.SITUATIONS))
        else:
            form = rng.choice(self.forms)
        do = rng.choice(self._of(topic, "do"))
        given = {
            "do": do.format(it=topic.asked),
            "place": rng.choice(self._of(topic, "places")),
            "part": rng.choice(self._of(topic, "parts")),
            "c": self.clause(topic, wants="does", given={}, named=True),
        }
        does = "do" if topic.plural else "does"
        user = form.text.format(
            q=topic.asked,
            Q=capital(topic.asked),
            be=topic.be,
            does0=does,
            ing=gerund(given["do"]),
            person=rng.choice(asking.PERSONS),
            event=rng.choice(asking.EVENTS),
            season=rng.choice(asking.SEASONS),
            season2=rng.choice(asking.SEASONS2),
            **{**given, "c": given["c"].replace("your ", "my ")},
        )
        if rng.random() < 0.12:
            about = topic if rng.random() < 0.6 else self.topic()
            said = self.clause(about, wants="any", given={}, named=True)
            user = f"{capital(said.replace('your ', 'my '))}. {user}"
        kept = {key: text for key, text in given.items() if f"{{{key}}}" in form.text}
        if "{ing}" in form.text:
            kept["do"] = given["do"]
        if "do" in kept:
            kept["do"] = do.format(it=topic.said)
        return user, self.answer(topic, tone=tone, wants=form.wants, given=kept)

    def _sentence(
        self,
        frame: str,
        topic: Topic,
        *,
        wants: str,
        given: dict[str, str],
        named: bool,
    ) -> str:
        rng = self.rng
        clause = self.clause(topic, wants=wants, given=given, named=named)
        them = "them" if topic.plural else "it"
        do = given.get("do") or rng.choice(self._of(topic, "do"))
        words = {
            "c": clause,
            "C": capital(clause),
            "d": self.clause(topic, wants="any", given={}, named=False),
            "n": topic.said,
            "N": capital(topic.said),
            "bare": topic.bare,
            "be": topic.be,
            "them": them,
            "they": "they" if topic.plural else "it",
            "makes": "make" if topic.plural else "makes",
            "do": do.format(it=topic.said if named else them),
            "part": given.get("part") or rng.choice(self._of(topic, "parts")),
            "place": given.get("place") or rng.choice(self._of(topic, "places")),
        }
        return self._fill(frame, words)

    def _fill(self, frame: str, words: dict[str, str]) -> str:
        chosen = re.sub(
            r"\[([^\]]*)\]", lambda found: self.rng.choice(found.group(1).split("|")), frame
        )
        return chosen.format(**words)

    def _doing(self, do: str) -> str:
        rng = self.rng
        if rng.random() < 0.25:
            text = f"my {rng.choice(asking.PERSONS)} {third(do)}"
        else:
            text = f"{rng.choice(WHO)} {do}"
        return f"{text} {rng.choice(TIMES)}" if rng.random() < 0.2 else text

    def _of(self, topic: Topic, field: str) -> tuple[str, ...]:
        kind = GENERIC if self.rng.random() < 0.3 else topic.kind
        found: tuple[str, ...] = getattr(kind, field)
        return found

    def _topic(self, kind: Kind, noun: str, *, mass: bool, invented: bool) -> Topic:
        rng = self.rng
        one = noun if mass else article(noun)
        asked = rng.choices((one, f"the {noun}", f"my {noun}", f"your {noun}"), (4, 4, 1, 0.5))[0]
        said = asked
        if asked.startswith("my "):
            said = f"your {noun}"
        elif asked.startswith("your "):
            said = f"my {noun}"
        elif asked == article(noun) and rng.random() < 0.5:
            said = f"the {noun}"
        return Topic(kind, asked, said, noun, False, invented)

    def _tone(self) -> str:
        return "neutral" if self.rng.random() < SHARE_PLAIN else self.rng.choice(EMOTIONS)

    def _ask(self, question: str, *, tone: str) -> str:
        how = self.rng.choice(ASKED_BY_USER)
        return how.format(q=question, noun=tone, adj=self.rng.choice(ADJECTIVES[tone]))

    def _system(self, tone: str) -> str:
        if tone == "neutral":
            return self.rng.choice(PLAIN_SYSTEM)
        how = self.rng.choice(ASKED_BY_SYSTEM)
        return how.format(noun=tone, adj=self.rng.choice(ADJECTIVES[tone]))
