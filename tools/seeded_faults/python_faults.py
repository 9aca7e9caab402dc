"""Faults in Python."""

from __future__ import annotations

from .fault import Fault

MOODS = (
    Fault(
        name="repeat-goes-on-once-more",
        says="a schedule that is repeated three times begins a fourth time",
        right="turns = np.minimum(turns, self.times - 1)",
        wrong="turns = np.minimum(turns, self.times)",
        tests=["test_schedule.py"],
    ),
    Fault(
        name="what-follows-hears-what-was-said-before-it",
        says="a trigger in a schedule that comes later starts by texts that came before that",
        right="inner.at(tokens[same] - begin, heard.since(begin))",
        wrong="inner.at(tokens[same] - begin, heard)",
        tests=["test_triggers.py", "test_schedule.py"],
    ),
    Fault(
        name="a-text-is-heard-twice",
        says="a trigger starts again at the token after the text",
        right="self._before(len(wanted) - 1) + piece",
        wrong="self._before(len(wanted)) + piece",
        tests=["test_phrase_matcher.py"],
    ),
    Fault(
        name="a-sum-in-a-product-loses-its-brackets",
        says="(a + b) * c is written as a + b * c, and read back as that",
        right="nested = isinstance(part, Sum) and isinstance(schedule, Product)",
        wrong="nested = False",
        tests=["test_notation.py"],
    ),
    Fault(
        name="the-weakest-shares",
        says="shared-once adds what all vectors share at the wrong strength where one pushes away",
        right="np.where(highest >= -lowest, highest, lowest)",
        wrong="np.where(highest >= lowest, highest, lowest)",
        tests=["test_mood.py"],
    ),
    Fault(
        name="a-quote-ends-a-text-too-early",
        says="a mood in one line that listens for a text with a quote in it is cut at the comma",
        right='skip = char == "\\\\"',
        wrong="skip = False",
        tests=["test_mood.py", "test_notation.py"],
    ),
)

PERFORMANCE = (
    Fault(
        name="hearing-changes-what-was-played",
        says="after a change of mood, rows of the mood before are made anew in the new one",
        right="self._forget(max(token, self._begin))",
        wrong="self._forget(token)",
        tests=["test_performance.py"],
    ),
    Fault(
        name="a-rescue-begins-a-token-late",
        says="the first token after a collapse is drawn at the full dose",
        right="if first <= token), 1.0)",
        wrong="if first < token), 1.0)",
        tests=["test_performance.py", "test_collapse_monitor.py"],
    ),
    Fault(
        name="layers-are-no-part-of-a-blend-key",
        says="what was decoded with a mood in other layers is used again",
        right='self.vectors.digest + weights.tobytes() + f"{first}:{last}".encode()',
        wrong="self.vectors.digest + weights.tobytes()",
        tests=["test_performance.py", "test_llama_cache.py"],
    ),
    Fault(
        name="a-layer-too-few-is-fluent",
        says="the guard believes that more reads fluently in a few layers than does",
        right="within = sizes[:, first : last + 1].sum(axis=1)",
        wrong="within = sizes[:, first:last].sum(axis=1)",
        tests=["test_performance.py"],
    ),
)

VOICES = (
    Fault(
        name="a-state-forgets-its-moods",
        says="a saved state that was steered is used again as if it were not",
        right='self._kv_keys[: self.n_tokens] = getattr(state, "llamood_kv_keys", 0)',
        wrong="self._kv_keys[: self.n_tokens] = 0",
        tests=["test_llama_cache.py"],
    ),
    Fault(
        name="a-rescued-answer-is-sampled-from-nothing",
        says="after a rescue, penalties do not count what was kept",
        right="sampler.accept(token)",
        wrong="pass",
        tests=["test_collapse_monitor.py"],
    ),
    Fault(
        name="inertia-goes-on-from-what-nobody-heard",
        says="an interrupted answer leaves the weights of tokens that were held back",
        right="self._felt = turn.performance.after(len(turn.told) - 1)",
        wrong="self._felt = turn.performance.after(turn.n_drawn - 1)",
        tests=["test_collapse_monitor.py", "test_cast.py", "test_cast_at_random.py"],
    ),
    Fault(
        name="who-they-are-is-forgotten-first",
        says="a character with no room left drops its system prompt with its oldest turn",
        right="return None if len(turns) < 2 else [*self._system, *messages[turns[1] :]]",
        wrong="return None if len(turns) < 2 else messages[turns[1] :]",
        tests=["test_cast.py", "test_character.py"],
    ),
    Fault(
        name="a-loop-that-is-left-goes-on",
        says="leaving an async for does not interrupt the voices",
        right="def __del__(self) -> None:\n        self._stream.close()",
        wrong="def __del__(self) -> None:\n        pass",
        tests=["test_answer_stream.py"],
    ),
    Fault(
        name="begun-anew-an-answer-may-be-as-long-again",
        says="a rescued answer of a cast is longer than max_tokens",
        right='"max_tokens": self._most - self.n_drawn,',
        wrong='"max_tokens": self._most,',
        tests=["test_collapse_monitor.py", "test_cast.py"],
    ),
)

GUARD = (
    Fault(
        name="a-token-of-the-collapse-is-told",
        says="the first token that smells is told, and cannot be taken back",
        right="self._n_sound = max(self._n_sound, guard.suspect_from - 1)",
        wrong="self._n_sound = max(self._n_sound, guard.suspect_from)",
        tests=["test_collapse_monitor.py"],
    ),
)

READINGS = (
    Fault(
        name="the-last-token-is-not-corrected",
        says="the reading of the token that was steered last is off by what was added",
        right="self._moved[position : position + n] = moved",
        wrong="self._moved[position : position + n - 1] = moved",
        tests=["test_probe.py"],
    ),
    Fault(
        name="what-is-fitted-chooses-too",
        says="readings are shrunk as fits the texts they were made from, and read others worse",
        right="area = _area(found[chooses], labels[chooses], names).macro",
        wrong="area = _area(found[is_fitted], labels[is_fitted], names).macro",
        tests=["test_probe.py", "test_discriminant.py"],
    ),
)

FILES = (
    Fault(
        name="a-file-without-its-last-layer-is-taken",
        says="a damaged file of vectors is read as one of a shallower model",
        right='if "version" in facts and isinstance(declared, int):\n            declared += 1',
        wrong='if "version" in facts and isinstance(declared, int):\n            declared += 0',
        tests=["test_files.py"],
    ),
    Fault(
        name="what-cannot-be-replaced-is-lost",
        says="where writing fails, files that were to go with the old ones are gone",
        right="path.replace(old)",
        wrong="pass",
        tests=["test_files.py", "test_measuring.py", "test_repertoire.py"],
    ),
    Fault(
        name="the-paper-vectors-are-added-one-mlp-late",
        says="the published files are taken as measured at the end of the block",
        right='Measurement(site=hints.site or "attn_out")',
        wrong='Measurement(site=hints.site or "layer_out")',
        tests=["test_conversion.py"],
    ),
)

SERVICE = (
    Fault(
        name="a-body-in-chunks-may-be-of-any-size",
        says="a request without a length fills the memory",
        right="if size > self._settings.n_body:",
        wrong="if size < 0:",
        tests=["test_server_faults.py", "test_server_engine.py"],
    ),
    Fault(
        name="who-has-gone-is-answered",
        says="a request that was cancelled while it waited takes a voice",
        right="deque(job for job in self._waiting if job not in cancelled)",
        wrong="deque(self._waiting)",
        tests=["test_server_engine.py", "test_server_faults.py", "test_server_connections.py"],
    ),
    Fault(
        name="the-session-that-is-used-is-forgotten",
        says="with many sessions, one that is asked for all the time loses its mood",
        right="_, session = self._known.pop(name, (now, Session()))",
        wrong="_, session = self._known.get(name, (now, Session()))",
        tests=["test_server_sessions.py"],
    ),
)

PYTHON_FAULTS = (*MOODS, *PERFORMANCE, *VOICES, *GUARD, *READINGS, *FILES, *SERVICE)
