"""What all trials need: the model in every form, the texts and their tokens, and the programs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from interop.environment import Environment, own_python, run_job
from interop.pairs import PROMPTS, ContrastivePairs
from interop.programs import Programs
from interop.voice import tokens_of
from interop.weights import write_float32
from llamood import demo


@dataclass(frozen=True)
class Workplace:
    """``quantised``: the model's own file. ``exact``: its weights in float32. ``hub``: those as a
    folder that `transformers` reads. ``reading``: what it said of its reading the first."""

    folder: Path
    environment: Environment
    programs: Programs
    quantised: Path
    exact: Path
    hub: Path
    pairs: ContrastivePairs
    reading: dict[str, Any]

    @classmethod
    def made(cls, folder: Path, work: Path, *, n_pair: int) -> Workplace:
        """``folder``: what is kept from one time to the next, the environment and the programs.
        ``work``: what is written now."""
        threads = len(os.sched_getaffinity(0))
        environment = Environment.made(folder / "peers", threads=threads)
        programs = Programs.built(folder, threads=threads)
        exact = write_float32(demo.MODEL, work / "float32.gguf")
        pairs = ContrastivePairs.bundled(n_pair)
        texts = [*pairs.positive, *pairs.negative, *PROMPTS]
        reading = environment.run(
            "weights",
            work / "weights.json",
            gguf=str(demo.MODEL),
            folder=str(work / "hub"),
            texts=texts,
            tokens=tokens_of(demo.MODEL, texts),
        )
        return cls(
            work, environment, programs, demo.MODEL, exact, work / "hub", pairs,
            {**reading, "n_text": len(texts)},
        )  # fmt: skip

    @property
    def threads(self) -> int:
        return self.environment.threads

    @cached_property
    def prompts(self) -> list[list[int]]:
        return tokens_of(self.quantised, PROMPTS)

    @cached_property
    def pair_tokens(self) -> list[tuple[list[int], list[int]]]:
        both = [*self.pairs.positive, *self.pairs.negative]
        tokens = tokens_of(self.quantised, both)
        n_pair = len(self.pairs.positive)
        return list(zip(tokens[:n_pair], tokens[n_pair:], strict=True))

    def job(self, deed: str, name: str, **told: Any) -> tuple[dict[str, Any], Path]:
        """One in the peers' environment: its result, and where its arrays are."""
        path = self.folder / f"{name}.json".replace(" ", "-")
        arrays = path.with_suffix(".npz")
        result = self.environment.run(deed, path, folder=str(self.hub), arrays=str(arrays), **told)
        return result, arrays

    def listen(self, model: Path, name: str) -> tuple[dict[str, Any], Path]:
        """llamood's own extraction, in a process of its own."""
        path = self.folder / f"{name}.json"
        told = {
            "model": model,
            "pairs": self.pairs.told(),
            "n_token": max(len(text) for pair in self.pair_tokens for text in pair),
            "threads": self.threads,
            "arrays": path.with_suffix(".npz"),
        }
        return run_job(own_python(), "interop.listening", path, told), path.with_suffix(".npz")
