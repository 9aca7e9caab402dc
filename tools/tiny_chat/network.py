"""The tests' chat model as PyTorch trains it: llama.cpp's ``llama`` architecture."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from llama_gguf import LlamaShape


class Block(nn.Module):
    """One decoder layer: (n_batch, n_token, n_embd) -> the same."""

    def __init__(self, shape: LlamaShape) -> None:
        super().__init__()
        wide = shape.n_embd
        self.n_head = shape.n_head
        self.attn_norm = nn.RMSNorm(wide, eps=shape.norm_eps)
        self.attn_q = nn.Linear(wide, wide, bias=False)
        self.attn_k = nn.Linear(wide, wide, bias=False)
        self.attn_v = nn.Linear(wide, wide, bias=False)
        self.attn_output = nn.Linear(wide, wide, bias=False)
        self.ffn_norm = nn.RMSNorm(wide, eps=shape.norm_eps)
        self.ffn_gate = nn.Linear(wide, shape.n_ff, bias=False)
        self.ffn_up = nn.Linear(wide, shape.n_ff, bias=False)
        self.ffn_down = nn.Linear(shape.n_ff, wide, bias=False)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
        n_batch, n_token, wide = x.shape
        normed = self.attn_norm(x)
        heads = (n_batch, n_token, self.n_head, wide // self.n_head)
        q = rotate(self.attn_q(normed).view(heads).transpose(1, 2), turn)
        k = rotate(self.attn_k(normed).view(heads).transpose(1, 2), turn)
        v = self.attn_v(normed).view(heads).transpose(1, 2)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.attn_output(mixed.transpose(1, 2).reshape(x.shape))
        normed = self.ffn_norm(x)
        return x + self.ffn_down(functional.silu(self.ffn_gate(normed)) * self.ffn_up(normed))


def rotate(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """RoPE on neighbouring pairs; ``turn`` is cosine and sine, (n_token, n_rot / 2) each."""
    cos, sin = turn
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


class Network(nn.Module):
    """Token ids (n_batch, n_token) -> logits (n_batch, n_token, n_vocab); embeddings tied.

    Sequences start at position 0 and are padded on the right, where a causal mask hides it.
    """

    def __init__(self, shape: LlamaShape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.n_vocab, shape.n_embd)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.n_layer))
        self.output_norm = nn.RMSNorm(shape.n_embd, eps=shape.norm_eps)
        steps = torch.arange(0, shape.n_rot, 2) / shape.n_rot
        angles = torch.outer(torch.arange(shape.n_ctx), shape.rope_theta**-steps)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                last = name.endswith(("attn_output.weight", "ffn_down.weight"))
                nn.init.normal_(parameter, std=0.02 / (2 * shape.n_layer) ** (0.5 * last))

    def forward(self, ids: Tensor) -> Tensor:
        n_token = ids.shape[1]
        turn = (self.cos[:n_token], self.sin[:n_token])
        x = self.token_embd(ids)
        for block in self.blk:
            x = block(x, turn)
        return functional.linear(self.output_norm(x), self.token_embd.weight)

    def arrays(self) -> dict[str, np.ndarray]:
        """Weights by llama.cpp's names, float32."""
        return {
            name: tensor.detach().float().numpy().copy()
            for name, tensor in self.state_dict().items()
        }
