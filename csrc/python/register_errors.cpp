#include <exception>

#include "moods/mood_error.hpp"
#include "python/register.hpp"
#include "voices/faults.hpp"

namespace py = pybind11;
using llamood::ModelFault;
using llamood::MoodError;
using llamood::Refused;

namespace {

template <class... Arguments>
void raise(const char* name, const Arguments&... arguments) {
    const py::object type = py::module_::import("llamood.errors").attr(name);
    PyErr_SetObject(type.ptr(), type(arguments...).ptr());
}

}  // namespace

// As those of llamood.errors.
void register_errors(py::module_&) {
    py::register_exception_translator([](std::exception_ptr thrown) {
        try {
            if (thrown) std::rethrow_exception(thrown);
        } catch (const MoodError& error) {
            raise("MoodError", error.where(), error.fault());
        } catch (const Refused& error) {
            raise("LlamoodError", error.what());
        } catch (const ModelFault& error) {
            raise("ModelError", error.what());
        }
    });
}
