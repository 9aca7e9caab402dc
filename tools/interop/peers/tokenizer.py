"""A GGUF file's own tokenizer for `transformers`, which reads it as one of another kind.

Of a file whose tokenizer is ``gpt2`` with the rule ``smollm``: single digits, then GPT-2's words.
"""

from __future__ import annotations

from pathlib import Path

import gguf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

KIND = ("gpt2", "smollm")


def tokenizer_of(path: Path) -> PreTrainedTokenizerFast:
    """Raises `ValueError` for a tokenizer of another kind."""
    fields = gguf.GGUFReader(path).fields

    def text(key: str) -> str:
        return bytes(fields[f"tokenizer.ggml.{key}"].parts[-1]).decode()

    def texts(key: str) -> list[str]:
        field = fields[f"tokenizer.ggml.{key}"]
        return [bytes(field.parts[part]).decode() for part in field.data]

    kind = (text("model"), text("pre"))
    if kind != KIND:
        raise ValueError(f"{path.name}: its tokenizer is {kind}, expected {KIND}")
    tokens = texts("tokens")
    types = fields["tokenizer.ggml.token_type"]
    control = [
        token
        for token, part in zip(tokens, types.data, strict=True)
        if types.parts[part][0] == gguf.TokenType.CONTROL
    ]
    pairs = [tuple(merge.split(" ")) for merge in texts("merges")]
    whole = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=pairs))
    whole.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    whole.decoder = decoders.ByteLevel()
    whole.add_special_tokens(control)
    ends = tokens[int(fields["tokenizer.ggml.eos_token_id"].parts[-1][0])]
    return PreTrainedTokenizerFast(tokenizer_object=whole, eos_token=ends, pad_token=ends)
