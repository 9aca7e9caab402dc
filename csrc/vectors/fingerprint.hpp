// Which model a GGUF file holds, whatever its quantisation.
#pragma once

#include <string>

namespace llamood {

// 32 hexadecimal digits over the architecture, the layer count, the width, the vocabulary's
// size and the first norm tensor, which every quantisation leaves in F32. Two files of one
// model agree; two models, and as a rule two trainings of one shape, differ.
// Throws std::invalid_argument for a file that is no GGUF model.
std::string fingerprint(const std::string& path);

}  // namespace llamood
