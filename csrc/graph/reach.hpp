// Where in a model vectors take hold, found out by decoding one token of it.
//
// Beside what injector.hpp and site.hpp say of llama.cpp, relied on here (llama.cpp 0c1e570):
// - Which nodes a graph has depends on the architecture and on the model's file (of gptneox, say,
//   whether attention and MLP run side by side), and not on which token is decoded or after what.
// - deci skips layers without an MLP altogether: they have neither a control vector nor any node of
//   a site, and what is added elsewhere takes hold. Its layers without attention have no "ffn_inp".
// - plamo2, hy-v4 and qwen4exp add no control vector, and take one without a word. plamo2 and
//   qwen4exp have no "l_out" either, so that rows cannot be added to. deepseek4 does add one, to
//   each of the streams that it keeps side by side, at "l_last": that is not looked for, so it is
//   refused like those.
// - Recurrent models (mamba, rwkv7) and hybrid ones (lfm2, falcon-h1, jamba, granitehybrid) add it
//   as all others do, to every position of a prompt and to every generated one, and the recurrent
//   state of later layers is made from the sum. Both ways of adding take hold there, in falcon-h1
//   and granitehybrid at attn_out, too; only which row is whose is not known in a batch of several
//   sequences (row_injector.hpp).
// - A recurrent state cannot be taken back by some tokens: llama_memory_seq_rm refuses that for all
//   but the whole sequence.
#pragma once

#include <llama.h>

#include <string>
#include <vector>

#include "graph/site.hpp"

namespace llamood {

// Each (n_layer); all of them empty where llama.cpp makes no small context of the model, or decodes
// nothing.
struct Reach {
    std::vector<bool> vector;     // where a control vector is added; never in layer 0
    std::vector<bool> layer_out;  // where rows can be added to and read at that site
    std::vector<bool> attn_out;

    bool is_known() const { return !vector.empty(); }
};

// arch: the model's "general.architecture". Costs one token on one thread, without its logits.
Reach reach_of(llama_model* model, const std::string& arch);

}  // namespace llamood
