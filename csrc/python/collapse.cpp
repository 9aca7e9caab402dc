#include "python/collapse.hpp"

#include <pybind11/stl.h>

#include <stdexcept>

namespace py = pybind11;

namespace llamood {

Care care_named(const std::string& name) {
    if (name == "rescue") return Care::rescue;
    if (name == "stop") return Care::stop;
    throw std::invalid_argument("expected rescue or stop");
}

std::size_t zlib_size(const std::string& text) {
    return py::len(py::module_::import("zlib").attr("compress")(py::bytes(text), 1));
}

py::object told(const std::shared_ptr<const Collapse>& collapse) {
    if (collapse == nullptr) return py::none();
    py::list rescues;
    for (const Rescue& rescue : collapse->rescues) {
        py::dict said;
        said["token"] = rescue.token;
        said["kept"] = rescue.kept;
        said["kind"] = rescue.alarm.kind;
        said["text"] = rescue.alarm.text;
        rescues.append(said);
    }
    py::dict told;
    told["words"] = collapse->words();
    told["factor"] = collapse->factor();
    told["stopped"] = collapse->is_stopped();
    told["rescues"] = rescues;
    return told;
}

}  // namespace llamood
