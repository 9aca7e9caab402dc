// The mood behind its handle in llamood.h.
#pragma once

#include <optional>
#include <string>

#include "capi/llamood.h"
#include "moods/mood.hpp"

struct llamood_mood {
    llamood::Mood mood;
    std::optional<std::string> system = {};  // of a personality
};
