// A saved voice: its line of JSON and the bytes of its cache; as it is where the first byte is 'x',
// else with the right digest.
#include "voices/saved_voice.hpp"

#include "hostile.hpp"
#include "saved_file.hpp"

using namespace llamood;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const bool is_raw = data[0] == 'x';
    const auto file = hostile::SavedFile::of(hostile::bytes_of(data + is_raw, size - is_raw));
    hostile::is_read([&] {
        const JsonValue head =
            is_raw ? read_json(file.head, file.head.size()) : hostile::with_digest(file);
        const SavedVoice voice = SavedVoice::of(head, file.tail);
        if (voice.tail() != file.tail) hostile::found("a cache that is written otherwise");
        const std::string text = json_text(voice.head());
        std::string again = "refused";
        const bool is_taken = hostile::is_read([&] {
            again = json_text(SavedVoice::of(read_json(text, text.size()), file.tail).head());
        });
        if (!is_taken || again != text) hostile::found(text + " became " + again);
    });
    return 0;
}
