// Which model a GGUF file holds, whatever its quantisation.
#pragma once

#include <string>

namespace llamood {

// 32 hexadecimal digits over the architecture, the layer count, the width, the vocabulary's
// size and the first norm tensor, which every quantisation leaves in F32. Two files of one
// model agree; two models, and as a rule two trainings of one shape, differ. Of a model that was
// split into files, `path` is the first of them, whatever lies in it: the others are looked at too.
// Throws std::invalid_argument for a file that is no GGUF model, and where a part is missing.
std::string fingerprint(const std::string& path);

}  // namespace llamood
