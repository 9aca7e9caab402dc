// Emotion vectors as control-vector files hold them: one emotion a file, direction.N at layer N,
// and what only llamood knows in keys (python/llamood/vectors/control_vector.py writes them).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace llamood {

// What vectors must fit: the shape of a model, and who it is.
struct ModelFacts {
    int n_layer;
    int n_embd;
    std::string arch;         // general.architecture
    std::string fingerprint;  // see fingerprint.hpp
};

struct Vectors {
    std::vector<std::string> names;
    std::vector<float> data;           // (n_emotion, n_layer, n_embd)
    std::vector<double> ceilings;      // (n_emotion), infinite where not known
    std::vector<double> residual_rms;  // (n_layer), of the hidden states; empty where not known
    std::vector<double> scales;  // (n_emotion), what the vectors as measured were multiplied by
    // (n_emotion), valence, arousal and dominance, -1 to 1, where the file says them.
    std::vector<std::optional<std::array<double, 3>>> affect;
    std::string method;  // how they were measured, empty where not known
    std::string site = "layer_out";

    // Whether every ceiling is known.
    bool are_calibrated() const;
    // Whether each layer has only what it has beyond the one before (vectors/increments.py).
    bool are_increments() const;
    int n_emotion() const { return static_cast<int>(names.size()); }
};

// The emotions in a folder (its *.gguf, by name) or in one file. Files of other writers are read
// as llama.cpp reads them, and are named after themselves; layers that they leave out are zero.
// path: UTF-8. Throws std::invalid_argument, naming the file, for what is no such file, values that
// are not finite, vectors of another model, and files that do not go together.
Vectors load_vectors(const std::string& path, const ModelFacts& model);

}  // namespace llamood
