#include "voices/shared_context.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "graph/residual.hpp"
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
                           const llama_model_params& params) {
    const std::string who = fingerprint(path);
    model_.reset(llama_model_load_from_file(path.c_str(), params));
    if (model_ == nullptr) throw std::invalid_argument(path + ": llama.cpp cannot load it");
    arch_ = metadata(model_.get(), "general.architecture");
    const int n_embd = llama_model_n_embd(model_.get());
    const ModelFacts facts{n_layer(), n_embd, arch_, who};
    vectors_ = load_vectors(vectors, facts);
    site_ = chosen_site(site, vectors_.site, arch_);
    bank_ = std::make_shared<Bank>(vectors_.data.data(), vectors_.n_emotion(), n_layer(), n_embd);
    if (vectors_.residual_rms.empty() && !vectors_.are_calibrated()) {
        vectors_.residual_rms = residual_rms(model_.get(), site_);
    }
    steering_vectors_ =
        std::make_shared<SteeringVectors>(vectors_.names, vectors_.ceilings, vectors_.data.data(),
                                          n_layer(), n_embd, first_layer(), vectors_.residual_rms);
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

SharedContext::SharedContext(std::shared_ptr<const FeelingModel> model, int n_voice, int n_ctx,
                             std::string chat_template, llama_context_params params)
    : model_(std::move(model)), n_ctx_(n_ctx), template_(std::move(chat_template)) {
    const int most = static_cast<int>(llama_max_parallel_sequences());
    if (n_voice < 1 || n_voice > most) {
        throw std::invalid_argument(std::to_string(n_voice) + " voices, expected 1 to " +
                                    std::to_string(most));
    }
    if (n_ctx < 1 || n_ctx > INT32_MAX / n_voice) {
        throw std::invalid_argument(std::to_string(n_ctx) +
                                    " tokens for each voice to remember, expected 1 or more, and "
                                    "all together not beyond what llama.cpp can count");
    }
    params.n_ctx = static_cast<std::uint32_t>(n_ctx) * n_voice;
    params.n_seq_max = n_voice;
    params.kv_unified = true;
    params.cb_eval = GraphWatch::callback;
    params.cb_eval_user_data = &watch_;
    if (template_.empty()) {
        const char* own = llama_model_chat_template(model_->get(), nullptr);
        template_ = own == nullptr ? "chatml" : own;
    }
    (void)written({{"user", "Hello"}});  // refused now rather than in the middle of a game
    ctx_.reset(llama_init_from_model(model_->get(), params));
    if (ctx_ == nullptr) throw std::invalid_argument("llama.cpp cannot make such a context");
    const char* node = node_of(model_->site(), model_->arch());
    rows_ = std::make_unique<RowInjector>(watch_, ctx_.get(), node);
    if (const auto& baseline = model_->baseline()) {
        probe_ = std::make_unique<Probe>(watch_, ctx_.get(), baseline->layers, baseline->directions,
                                         model_->vectors().n_emotion(), n_voice);
    }
    stage_ = std::make_unique<Stage>(ctx_.get(), *rows_, probe_.get());
}

SharedContext::~SharedContext() {
    if (stage_ != nullptr) stage_->close();
    if (probe_ != nullptr) probe_->close();
    if (rows_ != nullptr) rows_->close();
}

std::unique_ptr<Reader> SharedContext::reader(int voice) const {
    if (probe_ == nullptr) return nullptr;
    return std::make_unique<Reader>(model_->baseline(), *probe_, voice, n_ctx_);
}

std::string SharedContext::written(const std::vector<Message>& messages) const {
    std::vector<llama_chat_message> chat;
    for (const Message& message : messages) {
        chat.push_back({message.role.c_str(), message.content.c_str()});
    }
    std::string text(1024, '\0');
    while (true) {
        const std::int32_t n =
            llama_chat_apply_template(template_.c_str(), chat.data(), chat.size(), true,
                                      text.data(), static_cast<std::int32_t>(text.size()));
        if (n < 0) {
            throw std::invalid_argument(
                "llama.cpp does not know the model's chat template; name one that it does know, as "
                "in chat_template = \"chatml\"");
        }
        const bool is_whole = static_cast<std::size_t>(n) <= text.size();
        text.resize(n);
        if (is_whole) return text;
    }
}

std::vector<llama_token> SharedContext::chat(const std::vector<Message>& messages) const {
    const std::string text = written(messages);
    std::vector<llama_token> tokens(text.size() + 2);
    const auto tokenize = [&] {
        return llama_tokenize(model_->vocab(), text.data(), static_cast<std::int32_t>(text.size()),
                              tokens.data(), static_cast<std::int32_t>(tokens.size()), true, true);
    };
    std::int32_t n = tokenize();
    if (n < 0) {
        tokens.resize(static_cast<std::size_t>(-n));
        n = tokenize();
    }
    tokens.resize(std::max(n, 0));
    return tokens;
}

std::vector<Drawn> SharedContext::step(int n) {
    std::vector<Drawn> drawn = stage_->step(n);
    if (is_taken_ || rows_->n_blend() == 0) return drawn;
    for (const int layer : rows_->missing_layers()) {
        if (layer < model_->first_layer()) continue;
        throw std::runtime_error("llama.cpp's '" + model_->arch() +
                                 "' graph has no place to add vectors in layer " +
                                 std::to_string(layer) + ", so no mood can be added there");
    }
    is_taken_ = true;
    return drawn;
}

}  // namespace llamood
