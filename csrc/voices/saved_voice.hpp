// A voice as a file has it, so that it goes on where it was, in another program too.
//
// A file is one line of JSON, which saved_voice.cpp describes, and then the bytes of its cache.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "moods/json_value.hpp"
#include "steering/collapse_monitor.hpp"
#include "steering/performance.hpp"
#include "voices/face.hpp"
#include "voices/memory.hpp"
#include "voices/reader.hpp"
#include "voices/stage.hpp"

namespace llamood {

constexpr int saved_version = 1;

// Of which model file a voice is, whatever its quantisation.
struct SavedModel {
    std::string name;  // for messages
    std::string fingerprint;
};

// What a voice has decoded. tokens, keys: of each position, see Character; begins: see
// Stage::begins. Then the cache itself, empty where it is not saved. decoded: as llama.cpp writes
// it; origin: of what it is worth something to.
struct SavedCache {
    std::vector<llama_token> tokens;
    std::vector<std::int64_t> keys;
    std::vector<llama_pos> begins;
    std::string origin;
    Reader::Past past;  // empty where nothing is read
    std::string decoded;
};

// See Face::State, by the names of emotions.
struct SavedFace {
    std::optional<std::string> emotion;
    std::optional<std::string> coming;
    int n_coming = 0;
};

// Of a token that was drawn and not told yet: what an event says beside what the mood does.
struct SavedEvent {
    llama_token token = LLAMA_TOKEN_NULL;
    std::string text;
    std::vector<Likely> likely;
    int forgotten = 0;
    std::optional<std::vector<double>> reading;
    std::optional<std::vector<double>> score;
};

// row_of: which of the rows each token has. A row's mood is a place among
// the answer's moods.
struct SavedRow {
    std::vector<double> asked;
    std::vector<double> limited;
    std::vector<double> applied;
    std::vector<Regulation> held;
    std::size_t mood = 0;
};
struct SavedPerformance {
    Performance::State state;  // without its rows
    std::vector<SavedRow> rows;
    std::vector<std::size_t> row_of;
};

// See CollapseMonitor::State.
struct SavedMonitor {
    std::vector<CollapseMonitor::Heard> heard;
    std::vector<CollapseMonitor::Heard> unheard;
    std::size_t n_sound = 0;
    std::vector<Rescue> rescues;
};

// An answer that is being given. tokens: that are to be decoded, of the prompt and of the answer
// (n_prompt of the prompt); keys: of those that were decoded, or will be as they are. messages:
// none for a prompt that is no part of the voice's conversation. manner: with the seed by which
// tokens are drawn, of which the first n_skip count as drawn.
struct SavedAnswer {
    std::vector<std::string> emotions;  // that all rows are of
    std::optional<std::vector<Message>> messages;
    std::vector<llama_token> tokens;
    std::size_t n_prompt = 0;
    std::vector<std::int64_t> keys;
    int forgotten = 0;
    Manner manner;
    std::optional<std::string> said;
    std::optional<std::vector<FaceLabel>> faces;
    std::vector<std::string> told;
    std::vector<SavedEvent> untold;
    int n_drawn = 0;
    int n_draw = 0;
    int n_skip = 0;
    bool is_paused = false;
    bool is_unfelt = false;
    double seconds = 0.0;  // since it began
    std::vector<std::string> notices;
    SavedPerformance performance;
    std::optional<SavedMonitor> monitor;
};

// moods: as they are written, the one of now last; those before it were felt in the answer.
struct SavedVoice {
    SavedModel model;
    bool has_system = false;
    std::vector<Message> messages;
    std::vector<JsonValue> moods;
    std::map<std::string, double> felt;  // as Character::felt, those of 0 left out
    Manner manner;
    std::optional<std::vector<FaceLabel>> faces;  // none for those of what is read
    SavedFace face;
    std::map<std::string, double> reading;
    std::optional<SavedAnswer> answer;
    SavedCache cache;

    // The first line, and what follows it.
    JsonValue head() const;
    std::string tail() const;
    // Throws std::invalid_argument for what is no such voice, of a later version, or not whole.
    static SavedVoice of(const JsonValue& head, const std::string& tail);
};

}  // namespace llamood
