// The mood behind its handle in llamood.h.
#pragma once

#include "llamood.h"
#include "mood.hpp"

struct llamood_mood {
    llamood::Mood mood;
};
