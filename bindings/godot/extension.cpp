// How Godot loads the extension, and calls the methods of its class.
#include <cstdio>
#include <exception>
#include <memory>
#include <vector>

#include "llamood_stage.hpp"

namespace godot {

namespace {

constexpr char class_name[] = "LlamoodStage";
constexpr char parent_name[] = "RefCounted";

Value failure(Type type) {
    switch (type) {
        case Type::boolean:
            return Value(false);
        case Type::integer:
            return Value(Int{-1});
        case Type::dictionary:
            return Value::dictionary();
        default:
            return Value(std::string());
    }
}

// No exception passes to Godot.
Value called(const Method& method, void* instance, const std::vector<Value>& given) {
    auto& self = *static_cast<LlamoodStage*>(instance);
    try {
        return method.run(self, given);
    } catch (const std::exception& thrown) {
        self.error = thrown.what();
        api().print_error(thrown.what(), method.name, class_name, 0, 0);
        return failure(method.returns);
    }
}

// Called with Variants, which may be of any number and type.
void call(void* method, void* instance, const void* const* variants, Int n, void* returned,
          CallError* error) {
    const auto& asked = *static_cast<const Method*>(method);
    const auto expected = static_cast<Int>(asked.arguments.size());
    if (n != expected) {
        *error = {n < expected ? Fault::too_few : Fault::too_many, 0,
                  static_cast<std::int32_t>(expected)};
        return;
    }
    std::vector<Value> given;
    for (std::size_t i = 0; i < asked.arguments.size(); ++i) {
        const Type type = asked.arguments[i].type;
        Value value = Value::copy(variants[i]);
        if (type == Type::real && value.type() == Type::integer) {
            value = Value(static_cast<double>(value.integer()));
        }
        if (value.type() != type) {
            *error = {Fault::invalid_argument, static_cast<std::int32_t>(i),
                      static_cast<std::int32_t>(type)};
            return;
        }
        given.push_back(std::move(value));
    }
    called(asked, instance, given).put_into(returned);
    error->error = Fault::none;
}

// Called with values of the types that were registered.
void pointer_call(void* method, void* instance, const void* const* values, void* returned) {
    const auto& asked = *static_cast<const Method*>(method);
    std::vector<Value> given;
    for (std::size_t i = 0; i < asked.arguments.size(); ++i) {
        given.push_back(Value::of_type(asked.arguments[i].type, values[i]));
    }
    called(asked, instance, given).put_into(asked.returns, returned);
}

void* create_instance(void*) {
    Name parent(parent_name);
    Name own(class_name);
    void* object = api().classdb_construct_object(parent.get());
    api().object_set_instance(object, own.get(), std::make_unique<LlamoodStage>().release());
    return object;
}

void free_instance(void*, void* instance) {
    std::unique_ptr<LlamoodStage>(static_cast<LlamoodStage*>(instance));
}

void register_method(const Method& method) {
    Name own(class_name);
    Name name(method.name);
    Name nothing("");
    Place hint;
    api().string_new_with_utf8_chars_and_len(&hint, "", 0);
    const auto described = [&](Type type, void* of) {
        return PropertyInfo{type, of, nothing.get(), 0, &hint, 6};
    };
    std::vector<Name> names;
    std::vector<PropertyInfo> arguments;
    std::vector<int> metadata(method.arguments.size(), 0);
    names.reserve(method.arguments.size());
    for (const Argument& each : method.arguments) {
        names.emplace_back(each.name);
        arguments.push_back(described(each.type, names.back().get()));
    }
    PropertyInfo returned = described(method.returns, nothing.get());
    MethodInfo info = {};
    info.name = name.get();
    info.method = const_cast<Method*>(&method);
    info.call = call;
    info.pointer_call = pointer_call;
    info.flags = 1;
    info.has_return_value = 1;
    info.return_value = &returned;
    info.n_argument = static_cast<std::uint32_t>(arguments.size());
    info.arguments = arguments.data();
    info.arguments_metadata = metadata.data();
    api().classdb_register_extension_class_method(api().library, own.get(), &info);
    api().variant_get_ptr_destructor(Type::string)(&hint);
}

void initialize(void*, Level level) {
    if (level != Level::scene) return;
    llamood_set_log(nullptr, LLAMOOD_LOG_ERROR, nullptr);
    Name own(class_name);
    Name parent(parent_name);
    ClassInfo info = {};
    info.is_exposed = 1;
    info.create_instance = create_instance;
    info.free_instance = free_instance;
    api().classdb_register_extension_class2(api().library, own.get(), parent.get(), &info);
    for (const Method& method : methods()) register_method(method);
}

void deinitialize(void*, Level level) {
    if (level != Level::scene) return;
    Name own(class_name);
    api().classdb_unregister_extension_class(api().library, own.get());
}

}  // namespace

}  // namespace godot

#if defined(_WIN32)
#define LLAMOOD_GODOT __declspec(dllexport)
#else
#define LLAMOOD_GODOT __attribute__((visibility("default")))
#endif

// The entry that llamood.gdextension names.
extern "C" LLAMOOD_GODOT godot::Bool llamood_godot_init(godot::GetFunction get, void* library,
                                                        godot::Initialization* initialization) {
    try {
        godot::api().load(get);
    } catch (const std::exception& thrown) {
        std::fprintf(stderr, "llamood: %s\n", thrown.what());
        return 0;
    }
    godot::api().library = library;
    initialization->minimum = godot::Level::scene;
    initialization->initialize = godot::initialize;
    initialization->deinitialize = godot::deinitialize;
    return 1;
}
