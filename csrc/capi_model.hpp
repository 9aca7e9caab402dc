// The model behind its handle in llamood.h.
#pragma once

#include <memory>

#include "ensemble.hpp"
#include "llamood.h"

struct llamood_model {
    std::shared_ptr<const llamood::FeelingModel> model;
};
