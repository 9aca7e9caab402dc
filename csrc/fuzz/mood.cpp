// JSON of a mood or a personality: what is taken is written and read back, and played.
#include "moods/mood.hpp"
#include "hostile.hpp"
#include "moods/json_text.hpp"
#include "moods/mood_error.hpp"
#include "moods/personality.hpp"

using namespace llamood;

namespace {

void play(const Mood& mood) {
    if (!mood.affect().empty() || mood.holds()) return;
    Names names{"joy", "fear"};
    for (const Feeling& feeling : mood.feelings()) {
        if (feeling.name != "joy" && feeling.name != "fear") names.push_back(feeling.name);
    }
    const NamedMood named(mood, names);
    const Events events{{"a", {1, 3}}, {"no", {2}}};
    for (const std::int64_t token : {0, 1, 2, 3, 64, 1000000}) {
        const Intensities asked = named.intensities(token, Heard(events));
        for (const double weight : asked.weights) {
            if (!(weight >= -largest_intensity && weight <= largest_intensity)) {
                hostile::found("an intensity beyond all bounds");
            }
        }
        named.blended(asked.weights);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    hostile::is_read([&] {
        const Personality written = read_personality(read_json(hostile::bytes_of(data, size)));
        const Mood mood = placed(written.key, [&] { return Mood::read(written.mood); });
        const std::string text = json_text(mood.to_json());
        std::string again = "refused";
        const bool is_taken = hostile::is_read(
            [&] { again = json_text(Mood::read(read_json(text, text.size())).to_json()); });
        if (!is_taken || again != text) hostile::found(text + " became " + again);
        play(mood);
    });
    return 0;
}
