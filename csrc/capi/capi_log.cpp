#include <llama.h>

#include <mutex>

#include "capi/llamood.h"

namespace {

// Who listens to llama.cpp, which keeps one such for the process.
struct Listener {
    std::mutex mutex;
    llamood_log_callback callback = nullptr;
    llamood_log_level least = LLAMOOD_LOG_INFO;
    void* user = nullptr;
    int level = LLAMOOD_LOG_INFO;  // of the line that is being said
};

Listener& listener() {
    static Listener one;
    return one;
}

int level_of(ggml_log_level level, int before) {
    switch (level) {
        case GGML_LOG_LEVEL_DEBUG:
            return LLAMOOD_LOG_DEBUG;
        case GGML_LOG_LEVEL_WARN:
            return LLAMOOD_LOG_WARN;
        case GGML_LOG_LEVEL_ERROR:
            return LLAMOOD_LOG_ERROR;
        case GGML_LOG_LEVEL_CONT:  // more of the line before
            return before;
        default:
            return LLAMOOD_LOG_INFO;
    }
}

void hear(ggml_log_level level, const char* text, void*) {
    Listener& one = listener();
    const std::lock_guard<std::mutex> lock(one.mutex);
    one.level = level_of(level, one.level);
    if (one.callback == nullptr || one.level < one.least) return;
    one.callback(static_cast<llamood_log_level>(one.level), text, one.user);
}

}  // namespace

void llamood_set_log(llamood_log_callback callback, llamood_log_level least, void* user) {
    Listener& one = listener();
    {
        const std::lock_guard<std::mutex> lock(one.mutex);
        one.callback = callback;
        one.least = least;
        one.user = user;
    }
    llama_log_set(hear, nullptr);
}
