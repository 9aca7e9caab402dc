// A file of emotion vectors, which is to fit a model.
#include "hostile.hpp"
#include "vectors/vectors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const hostile::Folder folder;
    const llamood::ModelFacts model{3, 3, "llama", "0123456789abcdef0123456789abcdef"};
    const std::string path = folder.put("joy.gguf", data, size);
    hostile::is_read([&] {
        const auto vectors = llamood::load_vectors(path, model);
        if (vectors.data.size() != 9) hostile::found("vectors of another shape than the model");
        if (vectors.n_emotion() != 1) hostile::found("another number of emotions than files");
    });
    return 0;
}
