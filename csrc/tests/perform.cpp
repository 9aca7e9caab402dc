// Plays moods for tests in Python: reads a scenario a line, writes what comes of it, a line of
// JSON.
//
//   {"names": [...], "ceilings": [a number or null, ...], "data": [...], "n_layer", "n_embd",
//    "first_layer", "residual": [...], "before": [...], "mood": {...}, "does": [one of
//      ["row", token], ["asked", token], ["after", token], ["hear", token, [bytes]],
//      ["change", token, {...}]]}
//
// gives {"rows": [an array for each that asks], "notices": [[what, text], ...]}, or {"error":
// text}.

#include <exception>
#include <iostream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "steering/performance.hpp"

using namespace llamood;
using Json = nlohmann::ordered_json;

namespace {

std::shared_ptr<const SteeringVectors> read_vectors(const Json& scenario) {
    std::vector<double> ceilings;
    for (const Json& ceiling : scenario.at("ceilings")) {
        ceilings.push_back(ceiling.is_null() ? std::numeric_limits<double>::infinity()
                                             : ceiling.get<double>());
    }
    const auto data = scenario.at("data").get<std::vector<float>>();
    return std::make_shared<const SteeringVectors>(
        scenario.at("names").get<Names>(), std::move(ceilings), data.data(),
        scenario.at("n_layer").get<int>(), scenario.at("n_embd").get<int>(),
        scenario.at("first_layer").get<int>(), scenario.at("residual").get<std::vector<double>>());
}

Json play(const Json& scenario) {
    const auto steering_vectors = read_vectors(scenario);
    const auto steering = [&steering_vectors](const Json& mood) {
        return std::make_shared<const Steering>(Mood::parse(mood.dump()), steering_vectors);
    };
    Json notices = Json::array();
    Performance performance(
        steering(scenario.at("mood")), scenario.at("before").get<std::vector<double>>(),
        [&notices](const Notice& notice) { notices.push_back({notice.what, notice.text}); });
    Json rows = Json::array();
    for (const Json& step : scenario.at("does")) {
        const auto what = step.at(0).get<std::string>();
        const auto token = step.at(1).get<std::int64_t>();
        if (what == "row") rows.push_back(performance.row(token));
        if (what == "asked") rows.push_back(performance.asked(token));
        if (what == "after") rows.push_back(performance.after(token));
        if (what == "change") performance.change(steering(step.at(2)), token);
        if (what == "hear") {
            const auto bytes = step.at(2).get<std::vector<unsigned char>>();
            performance.hear(token, std::string(bytes.begin(), bytes.end()));
        }
    }
    return {{"rows", rows}, {"notices", notices}};
}

}  // namespace

int main() {
    std::string line;
    while (std::getline(std::cin, line)) {
        Json result;
        try {
            result = play(Json::parse(line));
        } catch (const std::exception& error) {
            result = {{"error", error.what()}};
        }
        std::cout << result.dump() << std::endl;
    }
    return 0;
}
