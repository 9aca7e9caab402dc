#include "voices/feeling_model.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

#include "graph/reach.hpp"
#include "graph/residual.hpp"
#include "moods/affect_fit.hpp"
#include "vectors/fingerprint.hpp"

namespace llamood {

namespace {

std::string metadata(const llama_model* model, const char* key) {
    std::array<char, 128> value{};
    const std::int32_t n = llama_model_meta_val_str(model, key, value.data(), value.size());
    return n < 0 ? std::string() : std::string(value.data());
}

Site chosen_site(const std::string& asked, const std::string& measured, const std::string& arch) {
    if (!asked.empty() && asked != "layer_out" && asked != "attn_out") {
        throw std::invalid_argument("site is '" + asked + "', expected layer_out or attn_out");
    }
    const Site site = (asked.empty() ? measured : asked) == "attn_out" ? attn_out : layer_out;
    if (node_of(site, arch) != nullptr) return site;
    if (!asked.empty()) {
        throw std::invalid_argument("llama.cpp's '" + arch +
                                    "' graph has no known place between attention and MLP, so "
                                    "nothing can be added at site " +
                                    asked + "; ask for layer_out");
    }
    return layer_out;
}

}  // namespace

FeelingModel::FeelingModel(const std::string& path, const std::string& vectors,
                           const std::string& site, bool has_readings,
                           const llama_model_params& params)
    : path_(path), fingerprint_(llamood::fingerprint(path)) {
    model_.reset(llama_model_load_from_file(path.c_str(), params));
    if (model_ == nullptr) throw std::invalid_argument(path + ": llama.cpp cannot load it");
    arch_ = metadata(model_.get(), "general.architecture");
    const int n_embd = llama_model_n_embd(model_.get());
    const ModelFacts facts{n_layer(), n_embd, arch_, fingerprint_};
    vectors_ = load_vectors(vectors, facts);
    site_ = chosen_site(site, vectors_.site, arch_);
    require_reach();
    bank_ = std::make_shared<Bank>(vectors_.data.data(), vectors_.n_emotion(), n_layer(), n_embd);
    if (vectors_.residual_rms.empty() && !vectors_.are_calibrated()) {
        vectors_.residual_rms = residual_rms(model_.get(), site_);
    }
    steering_vectors_ = std::make_shared<SteeringVectors>(
        StoredVectors{vectors_.names, bank_, vectors_.ceilings, vectors_.scales,
                      site_ == layer_out ? "layer_out" : "attn_out", vectors_.residual_rms});
    if (has_readings && site_ != layer_out) {
        throw std::invalid_argument(
            "readings were asked for at site attn_out, but what is added there was not measured; "
            "add at layer_out, or read nothing");
    }
    if (has_readings) {
        baseline_ = std::make_shared<Baseline>(load_baseline(vectors, vectors_, facts));
    }
    vectors_.data = {};  // the bank has them
}

void FeelingModel::require_reach() const {
    // A recurrent memory is refused when a cast is opened.
    if (llama_model_is_recurrent(model_.get()) || llama_model_is_hybrid(model_.get())) return;
    const Reach reach = reach_of(model_.get(), arch_);
    const std::vector<bool>& layers = site_ == attn_out ? reach.attn_out : reach.layer_out;
    if (!reach.is_known() || std::find(layers.begin(), layers.end(), true) != layers.end()) return;
    throw std::invalid_argument(
        path_ + ": llama.cpp's '" + arch_ + "' graph " +
        (site_ == attn_out ? "has no place for site attn_out in this model; ask for layer_out"
                           : "shows no end of a block, so this model cannot be steered; use one of "
                             "another architecture"));
}

std::shared_ptr<const AffectMap> FeelingModel::affect_map() const {
    std::call_once(is_affect_known_, [this] {
        affect_map_ = fitted_map(*bank_, vectors_.names, vectors_.affect, vectors_.scales,
                                 vectors_.are_increments());
    });
    return affect_map_;
}

}  // namespace llamood
