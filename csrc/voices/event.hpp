// What a voice of a cast is heard to say.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "steering/collapse_monitor.hpp"
#include "voices/face.hpp"
#include "voices/stage.hpp"

namespace llamood {

// A token that a voice said, or the end of what it says.
struct Event {
    int voice = 0;
    llama_token token = LLAMA_TOKEN_NULL;  // null where the end is no token
    std::string text;                      // whole characters
    // (n_emotion) each: the weights under which it was chosen, and those that the mood asked for
    // then, before limits and inertia; empty where the end is no token.
    std::vector<float> mood;
    std::vector<float> asked;
    // (n_emotion) each: what had been expressed then, and what the token before it expressed by
    // itself; none where the voice is not read, empty where nothing was.
    std::optional<std::vector<double>> reading;
    std::optional<std::vector<double>> score;
    // What its face shows; none where the voice is not read.
    std::optional<Shown> face;
    End end = End::none;
    int forgotten = 0;           // in the first event of an answer, how many turns were dropped
    std::vector<Likely> likely;  // where they were asked for, see Stage::likely
    // What became of the answer where it collapsed before this token; null where it did not.
    std::shared_ptr<const Collapse> guard;
    // What limits have taken from the mood in this answer so far; and what of that, and of moods
    // before, nobody was told yet.
    std::vector<std::string> notices;
    std::vector<std::string> news;
    std::exception_ptr fault;  // where the answer failed
};

}  // namespace llamood
