// Ranges of characters (code points), in rising order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace llamood {

// Both inclusive.
struct Range {
    char32_t first;
    char32_t last;
};

template <std::size_t n>
bool is_among(const Range (&ranges)[n], char32_t character) {
    const auto* range =
        std::lower_bound(std::begin(ranges), std::end(ranges), character,
                         [](const Range& one, char32_t wanted) { return one.last < wanted; });
    return range != std::end(ranges) && character >= range->first;
}

}  // namespace llamood
