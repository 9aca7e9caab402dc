#include "voices/baseline.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <numeric>
#include <stdexcept>

#include "moods/json_text.hpp"
#include "vectors/gguf_file.hpp"

namespace llamood {

namespace {

namespace fs = std::filesystem;
using Shape = std::vector<std::int64_t>;

const std::string keys = "llamood.baseline.";
// Area under the ROC curve; TRUSTED of python/llamood/readings/probe.py.
constexpr double trusted = 0.7;

// Null where that is no object, or has no such member.
const JsonValue* member(const JsonValue* value, const std::string& key) {
    const auto* object = value == nullptr ? nullptr : value->as<JsonObject>();
    if (object == nullptr) return nullptr;
    for (const JsonMember& each : *object) {
        if (each.key == key) return &each.value;
    }
    return nullptr;
}

// One whose quality was not measured is trusted.
void require_trusted(const GgufFile& file) {
    JsonValue about;
    try {
        about = read_json(file.text(keys + "about").value_or("{}"));
    } catch (const std::invalid_argument&) {
        file.refuse("does not say as a JSON object what it was measured on");
    }
    const JsonValue* area = member(member(&about, "quality"), "macro_auroc");
    const auto* number = area == nullptr ? nullptr : area->as<double>();
    if (number == nullptr || *number >= trusted) return;
    file.refuse("its baseline tells emotions apart with an area under the ROC curve of " +
                shortened(*number, 2) + ", where " + shortened(trusted) +
                " is the least that is trusted (0.5 is chance); measure a better one (llamood read "
                "--measure), or load the model without readings");
}

// Where each of the vectors' emotions stands in the file.
std::vector<std::size_t> order_of(const GgufFile& file, const Vectors& vectors) {
    const auto names = file.texts(keys + "names");
    std::vector<std::size_t> order;
    for (const std::string& name : vectors.names) {
        const auto found = names.has_value() ? std::find(names->begin(), names->end(), name)
                                             : std::vector<std::string>::const_iterator();
        if (!names.has_value() || names->size() != vectors.names.size() || found == names->end()) {
            file.refuse("was not measured for " + name +
                        " among these vectors; measure it again (llamood read --measure)");
        }
        order.push_back(found - names->begin());
    }
    return order;
}

// Where the layers that are to be read stand among those that were measured.
std::vector<std::size_t> places_of(const GgufFile& file, const std::vector<std::int32_t>& chosen,
                                   const ModelFacts& model) {
    const auto layers = file.integers(keys + "layers").value_or(std::vector<std::int32_t>());
    std::vector<std::size_t> places;
    for (const std::int32_t layer : chosen) {
        const auto found = std::find(layers.begin(), layers.end(), layer);
        const bool rises = places.empty() || layer > layers[places.back()];
        if (found == layers.end() || layer < 0 || layer > model.n_layer - 2 || !rises) {
            file.refuse("the layers that are to be read are not among those that were measured");
        }
        places.push_back(found - layers.begin());
    }
    return places;
}

// ggml keeps no dimensions of size 1 at the slow end.
Shape trimmed(Shape shape) {
    while (shape.size() > 1 && shape.front() == 1) shape.erase(shape.begin());
    return shape;
}

std::vector<float> read(const GgufFile& file, const char* name, const Shape& expected) {
    if (trimmed(file.shape(name)) != trimmed(expected)) {
        file.refuse(std::string(name) +
                    " is missing, or of another shape than the vectors call for");
    }
    return file.read(name);
}

// The vectors as measured, (n_layer, n_emotion, n_embd), at unit length; zero where there is none.
std::vector<float> directions_along(const Vectors& vectors, const ModelFacts& model) {
    const std::size_t n = vectors.names.size();
    const auto width = static_cast<std::size_t>(model.n_embd);
    std::vector<float> directions(vectors.data.size());
    for (std::size_t k = 0; k < n; ++k) {
        std::vector<double> row(width);
        const double sign = (vectors.scales[k] > 0.0) - (vectors.scales[k] < 0.0);
        for (std::size_t layer = 0; layer < static_cast<std::size_t>(model.n_layer); ++layer) {
            const float* vector = vectors.data.data() + (k * model.n_layer + layer) * width;
            double square = 0.0;
            for (std::size_t i = 0; i < width; ++i) {
                row[i] = vectors.are_increments() ? row[i] + vector[i] : vector[i];
                square += row[i] * row[i];
            }
            if (square == 0.0) continue;
            float* out = directions.data() + (layer * n + k) * width;
            for (std::size_t i = 0; i < width; ++i) {
                out[i] = static_cast<float>(row[i] / std::sqrt(square) * sign);
            }
        }
    }
    return directions;
}

// order: of the vectors' emotions in the file.
std::shared_ptr<const NeutralText> neutral_of(const GgufFile& file, const Vectors& vectors,
                                              const std::vector<std::size_t>& order,
                                              const ModelFacts& model) {
    auto neutral = std::make_shared<NeutralText>();
    if (file.shape("vector_median").empty()) return neutral;
    const std::int64_t n = vectors.n_emotion();
    const auto middle = read(file, "vector_median", {model.n_layer, n});
    const auto spread = read(file, "vector_spread", {model.n_layer, n});
    neutral->directions = directions_along(vectors, model);
    for (std::int64_t layer = 0; layer < model.n_layer; ++layer) {
        for (const std::size_t k : order) {
            neutral->middle.push_back(middle[layer * n + k]);
            neutral->spread.push_back(spread[layer * n + k]);
        }
    }
    return neutral;
}

// What the emotion's vector as measured is in the direction that reads it, added up over the layers
// that are read. of_layer: the same where it is added in one layer, as far as that is measured.
double read_at(const Vectors& vectors, const Baseline& baseline, std::size_t emotion,
               const std::vector<double>& of_layer, const ModelFacts& model) {
    const std::size_t n = vectors.names.size();
    if (!vectors.are_increments()) {
        return std::accumulate(of_layer.begin(), of_layer.end(), 0.0);
    }
    const auto width = static_cast<std::size_t>(model.n_embd);
    const float* data = vectors.data.data() + emotion * model.n_layer * width;
    const double scale = vectors.scales[emotion] == 0.0 ? 1.0 : vectors.scales[emotion];
    double sum = 0.0;
    for (std::size_t p = 0; p < baseline.layers.size(); ++p) {
        const float* direction = baseline.directions.data() + (p * n + emotion) * width;
        for (std::size_t at = 0; at < (baseline.layers[p] + 1) * width; ++at) {
            sum += data[at] * direction[at % width] * baseline.weights[p * n + emotion] / scale;
        }
    }
    return sum;
}

// Whether a vector adds anything in a layer; it may have been emptied since it was measured.
bool adds(const Vectors& vectors, std::int64_t emotion, std::int64_t layer,
          const ModelFacts& model) {
    const auto row = vectors.data.begin() + (emotion * model.n_layer + layer) * model.n_embd;
    return std::any_of(row, row + model.n_embd, [](float value) { return value != 0.0f; });
}

}  // namespace

Baseline load_baseline(const std::string& folder, const Vectors& vectors, const ModelFacts& model) {
    fs::path place = fs::u8path(folder);
    if (fs::is_regular_file(place)) place = place.parent_path();
    const GgufFile file(place / "reading.baseline");
    if (file.text("general.architecture") != "llamood.baseline" ||
        file.whole("llamood.version") != 2u) {
        file.refuse(
            "is no baseline of readings that this llamood knows; measure it again (llamood "
            "read --measure)");
    }
    require_trusted(file);
    const auto chosen = file.integers(keys + "chosen").value_or(std::vector<std::int32_t>());
    if (chosen.empty()) file.refuse("does not say which layers are read");
    const std::vector<std::size_t> places = places_of(file, chosen, model);
    const std::vector<std::size_t> order = order_of(file, vectors);
    const auto n_read = static_cast<std::int64_t>(file.integers(keys + "layers")->size());
    const std::int64_t n = vectors.n_emotion();
    const auto directions = read(file, "directions", {n_read, n, model.n_embd});
    const auto mean = read(file, "mean", {n_read, n});
    const auto spread = read(file, "spread", {n_read, n});
    const auto joint = read(file, "joint", {n});
    const auto response = read(file, "response", {model.n_layer, n, n_read, n});

    Baseline baseline;
    baseline.neutral = neutral_of(file, vectors, order, model);
    baseline.layers.assign(chosen.begin(), chosen.end());
    for (const std::size_t at : places) {
        for (const std::size_t k : order) {
            const auto row = directions.begin() + (at * n + k) * model.n_embd;
            baseline.directions.insert(baseline.directions.end(), row, row + model.n_embd);
            baseline.mean.push_back(mean[at * n + k]);
            const double together = static_cast<double>(places.size()) * spread[at * n + k];
            if (!(together * joint[k] > 0)) file.refuse("a spread is not above 0");
            baseline.weights.push_back(1.0 / (together * joint[k]));
        }
    }
    for (std::int64_t k = 0; k < n; ++k) {
        std::vector<double> own;
        for (std::size_t p = 0; p < places.size(); ++p) {
            const std::size_t from = (chosen[p] * n + order[k]) * n_read + places[p];
            own.push_back(response[from * n + order[k]] * baseline.weights[p * n + k]);
        }
        baseline.told.emplace_back(vectors.names[k], read_at(vectors, baseline, k, own, model));
    }
    for (std::int64_t i = 0; i < model.n_layer; ++i) {
        for (std::int64_t k = 0; k < n; ++k) {
            const double scale = adds(vectors, k, i, model) ? vectors.scales[k] : 0.0;
            for (std::int64_t r = 0; r < n; ++r) {
                double moved = 0.0;
                for (std::size_t p = 0; p < places.size(); ++p) {
                    const std::size_t from = (i * n + order[k]) * n_read + places[p];
                    moved += response[from * n + order[r]] * baseline.weights[p * n + r];
                }
                baseline.response.push_back(moved * scale);
            }
        }
    }
    return baseline;
}

}  // namespace llamood
