#include "voices/opened_context.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <utility>

#include "moods/affect_fit.hpp"

namespace llamood {

namespace {

// See Guard::CompressedSize.
std::size_t zlib_size(const std::string& text) {
    uLongf size = compressBound(static_cast<uLong>(text.size()));
    std::vector<Bytef> out(size);
    const auto* in = reinterpret_cast<const Bytef*>(text.data());
    if (compress2(out.data(), &size, in, static_cast<uLong>(text.size()), 1) != Z_OK) {
        throw std::bad_alloc();
    }
    return size;
}

}  // namespace

OpenedContext::OpenedContext(std::shared_ptr<const FeelingModel> model, int n_voice, int n_ctx,
                             std::string chat_template, llama_context_params params)
    : model_(std::move(model)),
      n_ctx_(n_ctx),
      slides_(llama_model_n_swa(model_->get()) > 0 && !params.swa_full),
      template_(std::move(chat_template)) {
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
    limiter_ = std::make_unique<RowLimiter>(watch_, ctx_.get());
    if (const auto& baseline = model_->baseline()) {
        probe_ = std::make_unique<Probe>(watch_, ctx_.get(), baseline->layers, baseline->directions,
                                         model_->vectors().n_emotion(), n_voice);
    }
    stage_ = std::make_unique<Stage>(ctx_.get(), *rows_, *limiter_, probe_.get());
}

OpenedContext::~OpenedContext() {
    if (stage_ != nullptr) stage_->close();
    if (probe_ != nullptr) probe_->close();
    if (limiter_ != nullptr) limiter_->close();
    if (rows_ != nullptr) rows_->close();
}

SharedContext::Parts OpenedContext::parts() {
    SharedContext::Parts parts;
    parts.rows = rows_.get();
    parts.stage = stage_.get();
    parts.vectors = model_->steering_vectors();
    if (probe_ != nullptr) {
        parts.projector =
            std::make_shared<Projector>(model_->baseline(), model_->steering_vectors(), *probe_);
        for (const auto& [name, score] : model_->baseline()->told) parts.shown.push_back(name);
    }
    parts.places = places_of(model_->vectors().names, model_->vectors().affect);
    parts.n_ctx = n_ctx_;
    parts.slides = slides_;
    parts.name = model_->path();
    parts.fingerprint = model_->fingerprint();
    parts.advice = {"let the oldest turns be dropped", "open the stage with more"};
    parts.chat = [this](const std::vector<Message>& messages) { return chat(messages); };
    parts.decode = [](Stage& stage, const Room& room) { return stage.step(room); };
    parts.compressed_size = zlib_size;
    return parts;
}

std::string OpenedContext::written(const std::vector<Message>& messages) const {
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

std::vector<llama_token> OpenedContext::chat(const std::vector<Message>& messages) const {
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

}  // namespace llamood
