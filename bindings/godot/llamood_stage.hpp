// LlamoodStage, a class for GDScript and Godot's C#: characters that speak, each in a mood.
#pragma once

#include <llamood.hpp>
#include <optional>
#include <string>
#include <vector>

#include "value.hpp"

namespace godot {

// What an object of the class holds.
class LlamoodStage {
  public:
    std::string error;  // of the last call that failed

    void open(const std::string& model, const std::string& vectors, int n_voice, int n_ctx,
              int n_threads, bool is_read);
    llamood::Stage& stage();  // throws std::runtime_error where it is not open

    // The emotions at hand, each with its ceiling.
    Value ceilings();
    int join(const std::string& system, const std::string& mood, std::uint32_t seed,
             int max_tokens);
    // A dictionary, empty where there is no event.
    Value poll();

  private:
    Value weights(const std::vector<float>& values) const;

    std::optional<llamood::Model> model_;
    std::optional<llamood::Stage> stage_;
    std::vector<std::string> emotions_;
};

// A mood of JSON text; neutral where that is empty.
llamood::Mood mood_of(const std::string& json);

// A method as scripts see it. Of what fails they get -1, false or nothing, by `returns`.
struct Argument {
    const char* name;
    Type type;
};
struct Method {
    const char* name;
    Type returns;
    std::vector<Argument> arguments;
    Value (*run)(LlamoodStage& self, const std::vector<Value>& given);
};
const std::vector<Method>& methods();

}  // namespace godot
