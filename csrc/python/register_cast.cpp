#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "moods/affect_fit.hpp"
#include "python/collapse.hpp"
#include "python/ends.hpp"
#include "python/named.hpp"
#include "python/python_value.hpp"
#include "python/register.hpp"
#include "python/released.hpp"
#include "voices/cast.hpp"
#include "voices/faults.hpp"

namespace py = pybind11;
using llamood::Cast;
using llamood::Character;
using llamood::Event;
using llamood::FaceSet;
using llamood::Manner;
using llamood::Message;
using llamood::ModelFault;
using llamood::Overflow;
using llamood::Plan;
using llamood::Projector;
using llamood::Room;
using llamood::RowInjector;
using llamood::SavedVoice;
using llamood::SharedContext;
using llamood::Stage;
using llamood::Steering;
using llamood::SteeringVectors;
using Scores = std::optional<std::vector<double>>;
using Places = std::vector<std::optional<llamood::AffectPoint>>;

namespace {

py::list written(const std::vector<Message>& messages) {
    py::list written;
    for (const Message& message : messages) {
        py::dict said;
        said["role"] = message.role;
        said["content"] = message.content;
        written.append(said);
    }
    return written;
}

// What is being thrown by Python and is no Exception: a KeyboardInterrupt, say.
bool is_outside() {
    try {
        throw;
    } catch (const py::error_already_set& error) {
        return !error.matches(PyExc_Exception);
    } catch (...) {
        return false;
    }
}

// A cast that asks the Python object which it is part of: `chat(messages)`. That object alone owns
// what it takes to answer, so that it stays known to Python's collector.
class Acted : public Cast {
  public:
    Acted(RowInjector& rows, Stage& stage, const std::shared_ptr<SteeringVectors>& vectors,
          const std::shared_ptr<Projector>& projector, int n_ctx, bool slides, std::string name,
          std::string fingerprint, std::vector<std::string> shown, const Places& places, bool drops,
          const std::optional<std::string>& care)
        : Cast(parts(rows, stage, vectors, projector, n_ctx, slides, std::move(name),
                     std::move(fingerprint), std::move(shown), places),
               drops ? Overflow::drop : Overflow::refuse,
               care ? std::optional(llamood::care_named(*care)) : std::nullopt) {}

    const llamood::Names& names() { return shared().vectors().names(); }

    // Arguments of llamood.voices.event.Event.
    py::dict fields(const Event& event) {
        py::dict fields;
        fields["text"] = event.text;
        fields["token"] = py::none();
        if (event.token != LLAMA_TOKEN_NULL) fields["token"] = event.token;
        fields["mood"] = llamood::felt(names(), event.mood);
        fields["reading"] = scores(event.reading);
        fields["finish_reason"] = llamood::end_of(event.end);
        fields["forgotten"] = event.forgotten;
        py::tuple likely(event.likely.size());
        for (std::size_t i = 0; i < event.likely.size(); ++i) {
            likely[i] = py::make_tuple(event.likely[i].token, event.likely[i].logprob);
        }
        fields["likely"] = likely;
        fields["asked"] = llamood::felt(names(), event.asked);
        fields["score"] = scores(event.score);
        if (event.face) {
            fields["face"] = event.face->label;
            fields["face_reading"] = event.face->score;
            fields["valence"] = event.face->point[0];
            fields["arousal"] = event.face->point[1];
        }
        fields["guard"] = llamood::told(event.guard);
        fields["notices"] = py::tuple(py::cast(event.notices));
        return fields;
    }

    // None where nothing is read.
    py::object scores(const Scores& scores) {
        if (!scores) return py::none();
        return llamood::named(names(), *scores);
    }

  private:
    SharedContext::Parts parts(RowInjector& rows, Stage& stage,
                               const std::shared_ptr<SteeringVectors>& vectors,
                               const std::shared_ptr<Projector>& projector, int n_ctx, bool slides,
                               std::string name, std::string fingerprint,
                               std::vector<std::string> shown, const Places& places) {
        SharedContext::Parts parts;
        parts.rows = &rows;
        parts.stage = &stage;
        parts.vectors = vectors;
        parts.projector = projector;
        parts.n_ctx = n_ctx;
        parts.slides = slides;
        parts.name = std::move(name);
        parts.fingerprint = std::move(fingerprint);
        parts.shown = std::move(shown);
        parts.places = llamood::places_of(vectors->names(), places);
        parts.advice = {"pass overflow='drop'", "open the cast with more (voices=...)"};
        parts.chat = [this](const std::vector<Message>& messages) {
            const py::object self = py::cast(this, py::return_value_policy::reference);
            return self.attr("chat")(written(messages)).cast<std::vector<llama_token>>();
        };
        parts.decode = [](Stage& of, const Room& room) {
            const llamood::Released released;
            return of.step(room);
        };
        parts.compressed_size = llamood::zlib_size;
        parts.is_outside = is_outside;
        return parts;
    }
};

void register_character(py::module_& m) {
    py::class_<Plan>(m, "Plan")
        .def_readonly("tokens", &Plan::tokens)
        .def_readonly("forgotten", &Plan::forgotten);
    py::class_<Character, std::shared_ptr<Character>>(m, "Character")
        .def_property_readonly("number", &Character::number)
        .def_property_readonly("steering",
                               [](const Character& self) {
                                   return std::const_pointer_cast<Steering>(self.steering());
                               })
        .def_property_readonly("felt",
                               [](const Character& self) {
                                   return py::array_t<double>(
                                       static_cast<py::ssize_t>(self.felt().size()),
                                       self.felt().data());
                               })
        .def_property_readonly("reading",
                               [](const Character& self) -> py::object {
                                   if (!self.reading()) return py::none();
                                   const auto& names = self.steering()->vectors().names();
                                   return llamood::named(names, *self.reading());
                               })
        .def_property_readonly("messages",
                               [](const Character& self) { return written(self.messages()); })
        .def_property_readonly("is_speaking", &Character::is_speaking)
        .def_property_readonly("is_waiting", &Character::is_waiting)
        .def_property_readonly("is_prompting", &Character::is_prompting)
        .def_property_readonly("n_draw", &Character::n_draw)
        .def_property_readonly("tokens", &Character::tokens)
        .def_property_readonly("keys", &Character::keys)
        .def_property_readonly("n_cached", &Character::n_cached)
        .def("n_common", &Character::n_common, py::arg("tokens"), py::arg("keys"))
        .def("plan", &Character::plan, py::arg("text"), py::arg("manner"))
        .def(
            "plan_prompt",
            [](const Character& self, std::vector<llama_token> prompt, Manner manner,
               std::optional<std::string> said, const std::shared_ptr<FaceSet>& faces) {
                Plan plan = self.plan_prompt(std::move(prompt), std::move(manner), std::move(said));
                plan.faces = faces;
                return plan;
            },
            py::arg("prompt"), py::arg("manner"), py::arg("said"), py::arg("faces"))
        .def("said", &Character::said)
        .def_property_readonly("face",
                               [](const Character& self) -> std::optional<std::string> {
                                   const auto shown = self.face();
                                   return shown ? std::optional(shown->label) : std::nullopt;
                               })
        .def(
            "set_faces",
            [](Character& self, const std::shared_ptr<FaceSet>& faces) { self.set_faces(faces); },
            py::arg("faces"))
        .def(
            "feel",
            [](Character& self, const std::shared_ptr<Steering>& steering,
               std::optional<std::vector<double>> felt) { self.feel(steering, std::move(felt)); },
            py::arg("steering"), py::arg("felt"))
        .def("pause", &Character::pause, py::arg("is_paused"))
        .def("news", &Character::news)
        .def(
            "saved",
            [](const Character& self, bool has_cache) {
                const SavedVoice saved = self.saved(has_cache);
                return py::make_tuple(llamood::python_of(saved.head()), py::bytes(saved.tail()));
            },
            py::arg("has_cache"))
        .def(
            "carried",
            [](const Character& self, bool has_cache) {
                SavedVoice saved = self.saved(has_cache);
                if (!has_cache) saved.cache = {};
                return saved;
            },
            py::arg("has_cache"),
            "As saved, for a cast in the same program. Without its cache it "
            "is decoded anew in batches as large as any.")
        .def(
            "scores",
            [](const Character& self, int begin, int end) {
                return self.reader()->scores(begin, end);
            },
            py::arg("begin"), py::arg("end"));
}

}  // namespace

void register_cast(py::module_& m) {
    py::class_<SavedVoice>(m, "SavedVoice")
        .def(py::init([](const py::dict& head, const std::string& tail) {
                 return SavedVoice::of(llamood::value_of(head), tail);
             }),
             py::arg("head"), py::arg("tail"))
        .def_property_readonly("moods", [](const SavedVoice& self) {
            py::list moods;
            for (const auto& mood : self.moods) moods.append(llamood::python_of(mood));
            return moods;
        });
    register_character(m);
    py::class_<Event>(m, "Event")
        .def_readonly("voice", &Event::voice)
        .def_readonly("news", &Event::news)
        .def_property_readonly("has_failed",
                               [](const Event& self) { return self.fault != nullptr; })
        .def("raise_fault", [](Event& self) {  // which the traceback of the fault may keep
            std::rethrow_exception(std::exchange(self.fault, nullptr));
        });
    py::class_<Acted>(m, "Cast")
        .def(py::init<RowInjector&, Stage&, const std::shared_ptr<SteeringVectors>&,
                      const std::shared_ptr<Projector>&, int, bool, std::string, std::string,
                      std::vector<std::string>, const Places&, bool,
                      const std::optional<std::string>&>(),
             py::arg("rows"), py::arg("stage"), py::arg("vectors"), py::arg("projector"),
             py::kw_only(), py::arg("n_ctx"), py::arg("slides"), py::arg("name"),
             py::arg("fingerprint"), py::arg("shown"), py::arg("places"), py::arg("drops"),
             py::arg("care"), py::keep_alive<1, 2>(), py::keep_alive<1, 3>(),
             py::keep_alive<1, 5>())
        .def(
            "join",
            [](Acted& self, std::optional<std::string> system,
               const std::shared_ptr<Steering>& steering,
               Manner manner) { return self.join(std::move(system), steering, std::move(manner)); },
            py::arg("system"), py::arg("steering"), py::arg("manner"), py::keep_alive<0, 1>())
        .def(
            "load",
            [](Acted& self, const SavedVoice& saved,
               const std::vector<std::shared_ptr<Steering>>& steerings) {
                return self.load(saved, {steerings.begin(), steerings.end()});
            },
            py::arg("saved"), py::arg("steerings"), py::keep_alive<0, 1>())
        .def("begin", &Acted::begin, py::arg("plans"))
        .def(
            "nearest",
            [](const Acted& self, const Plan& plan, const std::vector<int>& among,
               const std::shared_ptr<Steering>& steering, std::vector<double> felt) {
                return self.nearest(plan, among, steering, std::move(felt));
            },
            py::arg("plan"), py::arg("among"), py::arg("steering"), py::arg("felt"))
        .def("interrupt", &Acted::interrupt, py::arg("voice"))
        .def("leave", &Acted::leave, py::arg("voice"))
        .def(
            "step",
            [](Acted& self, std::optional<int> n, std::optional<int> n_prompt) {
                Room room;
                if (n.has_value()) room.n_token = *n;
                if (n_prompt.has_value()) room.n_prompt = *n_prompt;
                try {
                    self.step(room);
                } catch (const ModelFault&) {  // which the events of all answers tell
                }
            },
            py::arg("n") = py::none(), py::kw_only(), py::arg("n_prompt") = py::none())
        .def("poll", &Acted::poll)
        .def("fields", &Acted::fields, py::arg("event"));
}
