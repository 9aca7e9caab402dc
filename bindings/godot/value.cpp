#include "value.hpp"

#include <utility>

namespace godot {

namespace {

constexpr Type string_name = static_cast<Type>(21);

bool has_destructor(Type type) {
    return type == Type::string || type == Type::dictionary;
}

}  // namespace

Interface& api() {
    static Interface one;
    return one;
}

void Interface::load(GetFunction get) {
#define LLAMOOD_FIND(name) find(get, #name, name)
    LLAMOOD_FIND(print_error);
    LLAMOOD_FIND(variant_new_nil);
    LLAMOOD_FIND(variant_new_copy);
    LLAMOOD_FIND(variant_destroy);
    LLAMOOD_FIND(variant_get_type);
    LLAMOOD_FIND(variant_set_keyed);
    LLAMOOD_FIND(get_variant_from_type_constructor);
    LLAMOOD_FIND(get_variant_to_type_constructor);
    LLAMOOD_FIND(variant_get_ptr_constructor);
    LLAMOOD_FIND(variant_get_ptr_destructor);
    LLAMOOD_FIND(string_new_with_utf8_chars_and_len);
    LLAMOOD_FIND(string_to_utf8_chars);
    LLAMOOD_FIND(string_name_new_with_latin1_chars);
    LLAMOOD_FIND(classdb_construct_object);
    LLAMOOD_FIND(object_set_instance);
    LLAMOOD_FIND(classdb_register_extension_class2);
    LLAMOOD_FIND(classdb_register_extension_class_method);
    LLAMOOD_FIND(classdb_unregister_extension_class);
#undef LLAMOOD_FIND
}

Value::Value(bool value) {
    Bool one = value ? 1 : 0;
    api().get_variant_from_type_constructor(Type::boolean)(&variant_, &one);
}

Value::Value(Int value) {
    api().get_variant_from_type_constructor(Type::integer)(&variant_, &value);
}

Value::Value(double value) {
    api().get_variant_from_type_constructor(Type::real)(&variant_, &value);
}

Value::Value(const std::string& text) {
    Place string;
    api().string_new_with_utf8_chars_and_len(&string, text.data(), static_cast<Int>(text.size()));
    take(Type::string, string);
}

Value Value::dictionary() {
    Place dictionary;
    api().variant_get_ptr_constructor(Type::dictionary, 0)(&dictionary, nullptr);
    Value value;
    value.take(Type::dictionary, dictionary);
    return value;
}

Value Value::of_type(Type type, const void* value) {
    Value copy;
    api().get_variant_from_type_constructor(type)(&copy.variant_, const_cast<void*>(value));
    return copy;
}

Value Value::copy(const void* variant) {
    Value copy;
    api().variant_new_copy(&copy.variant_, variant);
    return copy;
}

std::string Value::text() const {
    const Place string = read<Place>(Type::string);
    const Int n = api().string_to_utf8_chars(&string, nullptr, 0);
    std::string text(static_cast<std::size_t>(n), '\0');
    api().string_to_utf8_chars(&string, text.data(), n);
    api().variant_get_ptr_destructor(Type::string)(const_cast<Place*>(&string));
    return text;
}

void Value::set(const std::string& key, const Value& value) {
    Bool is_valid = 0;
    const Value name(key);
    api().variant_set_keyed(&variant_, &name.variant_, &value.variant_, &is_valid);
}

void Value::put_into(void* variant) const {
    api().variant_destroy(variant);
    api().variant_new_copy(variant, &variant_);
}

void Value::put_into(Type type, void* value) const {
    if (has_destructor(type)) api().variant_get_ptr_destructor(type)(value);
    api().get_variant_to_type_constructor(type)(value, const_cast<VariantPlace*>(&variant_));
}

void Value::take(Type type, Place& place) {
    api().get_variant_from_type_constructor(type)(&variant_, &place);
    api().variant_get_ptr_destructor(type)(&place);
}

Name::~Name() {
    api().variant_get_ptr_destructor(string_name)(&place_);
}

}  // namespace godot
