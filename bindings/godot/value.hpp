// A Variant of Godot's that frees itself.
#pragma once

#include <string>

#include "interface.hpp"

namespace godot {

class Value {
  public:
    Value() { api().variant_new_nil(&variant_); }
    explicit Value(bool value);
    explicit Value(Int value);
    explicit Value(double value);
    explicit Value(const std::string& text);  // UTF-8
    static Value dictionary();
    // What is passed in an argument or returned that is no Variant: a value of this type.
    static Value of_type(Type type, const void* value);
    static Value copy(const void* variant);

    Value(Value&& other) noexcept : Value() { std::swap(variant_, other.variant_); }
    Value& operator=(Value&& other) noexcept {
        std::swap(variant_, other.variant_);
        return *this;
    }
    ~Value() { api().variant_destroy(&variant_); }

    Type type() const { return api().variant_get_type(&variant_); }

    // Of a value of that type.
    bool boolean() const { return read<Bool>(Type::boolean) != 0; }
    Int integer() const { return read<Int>(Type::integer); }
    double real() const { return read<double>(Type::real); }
    std::string text() const;

    // Of a dictionary.
    void set(const std::string& key, const Value& value);

    // Instead of what is there, which is a Variant, or a value of this type.
    void put_into(void* variant) const;
    void put_into(Type type, void* value) const;

  private:
    template <class T>
    T read(Type type) const {
        T value;
        api().get_variant_to_type_constructor(type)(&value, const_cast<VariantPlace*>(&variant_));
        return value;
    }
    // The type's place, made by `variant_get_ptr_constructor` or so, becomes this and is freed.
    void take(Type type, Place& place);

    VariantPlace variant_;
};

// A StringName that frees itself.
class Name {
  public:
    explicit Name(const char* text) { api().string_name_new_with_latin1_chars(&place_, text, 0); }
    Name(Name&& other) noexcept : Name("") { std::swap(place_, other.place_); }
    ~Name();
    void* get() { return &place_; }

  private:
    Place place_;
};

}  // namespace godot
