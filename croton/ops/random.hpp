#pragma once
// Random numbers as a function of a key and a position: Philox4x32-10 (Salmon, Moraes, Dror and
// Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011). The same key gives the same numbers
// on every back end and however the work is divided (normals: up to the rounding of log and cos).
//
// A key is a uint64 vector of two elements: the seed, and a counter of draws. Element i (in C
// order) of a draw uses the block of Philox whose key is the seed and whose counter is i and the
// counter.
#include "croton/graph/variable.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/given.hpp"

namespace croton {

/// Uniform in [0, 1), of a floating dtype: 24 random bits for float32, 52 for float64, as many as
/// the format holds for 16-bit ones. `sizes` as in reshape.
Variable random_uniform(Arg key, Arg shape, Given<Ints> sizes, Given<DType> dtype);
/// Normal with mean 0 and deviation 1 (Box and Muller); no draw is larger than 6.7 (float32) or 8.6
/// (float64).
Variable random_normal(Arg key, Arg shape, Given<Ints> sizes, Given<DType> dtype);
/// 64 random bits as uint64.
Variable random_bits(Arg key, Arg shape, Given<Ints> sizes);

/// The smallest k such that a Poisson variable of that rate (a binomial one of n trials with
/// success probability p) is at most k with a probability above u: of uniform u in [0, 1), draws of
/// those distributions, as int64. Arguments broadcast. Exact up to rounding for deviations up to
/// 1000, off by at most one beyond. Value error for a rate, n or p out of range.
Variable poisson_quantile(Arg u, Arg rate);
Variable binomial_quantile(Arg u, Arg n, Arg p);

/// Draws for programs: each draw made by a stream has its own state (a shared variable), which
/// moves on by one whenever a function with the draw in it is called. One seed always gives the
/// same streams of numbers in the order in which the draws were made.
class RandomStream {
  public:
    explicit RandomStream(uint64_t seed) : seed_(seed) {}

    /// Gradients flow through low, high, mean and deviation.
    Variable uniform(const ShapeArg& shape, Arg low, Arg high, DType dtype);
    Variable uniform(const ShapeArg& shape, Arg low = 0.0, Arg high = 1.0) {
        return uniform(shape, low, high, default_float());
    }
    Variable normal(const ShapeArg& shape, Arg mean, Arg deviation, DType dtype);
    Variable normal(const ShapeArg& shape, Arg mean = 0.0, Arg deviation = 1.0) {
        return normal(shape, mean, deviation, default_float());
    }
    /// Integers from low to high, high not included.
    Variable integers(const ShapeArg& shape, Arg low, Arg high, DType dtype = DType::Int64);
    /// True with that probability.
    Variable bernoulli(const ShapeArg& shape, Arg probability);
    /// Counts of a Poisson distribution of that rate.
    Variable poisson(const ShapeArg& shape, Arg rate);
    /// How many of n trials succeed with probability p each.
    Variable binomial(const ShapeArg& shape, Arg n, Arg p);
    /// 0 to count - 1 in random order.
    Variable permutation(Arg count);
    /// The rows of x in random order.
    Variable shuffled(Arg x);
    /// `count` of the elements (rows) of x, with or without putting them back.
    Variable choice(Arg x, Arg count, bool replace = true);
    /// One class of each row of probabilities (which need not sum to one): int64, one axis less.
    Variable categorical(Arg probabilities);

    /// Starts all draws made so far, and those to come, anew from this seed.
    void seed(uint64_t seed);
    /// The states of the draws, in the order in which they were made.
    const std::vector<SharedVariable>& states() const { return states_; }

  private:
    Variable next_key();
    uint64_t seed_;
    std::vector<SharedVariable> states_;
};

}  // namespace croton
