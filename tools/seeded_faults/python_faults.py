"""Faults in Python."""

from __future__ import annotations

from .fault import Fault

MOODS = (
    Fault(
        name="a-sum-in-a-product-loses-its-brackets",
        says="(a + b) * c is written as a + b * c, and read back as that",
        right="nested = isinstance(part, Sum) and isinstance(schedule, Product)",
        wrong="nested = False",
        tests=["test_notation.py"],
    ),
    Fault(
        name="a-quote-ends-a-text-too-early",
        says="a mood in one line that listens for a text with a quote in it is cut at the comma",
        right='skip = char == "\\\\"',
        wrong="skip = False",
        tests=["test_mood.py", "test_notation.py"],
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
        name="a-loop-that-is-left-goes-on",
        says="leaving an async for does not interrupt the voices",
        right="def __del__(self) -> None:\n        self._stream.close()",
        wrong="def __del__(self) -> None:\n        pass",
        tests=["test_answer_stream.py"],
    ),
)

READINGS = (
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
        right="if size > settings.n_body:",
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
        right="_, session = self._known.pop(key)",
        wrong="_, session = self._known[key]",
        tests=["test_server_sessions.py"],
    ),
)

PYTHON_FAULTS = (*MOODS, *VOICES, *READINGS, *FILES, *SERVICE)
