// What somebody may have meant who wrote a word that is not known.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace llamood {

// The known word that is most alike, where one is alike enough: by the pattern matching of Ratcliff
// and Obershelp (1988), as in Python's difflib.get_close_matches.
std::optional<std::string> suggestion(const std::string& word,
                                      const std::vector<std::string>& known);

// "; did you mean 'ramp'?", or nothing.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& known);

// "ramp, decay, pulse"
std::string listed(const std::vector<std::string>& words);

}  // namespace llamood
