// How large the hidden states of a model are, learnt from a few tokens of plain text.
//
// Relied on here, beside what tap.hpp says of llama.cpp's graphs (llama.cpp 0c1e570): a model may
// have several contexts, and what one of them decodes changes nothing in the others.
#pragma once

#include <llama.h>

#include <vector>

#include "graph/site.hpp"

namespace llamood {

// (n_layer): in each layer the root mean square of the residual stream at a site, or at the end of
// the block where the graph does not show that one. The median of some tokens, as single ones are
// outliers hundreds of times as large. 0 in layers that are not shown at all; empty where llama.cpp
// makes no small context of the model, or decodes nothing.
std::vector<double> residual_rms(llama_model* model, Site site);

}  // namespace llamood
