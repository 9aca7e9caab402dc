// What it takes to hold readings: a regulator for each emotion whose reading a mood holds.
//
// A vector is the mean of emotional answers without that of neutral ones. So what it is itself in
// the direction that is read is known to be the reading of such answers, and its ceiling is
// believed to make answers about as emotional as those; without a ceiling, the vector as it was
// measured. Text follows a weight slowly: it finishes its sentence, and then stays with what it has
// said.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "moods/mood.hpp"
#include "steering/regulator.hpp"
#include "steering/steering_vectors.hpp"

namespace llamood {

// The z-score that each emotion is read at where it is felt, in the order of who reads.
using Told = std::vector<std::pair<std::string, double>>;

// What the emotion is read at. vain: what cannot be done with one that is not read. told: empty
// where too little is sure, none where nothing is read. Throws MoodError.
double read_at(const std::string& name, const std::optional<Told>& told, const std::string& vain);

// What holds one reading. feeling: of the mood's; emotion: among the names at hand.
struct Held {
    std::size_t feeling;
    std::size_t emotion;
    Regulator regulator;
};

// In the mood's dose. The weight stays between -max and max of the schedule, by default the ceiling
// of the vector, or 1 of a vector as stored where that is not known. told: empty where too little
// is sure, none where nothing is read. Throws MoodError for what is not read, and for what can
// never be held.
std::vector<Held> held_by(const Mood& mood, const SteeringVectors& vectors,
                          const std::optional<Told>& told);

// Throws MoodError for a gate of the mood that waits for what is not read.
void require_read(const Mood& mood, const std::optional<Told>& told);

}  // namespace llamood
