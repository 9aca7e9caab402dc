#include "graph/residual.hpp"

#include <llama-cpp.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "graph/graph_watch.hpp"
#include "graph/tap.hpp"

namespace llamood {

namespace {

const std::string text =
    "The harbour lies at the end of the road. Boats come in with the morning tide, and the market "
    "opens at nine. Most people walk there by the old bridge, which was built of stone and wood.";
constexpr int most = 40;   // tokens that are decoded
constexpr int n_read = 7;  // of them, the last ones

std::vector<llama_token> tokens_of(const llama_model* model) {
    std::vector<llama_token> tokens(text.size() + 2);
    const std::int32_t n = llama_tokenize(
        llama_model_get_vocab(model), text.data(), static_cast<std::int32_t>(text.size()),
        tokens.data(), static_cast<std::int32_t>(tokens.size()), /*add_special=*/true, false);
    tokens.resize(std::clamp(n, 0, most));
    return tokens;
}

llama_context_ptr small_context(llama_model* model, GraphWatch& watch) {
    llama_context_params params = llama_context_default_params();
    params.n_ctx = params.n_batch = params.n_ubatch = most;
    params.cb_eval = GraphWatch::callback;
    params.cb_eval_user_data = &watch;
    return llama_context_ptr(llama_init_from_model(model, params));
}

// Each slot has one token at most.
double median_rms(const Tap& tap, Site site, int layer) {
    const std::size_t at = static_cast<std::size_t>(site) * tap.n_layer() + layer;
    std::vector<double> squares;
    for (int slot = 0; slot < tap.n_slot(); ++slot) {
        if (tap.count(slot)[at] == 1) squares.push_back(tap.square(slot)[at]);
    }
    if (squares.empty()) return site == layer_out ? 0.0 : median_rms(tap, layer_out, layer);
    const auto middle = squares.begin() + static_cast<std::ptrdiff_t>(squares.size() / 2);
    std::nth_element(squares.begin(), middle, squares.end());
    return std::isfinite(*middle) ? std::sqrt(*middle) : 0.0;
}

}  // namespace

std::vector<double> residual_rms(llama_model* model, Site site) {
    std::vector<llama_token> tokens = tokens_of(model);
    GraphWatch watch;
    const llama_context_ptr ctx = small_context(model, watch);
    const auto n = static_cast<int>(tokens.size());
    if (ctx == nullptr || n <= n_read) return {};
    Tap tap(watch, llama_model_n_layer(model), llama_model_n_embd(model), n_read);
    llama_batch batch = llama_batch_get_one(tokens.data(), n);
    std::vector<int> slots(tokens.size(), -1);
    std::vector<std::int8_t> is_output(tokens.size());
    for (int i = 0; i < n_read; ++i) {
        slots[n - n_read + i] = i;
        is_output[n - n_read + i] = 1;
    }
    batch.logits = is_output.data();
    tap.expect(slots, {is_output.begin(), is_output.end()}, tap.n_layer() - 1);
    if (llama_decode(ctx.get(), batch) != 0) return {};
    std::vector<double> rms;
    for (int layer = 0; layer < tap.n_layer(); ++layer) {
        rms.push_back(median_rms(tap, site, layer));
    }
    return rms;
}

}  // namespace llamood
