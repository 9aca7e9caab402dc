// The model behind its handle in llamood.h.
#pragma once

#include <memory>

#include "capi/llamood.h"
#include "voices/feeling_model.hpp"

struct llamood_model {
    std::shared_ptr<const llamood::FeelingModel> model;
};
