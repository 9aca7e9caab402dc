// What is done a token, for callgrind to count: count_steps blend|injector|stage MODEL N_STEP.
// Driven by tests/core/test_instructions.py, which says what of it counts.
#include <llama-cpp.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "graph/graph_watch.hpp"
#include "graph/injector.hpp"
#include "graph/row_injector.hpp"
#include "graph/site.hpp"
#include "vectors/bank.hpp"
#include "voices/stage.hpp"

namespace {

using namespace llamood;

constexpr int n_emotion = 6;
constexpr int n_voice = 4;

// Numbers of no meaning.
std::vector<float> some(std::size_t n) {
    std::vector<float> values(n);
    for (std::size_t i = 0; i < n; ++i) {
        values[i] = 0.01f * static_cast<float>(i * 7919 % 101) - 0.5f;
    }
    return values;
}

std::shared_ptr<const Bank> bank_of(int n_layer, int n_embd) {
    const std::vector<float> data = some(std::size_t(n_emotion) * n_layer * n_embd);
    return std::make_shared<const Bank>(data.data(), n_emotion, n_layer, n_embd);
}

// Another one at every step.
std::vector<float> weights_at(int step) {
    std::vector<float> weights(n_emotion);
    for (int i = 0; i < n_emotion; ++i) weights[i] = 0.01f * static_cast<float>((step + i) % 9 + 1);
    return weights;
}

struct Speaker {
    GraphWatch watch;
    llama_model_ptr model;
    llama_context_ptr ctx;
    std::shared_ptr<const Bank> bank;
    LayerRange range{};

    explicit Speaker(const char* path) {
        model.reset(llama_model_load_from_file(path, llama_model_default_params()));
        if (model == nullptr) throw std::runtime_error("no such model");
        llama_context_params params = llama_context_default_params();
        params.n_ctx = 512;
        params.n_seq_max = n_voice;
        params.kv_unified = true;
        params.n_threads = params.n_threads_batch = 1;
        params.cb_eval = GraphWatch::callback;
        params.cb_eval_user_data = &watch;
        ctx.reset(llama_init_from_model(model.get(), params));
        const int n_layer = llama_model_n_layer(model.get());
        bank = bank_of(n_layer, llama_model_n_embd(model.get()));
        range = {1, n_layer - 1};
    }

    void decode() {
        llama_token token = 5;
        llama_batch batch = llama_batch_get_one(&token, 1);
        if (llama_decode(ctx.get(), batch) != 0) throw std::runtime_error("not decoded");
    }
};

void blend(int n_step) {
    const auto bank = bank_of(32, 1024);
    std::vector<float> out(std::size_t(32) * 1024);
    for (int step = 0; step < n_step; ++step) {
        bank->blend(weights_at(step).data(), {0, 31}, out.data());
    }
}

void injector(const char* model, int n_step) {
    Speaker speaker(model);
    Injector injector(speaker.watch, speaker.ctx.get());
    for (int step = 0; step < n_step; ++step) {
        injector.apply(speaker.bank, weights_at(step), speaker.range);
        speaker.decode();
    }
    injector.close();
}

// Voices in moods of their own, which change at every token.
void stage(const char* model, int n_step) {
    Speaker speaker(model);
    RowInjector rows(speaker.watch, speaker.ctx.get(), node_of(layer_out, "llama"));
    RowLimiter limiter(speaker.watch, speaker.ctx.get());
    Stage stage(speaker.ctx.get(), rows, limiter);
    const Mix mix{speaker.bank, speaker.range};
    Sampling sampling;
    sampling.temperature = 0.0f;
    const auto begin = [&](int voice) {
        stage.begin(voice, {5}, weights_at(voice), mix, sampling, {});
    };
    for (int voice = 0; voice < n_voice; ++voice) begin(voice);
    for (int step = 0; step < n_step; ++step) {
        for (const Drawn& drawn : stage.step()) {
            if (drawn.end == End::none) {
                stage.play(drawn.voice, weights_at(step + drawn.voice), mix);
            } else {
                begin(drawn.voice);
            }
        }
    }
    stage.close();
    rows.close();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
    const std::string what = argv[1];
    const int n_step = std::atoi(argv[3]);
    if (what == "blend") blend(n_step);
    if (what == "injector") injector(argv[2], n_step);
    if (what == "stage") stage(argv[2], n_step);
    return 0;
}
