#include "capi/capi_mood.hpp"

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "capi/capi.hpp"
#include "moods/affect_fit.hpp"
#include "moods/json_text.hpp"
#include "moods/mood_error.hpp"
#include "moods/personality.hpp"

using namespace llamood;

namespace {

constexpr std::size_t most_rows = 1'000'000;

// The i-th of several texts. Throws std::invalid_argument for null.
std::string text_at(const char* const* texts, std::size_t i, const char* name) {
    require(texts[i], (std::string(name) + "[" + std::to_string(i) + "]").c_str());
    return texts[i];
}

llamood_mood* handle_of(Mood mood, std::optional<std::string> system = std::nullopt) {
    auto handle = std::make_unique<llamood_mood>();
    handle->mood = std::move(mood);
    handle->system = std::move(system);
    return handle.release();
}

// No more than a mood may have.
std::string content_of(const std::string& path) {
    std::ifstream file(std::filesystem::u8path(path), std::ios::binary);
    std::string content(longest_json + 1, '\0');
    if (file) file.read(content.data(), static_cast<std::streamsize>(content.size()));
    if (!file && !file.eof()) throw std::invalid_argument(path + ": cannot be read");
    content.resize(static_cast<std::size_t>(file.gcount()));
    return content;
}

}  // namespace

llamood_mood* llamood_mood_parse(const char* json, char* error, size_t error_size) {
    return guarded({error, error_size}, static_cast<llamood_mood*>(nullptr), [=] {
        require(json, "json");
        return handle_of(Mood::read(read_json(json)));
    });
}

llamood_mood* llamood_mood_load(const char* path, char* error, size_t error_size) {
    return guarded({error, error_size}, static_cast<llamood_mood*>(nullptr), [=] {
        require(path, "path");
        const std::string content = content_of(path);
        try {
            const Personality read = read_personality(read_json(content));
            return handle_of(placed(read.key, [&] { return Mood::read(read.mood); }), read.system);
        } catch (const MoodError& fault) {
            throw std::invalid_argument(std::string(path) + ": " + fault.what());
        }
    });
}

const char* llamood_mood_system(const llamood_mood* mood) {
    return mood == nullptr || !mood->system ? nullptr : mood->system->c_str();
}

llamood_mood* llamood_mood_of(const char* const* names, const float* intensities, size_t n,
                              char* error, size_t error_size) {
    return guarded({error, error_size}, static_cast<llamood_mood*>(nullptr), [=] {
        std::vector<std::pair<std::string, double>> weights;
        if (n > 0) require(names, "names");
        if (n > 0) require(intensities, "intensities");
        for (std::size_t i = 0; i < n; ++i) {
            weights.emplace_back(text_at(names, i, "names"), intensities[i]);
        }
        return handle_of(Mood::of(weights));
    });
}

int llamood_mood_rows(const llamood_mood* mood, const char* const* names, size_t n_name,
                      size_t n_token, float* out, char* error, size_t error_size) {
    return guarded({error, error_size}, -1, [=] {
        require(mood, "mood");
        if (n_name > 0) require(names, "names");
        if (n_name > 0 && n_token > 0) require(out, "out");
        if (n_token > most_rows) {
            throw std::invalid_argument(std::to_string(most_rows) +
                                        " tokens or fewer were expected, found " +
                                        std::to_string(n_token) + "; no answer is longer");
        }
        if (mood->mood.holds()) {
            throw MoodError("",
                            "a mood that holds a reading is given weights only while somebody "
                            "speaks in it");
        }
        Names at_hand;
        for (std::size_t i = 0; i < n_name; ++i) at_hand.push_back(text_at(names, i, "names"));
        auto affect_map = mood->mood.affect().empty() ? nullptr : map_of_names(at_hand);
        const NamedMood named(mood->mood, std::move(at_hand), std::move(affect_map));
        for (std::size_t token = 0; token < n_token; ++token) {
            named.row(static_cast<std::int64_t>(token), out + token * n_name);
        }
        return 0;
    });
}

void llamood_mood_free(llamood_mood* mood) {
    const std::unique_ptr<llamood_mood> owner(mood);
}
