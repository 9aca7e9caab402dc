// What voices express, read off their hidden states position by position.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "graph/probe.hpp"
#include "moods/gate.hpp"
#include "steering/blend.hpp"
#include "steering/steering_vectors.hpp"
#include "voices/baseline.hpp"

namespace llamood {

constexpr double reading_half_life = 8.0;  // tokens; single tokens say little, and in bursts

// What all voices of a context are read with, and by how much that is off for what is added.
class Projector {
  public:
    // stored: the vectors that are added, in the dose `stored`. probe: of the baseline's layers and
    // directions; it stays as long as this is asked.
    Projector(std::shared_ptr<const Baseline> baseline,
              std::shared_ptr<const SteeringVectors> stored, Probe& probe);

    const Baseline& baseline() const { return *baseline_; }
    Probe& probe() const { return probe_; }
    const Names& names() const { return stored_->names(); }
    std::size_t n_emotion() const { return names().size(); }

    // (n_emotion, n_emotion): by how much a weight of 1 moves each score.
    const std::vector<double>& moves(Dose dose, LayerRange layers);

  private:
    std::shared_ptr<const Baseline> baseline_;
    std::shared_ptr<const SteeringVectors> stored_;
    Probe& probe_;
    std::map<std::tuple<Dose, int, int>, std::vector<double>> moves_;
};

// Of one sequence of the context.
class Reader {
  public:
    // n_ctx: how many positions the sequence may have.
    Reader(std::shared_ptr<Projector> projector, int sequence, int n_ctx);

    // Everything below throws std::out_of_range for positions that the sequence cannot have.

    // `n` positions from `begin` on are decoded under this blend.
    void note(int begin, int n, const Blend& blend);
    // The same under weights (n, n_emotion) in a dose and in layers.
    void note_rows(int begin, int n, const float* rows, Dose dose, LayerRange layers);

    // (end - begin, n_emotion): z-scores, NaN where nothing was read. 0 is as in neutral text.
    std::vector<double> scores(int begin, int end) const;

    // (n_emotion) each, of the positions from `begin` to before `end`: the mean score, to which
    // those that lie 8 further back count half, and the score of the last alone. Empty where
    // nothing was read.
    struct Heard {
        std::vector<double> reading;
        std::vector<double> score;
    };
    Heard heard(int begin, int end) const;
    // (n_emotion): the mean score of those of these positions that were read; empty where none was.
    std::vector<double> mean(int begin, int end) const;

    // Such means and scores by name; nothing of those that are empty.
    Read named(const std::vector<double>& reading) const;

    // Of the first `n` positions (n, n_emotion, and of projections n_layer times as many): what was
    // read and what was added, so that another reader goes on from there.
    struct Past {
        std::vector<float> read;
        std::vector<double> moved;
    };
    Past past(int n) const;
    // Throws std::invalid_argument for a past that is none of a reader like this one.
    void restore(int n, const Past& past);
    // What it reads by; pasts of readers of which it is the same fit each other.
    std::string origin() const;

    // What was read and noted is not that of the context any more.
    void forget();

    // (n_ctx, n_emotion): by how much what was added moved the score of each position.
    const std::vector<double>& moved() const { return moved_; }

  private:
    void require(int begin, int end) const;

    std::shared_ptr<Projector> projector_;
    int sequence_;
    std::vector<double> moved_;
};

}  // namespace llamood
