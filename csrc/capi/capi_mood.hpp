// The mood behind its handle in llamood.h.
#pragma once

#include "capi/llamood.h"
#include "moods/mood.hpp"

struct llamood_mood {
    llamood::Mood mood;
};
