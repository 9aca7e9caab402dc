#include "voices/crew.hpp"

#if defined(_WIN32)
#define NOMINMAX
#include <windows.h>
#else
#include <time.h>
#endif

namespace llamood {

namespace {

// Seconds of a processor that this thread has had.
double busy_seconds() {
#if defined(_WIN32)
    FILETIME made, ended, kernel, user;
    if (GetThreadTimes(GetCurrentThread(), &made, &ended, &kernel, &user) == 0) return 0.0;
    const auto ticks = [](const FILETIME& time) {
        return 4294967296.0 * time.dwHighDateTime + time.dwLowDateTime;
    };
    return 1e-7 * (ticks(kernel) + ticks(user));
#else
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
#endif
}

}  // namespace

void Crew::begin(int n_token, bool is_prompt) {
    const int n = size_.get();
    // What else is decoded in batches, embeddings say, has all threads.
    const bool is_batch_of_answers = !is_prompt && n_token > 1;
    llama_set_n_threads(ctx_, n, is_batch_of_answers ? n : n_threads_batch_);
    n_token_ = is_prompt || size_.most() == 1 ? 0 : n_token;
    if (n_token_ == 0) return;
    busy_ = busy_seconds();
    began_ = Clock::now();
}

void Crew::end() {
    if (n_token_ == 0) return;
    const std::chrono::duration<double> seconds = Clock::now() - began_;
    size_.note(n_token_, seconds.count(), busy_seconds() - busy_);
}

}  // namespace llamood
