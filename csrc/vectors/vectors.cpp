#include "vectors/vectors.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <stdexcept>
#include <utility>

#include "vectors/gguf_file.hpp"

namespace llamood {

namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t known_version = 1;
constexpr double unlimited = std::numeric_limits<double>::infinity();

std::vector<fs::path> files_of(const fs::path& path) {
    std::error_code error;
    if (!fs::exists(path, error)) {
        throw std::invalid_argument(path.u8string() + ": does not exist");
    }
    if (!fs::is_directory(path, error)) return {path};
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(path)) {
        const fs::path& file = entry.path();
        const bool is_hidden = file.filename().u8string()[0] == '.';
        if (file.extension() == ".gguf" && !is_hidden) files.push_back(file);
    }
    if (files.empty()) {
        throw std::invalid_argument(path.u8string() + ": is a folder without .gguf files");
    }
    std::sort(files.begin(), files.end());
    return files;
}

// "direction.12" is 12; 0 for what is no direction.
int layer_of(const std::string& name) {
    const std::string stem = "direction.";
    if (name.compare(0, stem.size(), stem) != 0) return 0;
    const std::string digits = name.substr(stem.size());
    const bool is_number = !digits.empty() && digits.size() < 7 && digits[0] != '0' &&
                           digits.find_first_not_of("0123456789") == std::string::npos;
    return is_number ? std::stoi(digits) : 0;
}

void require_same(const GgufFile& file, const char* what, const std::optional<std::string>& mine,
                  const std::string& its) {
    if (!mine.has_value() || mine->empty() || its.empty() || *mine == its) return;
    file.refuse("these vectors belong to another model: " + std::string(what) + " " + *mine +
                " in the vectors, " + its +
                " in the model. Measure them on this model (llamood extract), or load the model "
                "they came from");
}

void require_direction(const GgufFile& file, const std::string& name, const ModelFacts& model) {
    const int layer = layer_of(name);
    if (layer == 0) file.refuse("tensor '" + name + "', expected only direction.1 and so on");
    if (layer >= model.n_layer) {
        file.refuse(name + " is for a layer that the model lacks; it has layers 0 to " +
                    std::to_string(model.n_layer - 1));
    }
    const auto shape = file.shape(name);
    if (shape.size() != 1 || shape[0] != model.n_embd) {
        file.refuse(name + " has " + std::to_string(shape.size()) + " dimensions, the last " +
                    std::to_string(shape.back()) + " wide; expected one as wide as the model, " +
                    std::to_string(model.n_embd));
    }
}

// One emotion, (n_layer, n_embd).
std::vector<float> rows_of(const GgufFile& file, bool is_own, const ModelFacts& model) {
    const int n = file.n_tensor();
    if (n < 1) file.refuse("has no direction in it, expected direction.1 and so on");
    if (is_own && n != model.n_layer - 1) {
        file.refuse("these vectors belong to another model: layers " + std::to_string(n + 1) +
                    " in the vectors, " + std::to_string(model.n_layer) + " in the model");
    }
    const auto n_embd = static_cast<std::size_t>(model.n_embd);
    std::vector<float> rows(n_embd * model.n_layer);
    const auto put = [&](const std::vector<float>& row, int layer) {
        std::copy(row.begin(), row.end(), rows.begin() + layer * static_cast<long>(n_embd));
    };
    for (int i = 0; i < n; ++i) {
        const std::string name = file.tensor_name(i);
        require_direction(file, name, model);
        put(file.read(name), layer_of(name));
    }
    const auto first = file.numbers("llamood.direction_0");
    if (!first.has_value()) return rows;
    const auto is_finite = [](float value) { return std::isfinite(value); };
    if (first->size() != n_embd || !std::all_of(first->begin(), first->end(), is_finite)) {
        file.refuse("llamood.direction_0 is not " + std::to_string(n_embd) + " finite numbers");
    }
    put(*first, 0);
    return rows;
}

// (n_layer); empty where none is known.
std::vector<double> residual_of(const GgufFile& file, const ModelFacts& model) {
    const std::string key = "llamood.residual_rms";
    std::vector<double> rms = file.doubles(key).value_or(std::vector<double>());
    const auto is_size = [](double value) { return std::isfinite(value) && value >= 0.0; };
    const bool is_whole = rms.empty() || rms.size() == static_cast<std::size_t>(model.n_layer);
    if (!is_whole || !std::all_of(rms.begin(), rms.end(), is_size)) {
        file.refuse(key + " is not " + std::to_string(model.n_layer) + " numbers of 0 or more");
    }
    const bool is_known = std::any_of(rms.begin(), rms.end(), [](double v) { return v > 0.0; });
    return is_known ? rms : std::vector<double>();
}

void add(Vectors& vectors, const fs::path& path, const ModelFacts& model) {
    const GgufFile file(path);
    const auto arch = file.text("general.architecture");
    if (arch != "controlvector" && arch != "steeringvector") {
        file.refuse("general.architecture is '" + arch.value_or("") +
                    "', expected 'controlvector': this is no control vector");
    }
    const auto version = file.whole("llamood.version");
    if (version.value_or(known_version) > known_version) {
        file.refuse("a newer llamood wrote it; upgrade llamood");
    }
    if (version.has_value()) {  // another writer's hint may be a name of its own
        require_same(file, "architecture", file.text("controlvector.model_hint"), model.arch);
    }
    require_same(file, "fingerprint", file.text("llamood.model.fingerprint"), model.fingerprint);

    const std::string name = file.text("llamood.emotion").value_or(path.stem().u8string());
    if (std::count(vectors.names.begin(), vectors.names.end(), name) != 0) {
        file.refuse("is a second file for the emotion " + name);
    }
    const std::string site = file.text("llamood.site").value_or("layer_out");
    if (!vectors.names.empty() && site != vectors.site) {
        file.refuse("was measured at site " + site + ", the files before it at " + vectors.site);
    }
    const std::vector<float> rows = rows_of(file, version.has_value(), model);
    std::vector<double> residual = residual_of(file, model);
    const bool is_first = vectors.names.empty();
    if (!is_first && residual != vectors.residual_rms) residual.clear();
    vectors.residual_rms = std::move(residual);
    vectors.data.insert(vectors.data.end(), rows.begin(), rows.end());
    const double ceiling = file.number("llamood.ceiling").value_or(unlimited);
    const double scale = file.number("llamood.scale").value_or(1.0);
    vectors.names.push_back(name);
    vectors.ceilings.push_back(ceiling > 0 ? ceiling : unlimited);
    vectors.scales.push_back(scale);
    vectors.method = file.text("llamood.method").value_or("");
    vectors.site = site;
}

}  // namespace

bool Vectors::are_calibrated() const {
    return std::none_of(ceilings.begin(), ceilings.end(),
                        [](double ceiling) { return std::isinf(ceiling); });
}

Vectors load_vectors(const std::string& path, const ModelFacts& model) {
    Vectors vectors;
    for (const fs::path& file : files_of(fs::u8path(path))) add(vectors, file, model);
    return vectors;
}

}  // namespace llamood
