// Texts of whatever bytes: as characters, in messages, as names that may be meant, and token by
// token, as they are waited for.
#include <vector>

#include "hostile.hpp"
#include "steering/phrase_matcher.hpp"
#include "text/suggestion.hpp"
#include "text/unicode.hpp"

using namespace llamood;

namespace {

void show(const std::string& text) {
    const std::string sound = utf8_of(characters_of(text));
    if (utf8_of(characters_of(sound)) != sound) hostile::found("characters that are not kept");
    for (const std::string& shown : {printable(text), quoted(text)}) {
        if (!is_printable(shown)) hostile::found("a message that is not printable");
    }
}

void listen(const std::vector<std::string>& texts, const std::vector<std::string>& pieces) {
    PhraseMatcher matcher;
    matcher.listen(texts);
    for (const std::string& piece : pieces) matcher.hear(piece);
    const Events before = matcher.events();
    const auto half = static_cast<std::int64_t>(pieces.size() / 2);
    matcher.forget(half);
    for (std::size_t i = half; i < pieces.size(); ++i) matcher.hear(pieces[i]);
    if (matcher.events() != before) hostile::found("what is heard anew is heard otherwise");
}

}  // namespace

// Parts are divided by line ends: what is waited for, then the tokens.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string all = hostile::bytes_of(data, size);
    std::vector<std::string> parts;
    for (std::size_t at = 0; at <= all.size();) {
        const std::size_t end = std::min(all.find('\n', at), all.size());
        parts.push_back(all.substr(at, end - at));
        at = end + 1;
    }
    for (const std::string& part : parts) show(part);
    const std::string known = parts.front().substr(0, 64);
    did_you_mean(parts.back().substr(0, 64), {known, "ramp", "decay"});
    if (parts.front().empty()) return 0;
    listen({parts.front(), "no"}, {parts.begin() + 1, parts.end()});
    return 0;
}
