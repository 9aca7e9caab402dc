// A saved voice that is to go on among others, in a model: what is taken is stepped, saved, and
// loaded once more. Here llama.cpp reads what the file says is its cache, too.
#include <llamood.hpp>

#include "hostile.hpp"
#include "moods/mood_error.hpp"
#include "saved_file.hpp"

namespace {

using llamood::Stage;

constexpr int n_step = 3;

Stage opened() {
    llamood_model_params of_model = llamood_model_default_params();
    of_model.readings = true;
    static const llamood::Model model(LLAMOOD_FUZZ_MODEL, LLAMOOD_FUZZ_VECTORS, of_model);
    llamood_stage_params params = llamood_stage_default_params();
    params.n_voice = 2;
    params.n_ctx = 96;
    params.n_threads = 1;
    return Stage(model, params);
}

// What the library says no with is a sentence; what it did not foresee is not.
void require_sentence(const std::string& refusal) {
    for (const char* unforeseen :
         {"::", "_M_", "not enough memory", "something unknown", "basic_"}) {
        if (refusal.find(unforeseen) != std::string::npos) hostile::found(refusal);
    }
    if (refusal.empty()) hostile::found("a refusal that says nothing");
}

// Whether it was taken.
bool goes_on(Stage& stage, const std::string& path, const hostile::Folder& folder) {
    int voice = -1;
    try {
        voice = stage.load(path);
    } catch (const std::exception& refusal) {
        require_sentence(refusal.what());
        return false;
    }
    try {
        for (int i = 0; i < n_step && stage.step(); ++i) {
        }
        stage.save(voice, folder.path() + "/again.voice", true);
    } catch (const std::exception& refusal) {
        require_sentence(refusal.what());
    }
    stage.leave(voice);
    while (stage.poll()) {
    }
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const hostile::Folder folder;
    static Stage stage = opened();
    auto file = hostile::SavedFile::of(hostile::bytes_of(data, size));
    try {
        file.head = llamood::json_text(hostile::with_digest(file));
    } catch (const llamood::MoodError&) {
    }
    const std::string content = file.bytes();
    const std::string path = folder.put("ann.voice", content.data(), content.size());
    if (goes_on(stage, path, folder)) goes_on(stage, folder.path() + "/again.voice", folder);
    return 0;
}
