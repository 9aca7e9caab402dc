// The threads that compute the steps of one context, as many as are fastest at the time.
//
// Relied on here (llama.cpp 0c1e570):
// - llama_set_n_threads counts from the next decode on; batches of one token take the first number,
//   all others the second.
// - What is computed does not depend on the number of threads, as each computes whole rows; but for
//   flash attention, whose sums over positions are split among threads (0.4 in a logit of a
//   quantised model at 600 positions).
#pragma once

#include <llama-cpp.h>

#include <chrono>

#include "voices/crew_size.hpp"

namespace llamood {

class Crew {
  public:
    // ctx must stay open while steps begin. n_threads, n_threads_batch: 1 or more, where nobody
    // else wants the processors; a step that decodes prompts always has n_threads_batch.
    Crew(llama_context* ctx, int n_threads, int n_threads_batch)
        : ctx_(ctx), size_(n_threads), n_threads_batch_(n_threads_batch) {}

    // A step of so many tokens begins, in this thread. is_prompt: it decodes prompts.
    void begin(int n_token, bool is_prompt);
    // The step is over.
    void end();

    int size() const { return size_.get(); }

  private:
    using Clock = std::chrono::steady_clock;

    llama_context* ctx_;
    CrewSize size_;
    int n_threads_batch_;
    int n_token_ = 0;  // of the step, 0 where it does not count
    Clock::time_point began_;
    double busy_ = 0.0;  // seconds of this thread when it began
};

}  // namespace llamood
