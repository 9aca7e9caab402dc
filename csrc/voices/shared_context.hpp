// One llama.cpp context that many voices speak from, and who writes prompts for it.
#pragma once

#include <llama.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "graph/row_injector.hpp"
#include "steering/guard.hpp"
#include "steering/steering_vectors.hpp"
#include "voices/face.hpp"
#include "voices/memory.hpp"
#include "voices/reader.hpp"
#include "voices/stage.hpp"

namespace llamood {

class SharedContext {
  public:
    // What people are told to do, in the words of whoever they asked.
    struct Advice {
        std::string to_drop;       // so that the oldest turns are dropped
        std::string to_have_more;  // so that there is room for more voices
    };
    // rows and stage: of the context, they stay until the cast has gone. projector: null where
    // nothing is read. chat: a conversation as tokens, up to where the answer begins. decode: a
    // step of at most so many tokens of the stage, with whatever it takes that others may run
    // meanwhile. shown: the emotions that have a face of their own unless others are given.
    // places: (n_emotion), where they lie in affect. compressed_size: for guards. is_outside: of
    // what is being thrown, whether it is no fault of an answer and goes to whoever steps; none for
    // nothing.
    struct Parts {
        RowInjector* rows;
        Stage* stage;
        std::shared_ptr<const SteeringVectors> vectors;
        std::shared_ptr<Projector> projector;
        int n_ctx;         // how many tokens each voice can remember
        bool slides;       // whether the memory forgets what lies behind a window of attention
        std::string name;  // of the model's file, for messages
        std::string fingerprint;  // of the model
        Advice advice;
        std::function<std::vector<llama_token>(const std::vector<Message>&)> chat;
        std::function<std::vector<Drawn>(Stage&, const Room&)> decode;
        std::vector<std::string> shown;
        std::vector<std::optional<AffectPoint>> places;
        Guard::CompressedSize compressed_size;
        std::function<bool()> is_outside;
    };

    explicit SharedContext(Parts parts);

    Stage& stage() const { return *parts_.stage; }
    const SteeringVectors& vectors() const { return *parts_.vectors; }
    int n_ctx() const { return parts_.n_ctx; }
    bool slides() const { return parts_.slides; }
    const std::string& name() const { return parts_.name; }
    const std::string& fingerprint() const { return parts_.fingerprint; }
    const Advice& advice() const { return parts_.advice; }
    const Guard::CompressedSize& compressed_size() const { return parts_.compressed_size; }
    // Null where nothing is read.
    std::unique_ptr<Reader> reader(int voice) const;
    const std::shared_ptr<const FaceSet>& faces() const { return faces_; }
    const std::vector<std::optional<AffectPoint>>& places() const { return parts_.places; }

    bool is_outside() const { return parts_.is_outside && parts_.is_outside(); }
    std::vector<llama_token> chat(const std::vector<Message>& messages) const {
        return parts_.chat(messages);
    }

    // One batch; see Stage::step. Throws ModelFault where that failed, or the
    // graph has no place for the vectors; nothing of it remains then, and all voices rest.
    std::vector<Drawn> step(const Room& room);

  private:
    Parts parts_;
    std::shared_ptr<const FaceSet> faces_;
};

}  // namespace llamood
