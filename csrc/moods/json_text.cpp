#include "moods/json_text.hpp"

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <variant>

#include "moods/mood_error.hpp"
#include "text/unicode.hpp"

namespace llamood {

namespace {

// Builds the tree while nlohmann's parser walks over the text. What it returns false for, or throws
// at, is read no further, so hostile text costs no more than its length.
class Builder : public nlohmann::json_sax<nlohmann::json> {
  public:
    JsonValue take() { return std::move(root_); }

    bool null() override { return add({nullptr}) != nullptr; }
    bool boolean(bool value) override { return add({value}) != nullptr; }
    bool number_integer(number_integer_t value) override {
        return add({static_cast<std::int64_t>(value)}) != nullptr;
    }
    bool number_unsigned(number_unsigned_t value) override {
        const bool fits =
            value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
        if (!fits) return add({JsonHuge{}}) != nullptr;
        return add({static_cast<std::int64_t>(value)}) != nullptr;
    }
    bool number_float(number_float_t value, const string_t& written) override {
        if (is_whole(written)) return add({JsonHuge{}}) != nullptr;
        return add({value}) != nullptr;
    }
    bool string(string_t& value) override { return add({std::move(value)}) != nullptr; }
    bool binary(binary_t&) override { return false; }

    bool start_object(std::size_t) override { return open({JsonObject{}}); }
    bool key(string_t& key) override {
        if (!keys_.back().insert(key).second) throw MoodError(key, "given twice; give it once");
        key_ = std::move(key);
        return true;
    }
    bool end_object() override { return close(); }
    bool start_array(std::size_t) override { return open({JsonList{}}); }
    bool end_array() override { return close(); }

    bool parse_error(std::size_t place, const std::string& last,
                     const nlohmann::json::exception& error) override {
        constexpr int out_of_range = 406;  // a number too large for a double
        const std::string why = error.what();
        if (error.id == out_of_range) {
            const char* size = is_whole(last) ? "a huge number" : last[0] == '-' ? "-inf" : "inf";
            throw MoodError(where(), std::string("a smaller number was expected, found ") + size);
        }
        const bool is_value = why.find("invalid literal") != std::string::npos ||
                              why.find("invalid number") != std::string::npos;
        if (is_value && (last.back() == 'N' || last.back() == 'I')) {  // as Python writes them
            throw MoodError(where(), std::string("a finite number was expected, found ") +
                                         (last.back() == 'N' ? "nan" : "inf"));
        }
        throw MoodError("", "not JSON, as of byte " + std::to_string(place) + ": " + reason(why));
    }

  private:
    static bool is_whole(const std::string& number) {
        return number.find_first_of(".eE") == std::string::npos;
    }

    // Without the name of the exception and the place in front of it.
    static std::string reason(const std::string& text) {
        const std::size_t colon = text.find(": ");
        std::u32string shown =
            characters_of(colon == std::string::npos ? text : text.substr(colon + 2));
        constexpr std::size_t longest = 120;
        if (shown.size() > longest) shown = shown.substr(0, longest) + U"...";
        return printable(utf8_of(shown));
    }

    JsonValue* add(JsonValue value) {
        if (open_.empty()) {
            root_ = std::move(value);
            return &root_;
        }
        if (auto* list = std::get_if<JsonList>(&open_.back()->is)) {
            list->push_back(std::move(value));
            return &list->back();
        }
        auto& members = std::get<JsonObject>(open_.back()->is);
        members.push_back({std::move(key_), std::move(value)});
        return &members.back().value;
    }

    // A list grows only while nothing in it is open, so that what is open stays where it is.
    bool open(JsonValue value) {
        if (open_.size() >= static_cast<std::size_t>(deepest_json)) {
            throw MoodError("", "lists and objects nested " + std::to_string(deepest_json) +
                                    " deep or less were expected");
        }
        open_.push_back(add(std::move(value)));
        keys_.emplace_back();
        return true;
    }
    bool close() {
        open_.pop_back();
        keys_.pop_back();
        return true;
    }

    // The place of the coming value, as in joy.ramp[1].
    std::string where() const {
        std::string path;
        for (std::size_t i = 0; i < open_.size(); ++i) {
            if (const auto* list = open_[i]->as<JsonList>()) {
                const std::size_t at = i + 1 < open_.size() ? list->size() - 1 : list->size();
                path += "[" + std::to_string(at) + "]";
            } else {
                const auto& members = *open_[i]->as<JsonObject>();
                path +=
                    (path.empty() ? "" : ".") + (i + 1 < open_.size() ? members.back().key : key_);
            }
        }
        return path;
    }

    JsonValue root_;
    std::vector<JsonValue*> open_;
    std::vector<std::set<std::string>> keys_;  // of each that is open
    std::string key_;                          // of the coming value
};

nlohmann::ordered_json json_of(const JsonValue& value) {
    struct Written {
        using Json = nlohmann::ordered_json;

        Json operator()(const JsonList& list) const {
            Json written = Json::array();
            for (const JsonValue& each : list) written.push_back(json_of(each));
            return written;
        }
        Json operator()(const JsonObject& object) const {
            Json written = Json::object();
            for (const auto& [key, part] : object) written[key] = json_of(part);
            return written;
        }
        Json operator()(const std::shared_ptr<const Schedule>&) const { return nullptr; }
        Json operator()(JsonHuge) const { return nullptr; }
        Json operator()(std::nullptr_t) const { return nullptr; }
        Json operator()(bool value) const { return value; }
        Json operator()(std::int64_t value) const { return value; }
        Json operator()(double value) const { return value; }
        Json operator()(const std::string& value) const { return value; }
    };
    return std::visit(Written{}, value.is);
}

}  // namespace

JsonValue read_json(const std::string& text, std::size_t longest) {
    if (text.size() > longest) {
        throw MoodError(
            "", "longer than " + std::to_string(longest / 1024) + " KiB; a mood is a short text");
    }
    Builder builder;
    nlohmann::json::sax_parse(text, &builder);
    return builder.take();
}

std::string json_text(const JsonValue& value) {
    constexpr int in_one_line = -1;
    return json_of(value).dump(in_one_line, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace llamood
