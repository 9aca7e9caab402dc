// The file that emotions are read against, which is to fit a model and its vectors.
#include "voices/baseline.hpp"
#include "hostile.hpp"

using namespace llamood;

namespace {

constexpr int n_layer = 3;
constexpr int n_embd = 2;

Vectors vectors() {
    Vectors vectors;
    vectors.names = {"joy", "fear"};
    for (int i = 0; i < 2 * n_layer * n_embd; ++i) {
        vectors.data.push_back(static_cast<float>(i % 5) - 2.0f);
    }
    vectors.ceilings = {1.0, 2.0};
    vectors.scales = {1.0, -1.0};
    vectors.affect = {std::nullopt, std::nullopt};
    return vectors;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const hostile::Folder folder;
    static const Vectors known = vectors();
    static const Vectors in_increments = [] {
        Vectors other = vectors();
        other.method = "mean, in increments";
        return other;
    }();
    const ModelFacts model{n_layer, n_embd, "llama", "0123456789abcdef0123456789abcdef"};
    folder.put("reading.baseline", data, size);
    for (const Vectors* some : {&known, &in_increments}) {
        hostile::is_read([&] {
            const Baseline baseline = load_baseline(folder.path(), *some, model);
            const std::size_t n = baseline.layers.size() * 2;
            if (baseline.mean.size() != n || baseline.weights.size() != n ||
                baseline.directions.size() != n * n_embd ||
                baseline.response.size() != std::size_t{n_layer} * 4) {
                hostile::found("a baseline of another shape than its vectors");
            }
        });
    }
    return 0;
}
