#include "capi/capi_model.hpp"

#include <limits>
#include <memory>
#include <string>

#include "capi/capi.hpp"

using namespace llamood;

namespace {

std::string text_or_empty(const char* text) {
    return text == nullptr ? "" : text;
}

bool is_emotion(const llamood_model* model, int i) {
    return model != nullptr && i >= 0 && i < model->model->vectors().n_emotion();
}

}  // namespace

llamood_model_params llamood_model_default_params(void) {
    return {nullptr, -1, true, false};
}

llamood_model* llamood_model_load(const char* path, const char* vectors,
                                  const llamood_model_params* params, char* error,
                                  size_t error_size) {
    return guarded({error, error_size}, static_cast<llamood_model*>(nullptr), [=] {
        require(path, "path");
        require(vectors, "vectors");
        const llamood_model_params asked =
            params == nullptr ? llamood_model_default_params() : *params;
        llama_model_params of_model = llama_model_default_params();
        of_model.n_gpu_layers =
            asked.n_gpu_layers < 0 ? std::numeric_limits<int>::max() : asked.n_gpu_layers;
        of_model.load_mode = asked.use_mmap ? LLAMA_LOAD_MODE_MMAP : LLAMA_LOAD_MODE_NONE;
        llama_backend_init();
        auto model = std::make_shared<const FeelingModel>(path, vectors, text_or_empty(asked.site),
                                                          asked.readings, of_model);
        return std::make_unique<llamood_model>(llamood_model{std::move(model)}).release();
    });
}

int llamood_model_n_emotion(const llamood_model* model) {
    return model == nullptr ? 0 : model->model->vectors().n_emotion();
}

const char* llamood_model_emotion(const llamood_model* model, int i) {
    return is_emotion(model, i) ? model->model->vectors().names[i].c_str() : nullptr;
}

double llamood_model_ceiling(const llamood_model* model, int i) {
    return is_emotion(model, i) ? model->model->steering_vectors()->ceilings()[i]
                                : std::numeric_limits<double>::infinity();
}

void llamood_model_free(llamood_model* model) {
    const std::unique_ptr<llamood_model> owner(model);
}
