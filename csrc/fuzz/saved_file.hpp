// Files of saved voices whose cache has the right digest, as whoever writes a hostile one sees to.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "moods/json_text.hpp"
#include "vectors/blake2b.hpp"

namespace hostile {

struct SavedFile {
    std::string head;
    std::string tail;

    // As the file's bytes are.
    static SavedFile of(const std::string& content) {
        const std::size_t end = std::min(content.find('\n'), content.size());
        return {content.substr(0, end), content.substr(std::min(end + 1, content.size()))};
    }

    std::string bytes() const { return head + '\n' + tail; }
};

// The head where it has a cache, with the size and the digest of what follows in it. Throws
// MoodError for what is no JSON.
inline llamood::JsonValue with_digest(const SavedFile& file) {
    using namespace llamood;
    const JsonValue head = read_json(file.head, file.head.size());
    if (head.as<JsonObject>() == nullptr) return head;
    JsonObject object = *head.as<JsonObject>();
    for (JsonMember& member : object) {
        if (member.key != "cache" || member.value.as<JsonObject>() == nullptr) continue;
        JsonObject cache = *member.value.as<JsonObject>();
        Blake2b hash(16);
        hash.add(file.tail);
        for (JsonMember& each : cache) {
            if (each.key == "bytes") each.value = {static_cast<std::int64_t>(file.tail.size())};
            if (each.key == "blake2b") each.value = {hash.hex()};
        }
        member.value = {std::move(cache)};
    }
    return {std::move(object)};
}

}  // namespace hostile
