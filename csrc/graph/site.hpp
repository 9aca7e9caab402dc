// The places of a block where hidden states are read or added to, and what llama.cpp's graphs
// call them.
//
// Read in the sources of llama.cpp 0c1e570 (src/models, one file for each graph):
// - "l_out-<layer>" is the residual stream at the end of a block, after the control vector.
// - The residual stream between attention and MLP, which is the place where adding is the same as
//   adding to the attention output, is "ffn_inp-<layer>" in most graphs, and has another name or
//   none in others.
// - Where attention and MLP run side by side, the block's output is input + attention + MLP:
//   adding at "l_out-<layer>" is adding to the attention output. (gptneox is of either kind, as
//   the file says; of this kind it has no "ffn_inp" at all.)
// - Where the residual stream or the attention output is scaled before both are summed (granite,
//   minicpm) or normed (gemma2, olmo2, glm4), what is added here is neither.
// - A name is no promise: jamba says "ffn_inp" of the attention output before it is summed, bert
//   and its like of a normed sum, rwkv of another thing. So the table names architectures, not
//   "whoever has such a node"; those that were not read are not in it.
#pragma once

#include <string>

namespace llamood {

enum Site { layer_out = 0, attn_out = 1, n_site = 2 };

// What llama.cpp calls the node of a site in an architecture ("general.architecture"), without
// its layer; null where the place is not known.
const char* node_of(Site site, const std::string& arch);

}  // namespace llamood
