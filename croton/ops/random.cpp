#include "croton/ops/random.hpp"

#include <array>
#include <cmath>
#include <numbers>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/families.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/philox.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/sort.hpp"
#include "croton/ops/special.hpp"
#include "croton/ops/support.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

const OpRecord* poisson_quantile_op();   // in quantile.cpp
const OpRecord* binomial_quantile_op();  // in quantile.cpp

using kernel::Builder;
using kernel::Scalar;
using types::Types;

namespace {
// --- Philox at a position ------------------------------------------------------------------------

Scalar low_word(Builder& b, Scalar x) { return b.cast(x, DType::UInt32); }
Scalar high_word(Builder& b, Scalar x) {
    return b.cast(b.shift_right(x, b.like(x, uint64_t{32})), DType::UInt32);
}

// The four words of the element at `index`: tables are the key and the shape.
PhiloxWords words_at(Builder& b, std::span<const int> tables, std::span<const Scalar> index) {
    Scalar position = b.constant(DType::Int64, 0);
    for (size_t axis = 0; axis < index.size(); ++axis)
        position = position * b.extent(static_cast<int>(axis)) + index[axis];
    position = b.bitcast(position, DType::UInt64);
    auto key = [&](int64_t i) {
        return b.load_at(tables[0], std::array{b.constant(DType::Int64, i)});
    };
    Scalar seed = key(0), draw = key(1);
    PhiloxWords counter{low_word(b, position), high_word(b, position), low_word(b, draw),
                        high_word(b, draw)};
    return philox(b, counter, low_word(b, seed), high_word(b, seed));
}

// --- from bits to numbers -----------------------------------------------------------------------

// The highest `bits` bits of a word as a fraction of float32.
Scalar fraction32(Builder& b, Scalar word, uint64_t bits) {
    Scalar top = b.shift_right(word, b.like(word, 32 - bits));
    // Small enough for int32, whose conversion every processor has.
    Scalar whole = b.cast(b.bitcast(top, DType::Int32), DType::Float32);
    return whole * std::ldexp(1.0, -static_cast<int>(bits));
}

// 52 bits as a fraction of float64: put behind the leading one of a number in [1, 2).
Scalar fraction64(Builder& b, Scalar high, Scalar low) {
    Scalar bits = b.bit_or(b.shift_left(b.cast(high, DType::UInt64), b.constant(DType::UInt64, 32)),
                           b.cast(low, DType::UInt64));
    Scalar mantissa = b.shift_right(bits, b.constant(DType::UInt64, 12));
    Scalar one = b.constant(DType::UInt64, uint64_t{0x3FF0000000000000});
    return b.bitcast(b.bit_or(mantissa, one), DType::Float64) - 1.0;
}

Scalar uniform_emit(Builder& b, std::span<const int> tables, std::span<const Scalar> index,
                    const Node& node) {
    PhiloxWords words = words_at(b, tables, index);
    switch (node.types[0].dtype) {
        case DType::Float64: return fraction64(b, words[0], words[1]);
        case DType::Float16: return fraction32(b, words[0], 11);
        case DType::BFloat16: return fraction32(b, words[0], 8);
        default: return fraction32(b, words[0], 24);
    }
}

// sqrt(-2 log u) cos(2 pi v) of independent uniform u in (0, 1] and v.
Scalar normal_emit(Builder& b, std::span<const int> tables, std::span<const Scalar> index,
                   const Node& node) {
    PhiloxWords words = words_at(b, tables, index);
    Scalar u, v;
    if (node.types[0].dtype == DType::Float64) {
        u = fraction64(b, words[0], words[1]) + 0x1p-53;
        v = fraction64(b, words[2], words[3]);
    } else {
        // All 32 bits: rounded to float32 near 1, exact near 0, where they make the tails.
        Scalar low = b.bit_and(words[0], b.like(words[0], uint64_t{0xFF}));
        Scalar fine = b.cast(b.bitcast(low, DType::Int32), DType::Float32) * 0x1p-32;
        u = fraction32(b, words[0], 24) + (fine + 0x1p-33);
        v = fraction32(b, words[1], 24);
    }
    return b.sqrt(b.log(u) * -2.0) * b.cos(v * (2 * std::numbers::pi));
}

Scalar bits_emit(Builder& b, std::span<const int> tables, std::span<const Scalar> index,
                 const Node&) {
    PhiloxWords words = words_at(b, tables, index);
    Scalar high = b.shift_left(b.cast(words[0], DType::UInt64), b.constant(DType::UInt64, 32));
    return b.bit_or(high, b.cast(words[1], DType::UInt64));
}

// --- records ------------------------------------------------------------------------------------

Dims take_key_and_shape(TypeContext& c) {
    const auto& key = c.type(0);
    bool right = key.dtype == DType::UInt64 && key.rank() == 1 &&
                 (!key.dims[0].known() || key.dims[0].size() == 2);
    if (!right)
        fail(ErrorKind::Type, "the key of a draw is a uint64 vector of two elements, not ",
             key.text());
    take_int_vector(c, 1, "the shape");
    auto& hints = c.attr<Ints>("sizes");
    Dim length = c.type(1).dims[0];
    if (length.known() && length.size() != static_cast<int64_t>(hints.size()))
        fail(ErrorKind::Shape, c.op.name, ": the shape has ", length.size(), " elements, not ",
             hints.size());
    Dims dims = dims_of_vector(c.inputs[1], hints.size());
    for (size_t i = 0; i < hints.size(); ++i) {
        if (dims[i].known()) hints[i] = dims[i].size();
        if (!dims[i].known() && hints[i] >= 0) dims[i] = Dim(hints[i]);
    }
    return dims;
}

Types floating_draw(TypeContext& c) {
    DType dtype = c.attr<DType>("dtype");
    if (!is_floating(dtype))
        fail(ErrorKind::Type, c.op.name, " gives floating numbers, not ", dtype_name(dtype));
    return {{dtype, take_key_and_shape(c)}};
}

void draw_shape(const AttrView&, std::span<const TensorRef> in, std::span<Sizes> out) {
    if (in[0].shape[0] != 2)
        fail(ErrorKind::Shape, "the key of a draw has ", in[0].shape[0], " elements, not 2");
    out[0] = read_sizes(in[1]);
    for (int64_t size : out[0])
        if (size < 0) fail(ErrorKind::Value, "a draw cannot have the shape ", shape_text(out[0]));
}

Cotangents no_gradient(const Pullback& p) { return Cotangents(p.input_count()); }

const std::vector<Argument> draw_arguments = {{"key", Accepts::Integer},
                                              {"shape", Accepts::Integer}};
const AttrSpec sizes_attribute{"sizes", Ints{}, true, "one an axis: its size where known, or -1"};
const AttrSpec dtype_attribute{"dtype", DType::Float64, true, "dtype of the result"};

const OpRecord random_uniform_record{
    .name = "random_uniform",
    .doc = "Uniform numbers in [0, 1) as a function of key and position (Philox4x32-10).",
    .arguments = draw_arguments,
    .attributes = {sizes_attribute, dtype_attribute},
    .type = floating_draw,
    .compute = IndexedCompute{draw_shape, uniform_emit},
    .pullback = no_gradient,
    .facts = facts::in_range(0, 1),
};

const OpRecord random_normal_record{
    .name = "random_normal",
    .doc = "Normal numbers of mean 0 and deviation 1 as a function of key and position.",
    .arguments = draw_arguments,
    .attributes = {sizes_attribute, dtype_attribute},
    .type = floating_draw,
    .compute = IndexedCompute{draw_shape, normal_emit},
    .pullback = no_gradient,
};

const OpRecord random_bits_record{
    .name = "random_bits",
    .doc = "64 random bits an element as a function of key and position (Philox4x32-10).",
    .arguments = draw_arguments,
    .attributes = {sizes_attribute},
    .type = [](TypeContext& c) { return Types{{DType::UInt64, take_key_and_shape(c)}}; },
    .compute = IndexedCompute{draw_shape, bits_emit},
    .pullback = no_gradient,
};
}  // namespace

Variable random_uniform(Arg key, Arg shape, Given<Ints> sizes, Given<DType> dtype) {
    return apply_one(random_uniform_record, {key, shape}, {{"sizes", sizes}, {"dtype", dtype}});
}
Variable random_normal(Arg key, Arg shape, Given<Ints> sizes, Given<DType> dtype) {
    return apply_one(random_normal_record, {key, shape}, {{"sizes", sizes}, {"dtype", dtype}});
}
Variable random_bits(Arg key, Arg shape, Given<Ints> sizes) {
    return apply_one(random_bits_record, {key, shape}, {{"sizes", sizes}});
}

// --- streams ------------------------------------------------------------------------------------

namespace {
// Seeds of the draws of one stream: far apart for neighbouring stream seeds (SplitMix64).
uint64_t seed_of_draw(uint64_t seed, size_t draw) {
    uint64_t z = seed + 0x9E3779B97F4A7C15 * (static_cast<uint64_t>(draw) + 1);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}
Array first_state(uint64_t seed, size_t draw) {
    return Array::of<uint64_t>({seed_of_draw(seed, draw), 0});
}
}  // namespace

Variable RandomStream::next_key() {
    TensorType type{DType::UInt64, {Dim(2)}};
    auto state = shared_of_type(type, first_state(seed_, states_.size()),
                                cat("random state ", states_.size()));
    state.set_default_update(add(state, Array::of<uint64_t>({0, 1})));
    states_.push_back(state);
    return state;
}

void RandomStream::seed(uint64_t seed) {
    seed_ = seed;
    for (size_t draw = 0; draw < states_.size(); ++draw)
        states_[draw].set_value(first_state(seed_, draw));
}

namespace {
// A plain number or another array in the dtype of the draw.
Variable as_dtype(const Arg& x, DType dtype) {
    return x.variable().dtype() == dtype ? x.variable() : cast(x, dtype);
}
bool is_number(const Arg& x, double value) {
    const Array* known = constant_value(x.variable());
    return known && known->rank() == 0 && !is_complex(known->dtype()) &&
           known->item<double>() == value;
}
Variable scaled(Variable draw, const Arg& scale) {
    return is_number(scale, 1) ? draw : mul(draw, as_dtype(scale, draw.dtype()));
}
Variable moved(Variable draw, const Arg& start) {
    return is_number(start, 0) ? draw : add(draw, as_dtype(start, draw.dtype()));
}
}  // namespace

Variable RandomStream::uniform(const ShapeArg& shape, Arg low, Arg high, DType dtype) {
    return composed("uniform", shape.arg(), [&](const Variable&) {
        Variable draw = random_uniform(next_key(), shape.vector(), shape.hints(), dtype);
        if (is_number(low, 0)) return scaled(draw, high);
        return moved(scaled(draw, sub(high, low)), low);
    });
}

Variable RandomStream::normal(const ShapeArg& shape, Arg mean, Arg deviation, DType dtype) {
    return composed("normal", shape.arg(), [&](const Variable&) {
        Variable draw = random_normal(next_key(), shape.vector(), shape.hints(), dtype);
        return moved(scaled(draw, deviation), mean);
    });
}

Variable RandomStream::integers(const ShapeArg& shape, Arg low, Arg high, DType dtype) {
    return composed("integers", shape.arg(), [&](const Variable&) {
        // The remainder of 64 bits: biased by less than the range's share of 2**64.
        Variable from = cast(low, DType::Int64),
                 range = cast(sub(cast(high, DType::Int64), from), DType::UInt64);
        Variable bits = random_bits(next_key(), shape.vector(), shape.hints());
        return cast(add(cast(mod(bits, range), DType::Int64), from), dtype);
    });
}

Variable RandomStream::bernoulli(const ShapeArg& shape, Arg probability) {
    return composed("bernoulli", shape.arg(), [&](const Variable&) {
        return lt(uniform(shape, 0.0, 1.0, default_float()), probability);
    });
}

Variable RandomStream::poisson(const ShapeArg& shape, Arg rate) {
    return composed("poisson", shape.arg(), [&](const Variable&) {
        return poisson_quantile(uniform(shape, 0.0, 1.0, DType::Float64), rate);
    });
}

Variable RandomStream::binomial(const ShapeArg& shape, Arg n, Arg p) {
    return composed("binomial", shape.arg(), [&](const Variable&) {
        return binomial_quantile(uniform(shape, 0.0, 1.0, DType::Float64), n, p);
    });
}

Variable RandomStream::permutation(Arg count) {
    return composed("permutation", count, [&](const Variable&) {
        return argsort(random_bits(next_key(), make_vector({count}), Ints{-1}));
    });
}

Variable RandomStream::shuffled(Arg given) {
    return composed("shuffled", given,
                    [&](const Variable& x) { return take(x, permutation(size_along(x, 0))); });
}

Variable RandomStream::choice(Arg given, Arg count, bool replace) {
    return composed("choice", given, [&](const Variable& x) {
        Variable size = size_along(x, 0);
        if (replace) return take(x, integers({count}, 0, size));
        return take(x, at(permutation(size), {Slice(std::nullopt, count)}));
    });
}

Variable RandomStream::categorical(Arg given) {
    return composed("categorical", given, [&](const Variable& probabilities) {
        // The first place at which -log(u) / p is smallest has each class with its probability.
        DType dtype = probabilities.dtype();
        Variable draw = random_uniform(next_key(), sizes_of(probabilities),
                                       hints_of(probabilities.type()), dtype);
        return argmin(div(neg(log1p(neg(draw))), probabilities), -1);
    });
}

namespace families {
Family random() {
    return {&random_uniform_record, &random_normal_record, &random_bits_record,
            poisson_quantile_op(), binomial_quantile_op()};
}
}  // namespace families

}  // namespace croton
