"""The tests' chat model's tokenizer: byte-level BPE, trained on its corpus, as GGUF stores it."""

from __future__ import annotations

import json
from collections.abc import Iterable

from gguf import TokenType
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from llama_gguf import GgufTokenizer

PADDING, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
SPECIAL = (PADDING, START, END)


def train_tokenizer(texts: Iterable[str], *, n_vocab: int) -> Tokenizer:
    """Cuts text into words by GPT-2's rule, which llama.cpp knows as ``gpt-2``."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=n_vocab,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def gguf_tokenizer(tokenizer: Tokenizer) -> GgufTokenizer:
    """The same tokenizer for a GGUF file. No token is put before a prompt."""
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
    types = [TokenType.CONTROL if token in SPECIAL else TokenType.NORMAL for token in tokens]
    return GgufTokenizer(
        tokens=tuple(tokens),
        types=tuple(int(kind) for kind in types),
        merges=tuple(" ".join(pair) for pair in model["merges"]),
        bos=model["vocab"][PADDING],
        eos=model["vocab"][END],
        pad=model["vocab"][PADDING],
        add_bos=False,
    )


def encode_conversation(
    tokenizer: Tokenizer, messages: list[dict[str, str]]
) -> tuple[list[int], list[bool]]:
    """Token ids of the messages as the chat template renders them, and for each token whether
    the model is to write it (an answer and its end)."""
    start, end = tokenizer.token_to_id(START), tokenizer.token_to_id(END)
    newline = tokenizer.encode("\n", add_special_tokens=False).ids
    ids: list[int] = []
    written: list[bool] = []
    for message in messages:
        head = tokenizer.encode(f"{message['role']}\n", add_special_tokens=False).ids
        body = tokenizer.encode(message["content"], add_special_tokens=False).ids
        ids += [start, *head, *body, end, *newline]
        answer = message["role"] == "assistant"
        written += [False] * (1 + len(head)) + [answer] * (len(body) + 1) + [False] * len(newline)
    return ids, written
