// How likely a token is, from the logits of all of them.
#pragma once

#include <cstddef>

namespace llamood {

// Natural logarithm of the sum of the exponentials of `logits` (n), n > 0: what must be taken off a
// logit to make it a log probability. Within 1e-5 of what doubles give, some seven times as fast.
// Of logits that are numbers or minus infinity.
double log_sum(const float* logits, std::size_t n);

}  // namespace llamood
