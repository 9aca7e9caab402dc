// A stand-in for Godot: loads the GDExtension, hands it the functions that it asks for, and calls
// its methods in both of Godot's ways. It shows that the extension holds together and frees what it
// makes, and not that Godot agrees.
//
//   godot_host LIBRARY MODEL VECTORS FILE
#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "interface.hpp"

namespace {

using namespace godot;

long n_alive = 0;  // strings, names and dictionaries

template <class T>
T* made(T value) {
    ++n_alive;
    return std::make_unique<T>(std::move(value)).release();
}

template <class T>
void freed(void* place) {
    --n_alive;
    std::unique_ptr<T>(*static_cast<T**>(place));
}

// A Variant of 24 bytes at most, with what it points to.
struct Variant;
using Fields = std::map<std::string, Variant>;
using Dictionary = std::shared_ptr<Fields>;

struct Variant {
    Type type = Type::nil;
    union {
        Bool boolean;
        Int integer;
        double real;
        std::string* string;
        Dictionary* dictionary;
    };
    Variant() : integer(0) {}
    Variant(const Variant& other) : type(other.type), integer(other.integer) {
        if (type == Type::string) string = made(*other.string);
        if (type == Type::dictionary) dictionary = made(*other.dictionary);
    }
    Variant& operator=(Variant other) {
        std::swap(type, other.type);
        std::swap(integer, other.integer);
        return *this;
    }
    ~Variant() {
        if (type == Type::string) freed<std::string>(&string);
        if (type == Type::dictionary) freed<Dictionary>(&dictionary);
    }
};
static_assert(sizeof(Variant) <= 24);

Variant& variant(void* place) {
    return *static_cast<Variant*>(place);
}
const Variant& variant(const void* place) {
    return *static_cast<const Variant*>(place);
}

[[noreturn]] void fail(const std::string& what) {
    std::printf("not so: %s\n", what.c_str());
    std::exit(1);
}

void require(bool is_so, const std::string& what) {
    if (!is_so) fail(what);
}

template <Type type>
void from_type(void* place, void* value) {
    Variant& result = *::new (place) Variant;
    result.type = type;
    if (type == Type::boolean) result.boolean = *static_cast<Bool*>(value);
    if (type == Type::integer) result.integer = *static_cast<Int*>(value);
    if (type == Type::real) result.real = *static_cast<double*>(value);
    if (type == Type::string) result.string = made(**static_cast<std::string**>(value));
    if (type == Type::dictionary) result.dictionary = made(**static_cast<Dictionary**>(value));
}

template <Type type>
void to_type(void* value, void* place) {
    const Variant& from = variant(place);
    require(from.type == type, "a Variant is read as what it is");
    if (type == Type::boolean) *static_cast<Bool*>(value) = from.boolean;
    if (type == Type::integer) *static_cast<Int*>(value) = from.integer;
    if (type == Type::real) *static_cast<double*>(value) = from.real;
    if (type == Type::string) *static_cast<std::string**>(value) = made(*from.string);
    if (type == Type::dictionary) *static_cast<Dictionary**>(value) = made(*from.dictionary);
}

using Convert = void (*)(void*, void*);

Convert from_constructor(Type type) {
    switch (type) {
        case Type::boolean:
            return from_type<Type::boolean>;
        case Type::integer:
            return from_type<Type::integer>;
        case Type::real:
            return from_type<Type::real>;
        case Type::string:
            return from_type<Type::string>;
        case Type::dictionary:
            return from_type<Type::dictionary>;
        default:
            fail("a type that the extension uses");
    }
}

Convert to_constructor(Type type) {
    switch (type) {
        case Type::boolean:
            return to_type<Type::boolean>;
        case Type::integer:
            return to_type<Type::integer>;
        case Type::real:
            return to_type<Type::real>;
        case Type::string:
            return to_type<Type::string>;
        case Type::dictionary:
            return to_type<Type::dictionary>;
        default:
            fail("a type that the extension uses");
    }
}

void (*constructor(Type type, std::int32_t which))(void*, const void* const*) {
    require(type == Type::dictionary && which == 0, "only dictionaries are constructed");
    return [](void* place, const void* const*) {
        *static_cast<Dictionary**>(place) = made(std::make_shared<Fields>());
    };
}

void (*destructor(Type type))(void*) {
    return type == Type::dictionary ? freed<Dictionary> : freed<std::string>;
}

std::string printed;
std::map<std::string, std::vector<Type>> arguments_of;
std::map<std::string, MethodInfo> infos;
ClassInfo of_class;
void* instance = nullptr;

std::string text_of(const void* name) {
    return **static_cast<std::string* const*>(name);
}

void register_class(void* library, const void* name, const void* parent, const ClassInfo* info) {
    require(library == &printed, "the library is handed back");
    require(text_of(name) == "LlamoodStage" && text_of(parent) == "RefCounted", "the class");
    of_class = *info;
}

void register_method(void*, const void* name, const MethodInfo* info) {
    require(text_of(name) == "LlamoodStage", "the class of a method");
    const std::string method = text_of(info->name);
    for (std::uint32_t i = 0; i < info->n_argument; ++i) {
        require(!text_of(info->arguments[i].name).empty(), "arguments have names");
        arguments_of[method].push_back(info->arguments[i].type);
    }
    infos[method] = *info;
    infos[method].return_value_metadata = static_cast<int>(info->return_value->type);
}

Function get(const char* name) {
    const std::string asked = name;
    const auto as = [](auto* function) { return reinterpret_cast<Function>(function); };
    static void (*print)(const char*, const char*, const char*, std::int32_t, Bool) =
        [](const char* text, const char*, const char*, std::int32_t, Bool) { printed = text; };
    static void (*nil)(void*) = [](void* place) { ::new (place) Variant; };
    static void (*copy)(void*, const void*) = [](void* place, const void* from) {
        ::new (place) Variant(variant(from));
    };
    static void (*destroy)(void*) = [](void* place) { variant(place).~Variant(); };
    static Type (*type)(const void*) = [](const void* place) { return variant(place).type; };
    static void (*set)(void*, const void*, const void*, Bool*) =
        [](void* place, const void* key, const void* value, Bool* is_valid) {
            (**variant(place).dictionary)[*variant(key).string] = variant(value);
            *is_valid = 1;
        };
    static void (*string)(void*, const char*, Int) = [](void* place, const char* text, Int n) {
        *static_cast<std::string**>(place) = made(std::string(text, static_cast<std::size_t>(n)));
    };
    static Int (*characters)(const void*, char*, Int) = [](const void* place, char* text, Int n) {
        const std::string& from = **static_cast<std::string* const*>(place);
        const Int size = static_cast<Int>(from.size());
        if (text != nullptr)
            std::memcpy(text, from.data(), static_cast<std::size_t>(std::min(n, size)));
        return size;
    };
    static void (*name_of)(void*, const char*, Bool) = [](void* place, const char* text, Bool) {
        *static_cast<std::string**>(place) = made(std::string(text));
    };
    static void* (*construct)(const void*) = [](const void* class_name) -> void* {
        require(text_of(class_name) == "RefCounted", "what is constructed");
        return &instance;
    };
    static void (*set_instance)(void*, const void*, void*) =
        [](void* object, const void*, void* own) { *static_cast<void**>(object) = own; };
    static void (*unregister)(void*, const void*) = [](void*, const void*) { infos.clear(); };
    if (asked == "print_error") return as(print);
    if (asked == "variant_new_nil") return as(nil);
    if (asked == "variant_new_copy") return as(copy);
    if (asked == "variant_destroy") return as(destroy);
    if (asked == "variant_get_type") return as(type);
    if (asked == "variant_set_keyed") return as(set);
    if (asked == "get_variant_from_type_constructor") return as(from_constructor);
    if (asked == "get_variant_to_type_constructor") return as(to_constructor);
    if (asked == "variant_get_ptr_constructor") return as(constructor);
    if (asked == "variant_get_ptr_destructor") return as(destructor);
    if (asked == "string_new_with_utf8_chars_and_len") return as(string);
    if (asked == "string_to_utf8_chars") return as(characters);
    if (asked == "string_name_new_with_latin1_chars") return as(name_of);
    if (asked == "classdb_construct_object") return as(construct);
    if (asked == "object_set_instance") return as(set_instance);
    if (asked == "classdb_register_extension_class2") return as(register_class);
    if (asked == "classdb_register_extension_class_method") return as(register_method);
    if (asked == "classdb_unregister_extension_class") return as(unregister);
    return nullptr;
}

// Values as scripts write them.
Variant of(const char* text) {
    Variant value;
    value.type = Type::string;
    value.string = made(std::string(text));
    return value;
}
Variant of(Int number) {
    Variant value;
    value.type = Type::integer;
    value.integer = number;
    return value;
}
Variant of(bool is_so) {
    Variant value;
    value.type = Type::boolean;
    value.boolean = is_so ? 1 : 0;
    return value;
}
Variant of(int number) {
    return of(Int{number});
}

// With Variants, as an untyped script does; `error` is told where it is given.
Variant call_freely(const char* name, const std::vector<Variant>& given,
                    CallError* told = nullptr) {
    const MethodInfo& info = infos.at(name);
    std::vector<const void*> places;
    for (const Variant& each : given) places.push_back(&each);
    VariantPlace place;
    Variant& result = *::new (&place) Variant;
    CallError error = {Fault::none, 0, 0};
    info.call(info.method, instance, places.data(), static_cast<Int>(given.size()), &place, &error);
    require(told != nullptr || error.error == Fault::none, std::string(name) + " is called");
    if (told != nullptr) *told = error;
    Variant copy = result;
    result.~Variant();
    return copy;
}

// With values of the types that were registered, as a typed script does.
Variant call_typed(const char* name, std::vector<Variant> given) {
    const MethodInfo& info = infos.at(name);
    std::vector<const void*> places;
    for (Variant& each : given) places.push_back(&each.integer);
    const auto type = static_cast<Type>(info.return_value_metadata);
    Place place = {};
    if (type == Type::string) *reinterpret_cast<std::string**>(&place) = made(std::string());
    if (type == Type::dictionary) constructor(type, 0)(&place, nullptr);
    info.pointer_call(info.method, instance, places.data(), &place);
    Variant result;
    from_constructor(type)(&result, &place);
    if (type == Type::string || type == Type::dictionary) destructor(type)(&place);
    return result;
}

std::string shown(const Variant& value) {
    char text[64] = "";
    switch (value.type) {
        case Type::boolean:
            return value.boolean ? "true" : "false";
        case Type::integer:
            return std::to_string(value.integer);
        case Type::real:
            std::snprintf(text, sizeof text, "%.9g", value.real);
            return text;
        case Type::string:
            return *value.string;
        case Type::dictionary: {
            std::string all;
            for (const auto& [key, each] : **value.dictionary) {
                all += (all.empty() ? "" : ", ") + key + ": " + shown(each);
            }
            return "{" + all + "}";
        }
        default:
            return "nil";
    }
}

// Says something to the first voice, and prints the events, got by the one way and by the other.
void speak(const char* text) {
    require(call_freely("start", {}).boolean, printed);
    require(call_typed("say", {of(0), of(text)}).boolean, printed);
    for (bool is_over = false, is_typed = false; !is_over;) {
        const Variant event = is_typed ? call_typed("poll", {}) : call_freely("poll", {});
        if ((*event.dictionary)->empty()) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            continue;
        }
        std::printf("%s\n", shown(event).c_str());
        is_over = !(*event.dictionary)->at("end").string->empty();
        is_typed = !is_typed;
    }
    require(call_typed("stop", {}).boolean, printed);
}

void play(const char* model, const char* vectors, const char* file) {
    require(call_freely("join", {of(""), of(""), of(1), of(8)}).integer == -1, "not open yet");
    require(printed.find("call open() first") != std::string::npos, printed);
    require(shown(call_typed("error", {})) == printed, "what failed is remembered");
    require(!call_typed("open", {of("nowhere.gguf"), of(vectors), of(2), of(256), of(1), of(true)})
                 .boolean,
            "no such model");
    require(printed.find("nowhere.gguf") != std::string::npos, printed);
    require(call_freely("open", {of(model), of(vectors), of(2), of(256), of(1), of(true)}).boolean,
            printed);
    std::printf("%s\n", shown(call_typed("ceilings", {})).c_str());
    const auto ada =
        call_freely("join", {of("Be brief."), of("{\"joy\": 0.8}"), of(1), of(24)}).integer;
    require(ada == 0, "the first voice");
    speak("Tell me about bread.");
    require(call_typed("feel", {of(0), of("{\"fear\": 0.5}")}).boolean, "it is felt");
    require(call_typed("pause", {of(0), of(false)}).boolean, printed);
    speak("Tell me about the kettle.");
    require(!call_typed("save", {of(1), of(file), of(true)}).boolean, "nobody is there");
    require(call_freely("load", {of(file)}).integer == -1, "nothing was saved yet");
    require(printed.find(file) != std::string::npos, printed);
    require(call_freely("save", {of(0), of(file), of(false)}).boolean, printed);
    require(call_typed("leave", {of(0)}).boolean, printed);
    require(call_typed("load", {of(file)}).integer == 0, printed);
    speak("Tell me about the museum.");
    CallError error;
    call_freely("say", {of(0)}, &error);
    require(error.error == Fault::too_few && error.expected == 2, "too few arguments");
    call_freely("say", {of(0), of(1)}, &error);
    require(error.error == Fault::invalid_argument && error.argument == 1 && error.expected == 4,
            "another type");
    require(call_typed("say", {of(0), of("Hello")}).boolean, printed);
    require(call_freely("step_for", {of(1)}).boolean, "it speaks, and a whole number is taken");
    require(call_typed("interrupt", {of(0)}).boolean, printed);
    require(call_typed("leave", {of(0)}).boolean, printed);
    require(!call_typed("leave", {of(0)}).boolean, "it is not there any more");
}

}  // namespace

int main(int, char** arguments) {
    void* library = dlopen(arguments[1], RTLD_NOW);
    if (library == nullptr) fail(dlerror());
    const auto init = reinterpret_cast<Bool (*)(GetFunction, void*, Initialization*)>(
        dlsym(library, "llamood_godot_init"));
    require(init != nullptr, "its entry is there");
    Initialization initialization = {};
    require(init([](const char*) -> Function { return nullptr; }, &printed, &initialization) == 0,
            "a Godot without its functions is refused");
    require(init(get, &printed, &initialization) != 0, "it is loaded");
    require(initialization.minimum == Level::scene, "its level");
    initialization.initialize(nullptr, Level::core);
    require(infos.empty(), "nothing is registered too early");
    initialization.initialize(nullptr, Level::scene);
    for (const auto& [name, info] : infos) {
        std::printf("%s(%zu)\n", name.c_str(), arguments_of[name].size());
    }
    require(of_class.create_instance(nullptr) == &instance && instance != nullptr, "an object");
    play(arguments[2], arguments[3], arguments[4]);
    of_class.free_instance(nullptr, instance);
    initialization.deinitialize(nullptr, Level::scene);
    require(infos.empty(), "the class is unregistered");
    require(n_alive == 0, std::to_string(n_alive) + " strings and dictionaries are left");
}
