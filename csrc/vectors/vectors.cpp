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

#include "text/unicode.hpp"
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

// "direction.12" is 12; -1 for what is no direction.
int layer_of(const std::string& name) {
    const std::string stem = "direction.";
    if (name.compare(0, stem.size(), stem) != 0) return -1;
    const std::string digits = name.substr(stem.size());
    const bool is_number = !digits.empty() && digits.size() < 7 &&
                           (digits[0] != '0' || digits.size() == 1) &&
                           digits.find_first_not_of("0123456789") == std::string::npos;
    return is_number ? std::stoi(digits) : -1;
}

// Throws for a name by which a mood means something else: RESERVED of
// python/llamood/vectors/emotion_vectors.py.
void require_name(const GgufFile& file, const std::string& name) {
    for (const char* axis : {"valence", "arousal", "dominance"}) {
        if (name == axis) {
            file.refuse("in a mood " + name +
                        " means a point of affect, no vector; call this emotion otherwise (llamood "
                        "convert --names)");
        }
    }
    if (!is_printable(name)) file.refuse("its emotion's name has control characters");
    if (!name.empty() && name[0] != '$') return;
    file.refuse(
        "its emotion has no name, or one that begins with $, as a mood's settings do; call it "
        "otherwise (llamood convert --names)");
}

// Whether the file says that its directions are those of all layers, from layer 0 on.
bool has_layer_0(const GgufFile& file, const std::string& arch, const ModelFacts& model) {
    if (file.n_tensor() != model.n_layer) return false;
    const std::string key = arch + ".layer_count";
    return file.is_whole(key) && file.whole(key) == static_cast<std::uint32_t>(model.n_layer);
}

void require_same(const GgufFile& file, const char* what, const std::optional<std::string>& mine,
                  const std::string& its) {
    if (!mine.has_value() || mine->empty() || its.empty() || *mine == its) return;
    file.refuse("these vectors belong to another model: " + std::string(what) + " " + *mine +
                " in the vectors, " + its +
                " in the model. Measure them on this model (llamood extract), or load the model "
                "they came from");
}

// least: the first layer that the file may be about.
void require_direction(const GgufFile& file, const std::string& name, int least,
                       const ModelFacts& model) {
    const int layer = layer_of(name);
    if (layer < least) file.refuse("tensor '" + name + "', expected only direction.1 and so on");
    if (layer >= model.n_layer) {
        file.refuse(name + " is for a layer that the model lacks; it has layers 0 to " +
                    std::to_string(model.n_layer - 1) +
                    ". If its writer numbers layers from one, convert it (llamood convert "
                    "--index-base 1)");
    }
    const auto shape = file.shape(name);
    if (shape.size() != 1 || shape[0] != model.n_embd) {
        file.refuse(name + " has " + std::to_string(shape.size()) + " dimensions, the last " +
                    std::to_string(shape.back()) + " wide; expected one as wide as the model, " +
                    std::to_string(model.n_embd));
    }
}

// One emotion, (n_layer, n_embd).
std::vector<float> rows_of(const GgufFile& file, const std::string& arch, bool is_own,
                           const ModelFacts& model) {
    const int n = file.n_tensor();
    const int least = !is_own && has_layer_0(file, arch, model) ? 0 : 1;
    if (n < 1) file.refuse("has no direction in it, expected direction.1 and so on");
    if (is_own && n != model.n_layer - 1) {
        const std::string advice =
            ". If a file of this model left layers out, convert it with "
            "--n-layer " +
            std::to_string(model.n_layer);
        const bool is_foreign = !file.text("llamood.model.fingerprint").has_value();
        file.refuse("these vectors belong to another model: layers " + std::to_string(n + 1) +
                    " in the vectors, " + std::to_string(model.n_layer) + " in the model" +
                    (is_foreign ? advice : ""));
    }
    const auto n_embd = static_cast<std::size_t>(model.n_embd);
    std::vector<float> rows(n_embd * model.n_layer);
    const auto put = [&](const std::vector<float>& row, int layer) {
        std::copy(row.begin(), row.end(), rows.begin() + layer * static_cast<long>(n_embd));
    };
    for (int i = 0; i < n; ++i) {
        const std::string name = file.tensor_name(i);
        require_direction(file, name, least, model);
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

// Valence, arousal and dominance.
std::optional<std::array<double, 3>> affect_of(const GgufFile& file) {
    const auto numbers = file.doubles("llamood.affect");
    if (!numbers.has_value()) return std::nullopt;
    const auto is_inside = [](double value) { return std::abs(value) <= 1.0; };
    if (numbers->size() != 3 || !std::all_of(numbers->begin(), numbers->end(), is_inside)) {
        file.refuse("llamood.affect is not valence, arousal, dominance in -1..1");
    }
    return std::array<double, 3>{(*numbers)[0], (*numbers)[1], (*numbers)[2]};
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
    require_name(file, name);
    if (std::count(vectors.names.begin(), vectors.names.end(), name) != 0) {
        file.refuse("is a second file for the emotion " + name);
    }
    const std::string site = file.text("llamood.site").value_or("layer_out");
    if (site != "layer_out" && site != "attn_out") {
        file.refuse("llamood.site is '" + site + "', expected layer_out or attn_out");
    }
    if (!vectors.names.empty() && site != vectors.site) {
        file.refuse("was measured at site " + site + ", the files before it at " + vectors.site);
    }
    const std::vector<float> rows = rows_of(file, *arch, version.has_value(), model);
    std::vector<double> residual = residual_of(file, model);
    const bool is_first = vectors.names.empty();
    if (!is_first && residual != vectors.residual_rms) residual.clear();
    vectors.residual_rms = std::move(residual);
    vectors.data.insert(vectors.data.end(), rows.begin(), rows.end());
    const double ceiling = file.number("llamood.ceiling").value_or(unlimited);
    const double scale = file.number("llamood.scale").value_or(1.0);
    if (!std::isfinite(scale)) file.refuse("llamood.scale is not a finite number");
    vectors.names.push_back(name);
    vectors.ceilings.push_back(ceiling > 0 ? ceiling : unlimited);
    vectors.scales.push_back(scale);
    vectors.affect.push_back(affect_of(file));
    vectors.method = file.text("llamood.method").value_or("");
    vectors.site = site;
}

}  // namespace

bool Vectors::are_calibrated() const {
    return std::none_of(ceilings.begin(), ceilings.end(),
                        [](double ceiling) { return std::isinf(ceiling); });
}

bool Vectors::are_increments() const {
    const std::string end = ", in increments";
    return method.size() >= end.size() &&
           method.compare(method.size() - end.size(), end.size(), end) == 0;
}

Vectors load_vectors(const std::string& path, const ModelFacts& model) {
    Vectors vectors;
    for (const fs::path& file : files_of(fs::u8path(path))) add(vectors, file, model);
    return vectors;
}

}  // namespace llamood
