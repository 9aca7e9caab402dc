// Saved voices in files, as a program in C writes and reads them; python/llamood/voices/
// saved_voice.py does the same in Python.
#pragma once

#include <string>

#include "voices/saved_voice.hpp"

namespace llamood {

// path: UTF-8. The file is written whole or not at all. Throws std::runtime_error where it cannot
// be written.
void write_saved(const std::string& path, const SavedVoice& voice);

// Throws std::invalid_argument for what cannot be read or is no saved voice.
SavedVoice read_saved(const std::string& path);

}  // namespace llamood
