#include "tests/rules/examples.hpp"

#include "croton/base/format.hpp"
#include "croton/grad/grad.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/control.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/nnet.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/special.hpp"

namespace croton::test {

namespace {
Variable gradient(const Variable& cost, const Variable& wrt) { return grad(cost, wrt); }
Variable slice(const Variable& x, SliceEnd from, SliceEnd to) { return at(x, {Slice(from, to)}); }
Variable picked(const Variable& x, const Variable& i) { return at(x, {arange(size_of(i, 0)), i}); }

}  // namespace

const std::vector<Example>& examples() {
    static const std::vector<Example> all = {
        {"constants last", [](const Leaves& l) { return sum(2.5 * l.x); }},
        // sizes
        {"size without values", [](const Leaves& l) { return size_of(exp(l.x), 1) + 1; }},
        {"fill without values", [](const Leaves& l) { return fill(exp(l.x), l.s) - l.s; }},
        {"shape from sizes", [](const Leaves& l) { return shape(exp(l.x)) * 2; }},
        {"count from sizes", [](const Leaves& l) { return count(exp(l.x), Ints{0}); }},
        {"size of what is made for its size",
         [](const Leaves& l) {
             return size_of(exp(concatenate({l.v, l.w, slice(l.v, 1, -1)})), 0);
         }},
        {"size of what is made for its size",
         [](const Leaves& l) { return size_of(at(transpose(sin(l.x)), {Slice(-2, {})}), 0); }},
        {"size of what is made for its size",
         [](const Leaves& l) { return size_of(sum(slice(l.x, 1, 3), Ints{1}), 0); }},
        {"size of what is made for its size",
         [](const Leaves& l) { return size_of(tile(exp(l.v), {2}), 0); }},
        {"size of what is made for its size",
         [](const Leaves& l) {
             return size_of(slice(broadcast_to(l.s, {size_of(l.v, 0)}), 1, {}), 0);
         }},
        {"size of what is made for its size",
         [](const Leaves& l) { return size_of(matmul(slice(l.x, 1, {}), transpose(l.x)), 0); }},
        // choices and chains
        {"case known",
         [](const Leaves& l) { return ifelse(constant(Array::scalar(true)), l.v, exp(l.w)); }},
        {"cases that are equal",
         [](const Leaves& l) {
             Variable e = exp(l.v);
             return ifelse(gt(l.s, 0), e, e);
         }},
        {"cases of a negated condition",
         [](const Leaves& l) { return ifelse(logical_not(gt(l.s, 0)), l.v, exp(l.w)); }},
        {"case decided outside",
         [](const Leaves& l) {
             Variable c = gt(l.s, 2);
             return ifelse(c, sin(l.v), ifelse(c, l.v, cos(l.w)));
         }},
        {"choices computed together",
         [](const Leaves& l) {
             Variable c = gt(l.s, 0);
             return ifelse(c, l.v, sin(l.v)) * ifelse(c, cos(l.w), l.w);
         }},
        {"products in the cheaper order",
         [](const Leaves& l) {
             return matmul(matmul(transpose(l.x), l.x), expand_dims(at(l.x, {0}), 1));
         }},
        {"products in the cheaper order",
         [](const Leaves& l) {
             Variable tall = reshape(l.six, {6, 1}), flat = reshape(exp(l.six), {1, 6});
             return matmul(matmul(tall, flat), tall * transpose(sin(flat)));
         }},
        {"products in the cheaper order",
         [](const Leaves& l) {
             Variable tall = reshape(l.six, {6, 1}), flat = reshape(exp(l.six), {1, 6});
             return matmul(flat, matmul(tall, sin(flat)));
         }},
        // views and casts
        {"merge dimshuffles", [](const Leaves& l) { return transpose(expand_dims(l.x, 1)); }},
        {"merge dimshuffles", [](const Leaves& l) { return transpose(transpose(l.x)); }},
        {"broadcast by the op itself",
         [](const Leaves& l) { return exp(l.v) * broadcast_like(l.s, l.v); }},
        {"merge casts",
         [](const Leaves& l) { return cast(cast(l.i, DType::Float64), DType::Int64); }},
        {"axes moved before computing",
         [](const Leaves& l) { return transpose(exp(transpose(l.x)) * l.s); }},
        {"axes moved before computing",
         [](const Leaves& l) { return transpose(transpose(l.x) * transpose(sin(l.x))); }},
        {"reshape past axes of one",
         [](const Leaves& l) { return reshape(expand_dims(l.six, 0), {3, 2}); }},
        {"reshape that adds or drops axes of one",
         [](const Leaves& l) { return exp(reshape(l.v, {size_of(l.v, 0), 1})); }},
        {"reshape that adds or drops axes of one",
         [](const Leaves& l) { return flatten(reshape(l.six, {1, 6, 1})) + 1; }},
        {"reshape before computing",
         [](const Leaves& l) { return reshape(exp(reshape(l.six, {2, 3})) * l.s, {3, 2}); }},
        {"reshape before computing",
         [](const Leaves& l) { return reshape(tanh(matmul(l.x, transpose(l.x)) * l.s), {-1}); }},
        {"computed before it is spread",
         [](const Leaves& l) { return exp(broadcast_like(l.s, l.v)); }},
        {"computed before it is spread",
         [](const Leaves& l) { return sin(broadcast_to(l.six, {3, 6})) * l.s; }},
        {"broadcast of broadcast",
         [](const Leaves& l) { return broadcast_to(broadcast_to(l.s, {6}), {2, 6}); }},
        // folds
        {"fold of one element",
         [](const Leaves& l) { return sum(expand_dims(l.x, 1), Ints{1, 2}); }},
        {"fold of one element",
         [](const Leaves& l) { return max(expand_dims(l.v, 0), Ints{0}, true) * 2; }},
        {"fold of axes moved", [](const Leaves& l) { return sum(transpose(l.x), Ints{0}); }},
        {"fold of axes moved",
         [](const Leaves& l) {
             return max(dimshuffle(outer(l.v, l.w), {1, -1, 0}), Ints{2}, true);
         }},
        {"sum of one value", [](const Leaves& l) { return sum(full_like(l.x, 2.5)); }},
        {"sum of one value", [](const Leaves& l) { return gradient(sum(sum(l.v) + l.x), l.v); }},
        {"sum of what is centred",
         [](const Leaves& l) { return sum(l.six - mean(l.six, Ints{0}, true), Ints{0}); }},
        {"sum of what is centred",
         [](const Leaves& l) {
             Variable x = tanh(l.x), c = x - mean(x, Ints{1}, true);
             return sum(c * sum(x, Ints{1}, true) * 2 - exp(x), Ints{1}, true);
         }},
        {"sum of what is centred",
         [](const Leaves& l) {
             Variable x = tanh(l.x);
             return sum(x + (mean(x, Ints{0}, true) - x) / exp(l.s), Ints{0});
         }},
        {"sum of what is centred",
         [](const Leaves& l) {
             Variable x = cos(l.x);
             return sum((mean(x, Ints{0, 1}, true) - x) * l.s - sin(x), Ints{0, 1});
         }},
        {"extreme of one value", [](const Leaves& l) { return max(full_like(l.six, l.s)); }},
        {"reduction over no axes", [](const Leaves& l) { return exp(sum(l.x, Ints{})); }},
        {"reduction of reduction", [](const Leaves& l) { return sum(sum(l.x, Ints{1})); }},
        {"reduction of reduction",
         [](const Leaves& l) { return max(max(l.x, Ints{0}, true), Ints{1}, true); }},
        // positions
        {"whole slice", [](const Leaves& l) { return at(sin(l.x), {everything, everything}); }},
        {"whole slice", [](const Leaves& l) { return exp(slice(l.six, 0, 6)); }},
        {"whole slice", [](const Leaves& l) { return exp(slice(l.v, 0, size_of(l.v, 0))); }},
        {"position of an axis of one",
         [](const Leaves& l) { return exp(at(sum(l.x, Ints{0}, true), {0, everything})); }},
        {"reversed twice", [](const Leaves& l) { return flip(flip(l.v, Ints{0}), Ints{0}); }},
        {"reversed twice", [](const Leaves& l) { return flip(flip(l.x, Ints{0, 1}), Ints{1}); }},
        {"part of a lookup", [](const Leaves& l) { return at(take(l.x, l.i), {everything, 2}); }},
        {"part of a lookup",
         [](const Leaves& l) {
             return at(take(l.x, clip(l.i, 0, 2), 1), {Slice(0, 1), everything});
         }},
        {"add at positions in place of zeros",
         [](const Leaves& l) { return l.w - gradient(sum(sqr(take(l.v, l.i))), l.v); }},
        {"scale before adding at positions",
         [](const Leaves& l) { return l.w - 0.5 * gradient(sum(sqr(take(l.v, l.i))), l.v); }},
        // what compiling adds to the tables
        {"fold constants", [](const Leaves& l) { return l.v + exp(constant(Array::scalar(1.0))); }},
        {"expand", [](const Leaves& l) { return mean(l.x, Ints{1}); }},

        {"write of everything or nothing",
         [](const Leaves& l) { return set_subtensor(at(l.v, {everything}), l.w); }},
        {"write of everything or nothing",
         [](const Leaves& l) { return inc_subtensor(at(l.v, {everything}), l.s); }},
        {"write of everything or nothing",
         [](const Leaves& l) { return inc_subtensor(slice(l.v, 1, 3), 0.0); }},
        {"write of everything or nothing",
         [](const Leaves& l) { return set_subtensor(slice(l.v, 1, 3), slice(l.v, 1, 3)); }},
        {"write after write",
         [](const Leaves& l) {
             Variable once = set_subtensor(slice(l.v, 1, 3), l.s);
             return set_subtensor(slice(once, 1, 3), 2 * l.s);
         }},
        {"write after write",
         [](const Leaves& l) {
             Variable once = inc_subtensor(slice(l.v, 1, 3), sqr(slice(l.v, 1, 3)));
             return inc_subtensor(slice(once, 1, 3), sqr(slice(l.v, 1, 3)));
         }},
        {"write after write",
         [](const Leaves& l) {
             Variable once = set_subtensor(slice(l.v, 1, 3), l.s);
             return inc_subtensor(slice(once, 1, 3), sqr(slice(l.v, 1, 3)));
         }},
        {"write of what is spread",
         [](const Leaves& l) {
             Variable part = slice(l.v, 1, 3);
             return set_subtensor(part, broadcast_like(l.s, part)) + sum(part);
         }},
        {"write of a part and something",
         [](const Leaves& l) { return set_subtensor(slice(l.v, 1, 3), l.s + slice(l.v, 1, 3)); }},
        {"write of a part and something",
         [](const Leaves& l) { return set_subtensor(at(l.x, {0}), at(l.x, {0}) - at(l.x, {1})); }},
        {"parts of zeros joined",
         [](const Leaves& l) {
             return gradient(
                 at(l.v, {0}) * sum(sqr(slice(l.v, 1, 4))) + sum(exp(slice(l.v, 4, {}))), l.v);
         }},
        // Gaps before, between and behind; a part that is a number for all of its elements.
        {"parts of zeros joined",
         [](const Leaves& l) {
             return gradient(sum(sqr(slice(l.v, 1, 2))) + 3.0 * sum(slice(l.v, 4, 6)), l.v);
         }},
        {"parts of zeros joined",
         [](const Leaves& l) {
             return gradient(sum(sqr(slice(l.six, -2, {}))) + sum(exp(slice(l.six, 0, -3))), l.six);
         }},
        {"parts of zeros joined",
         [](const Leaves& l) {
             return gradient(
                 sum(sqr(at(l.x, {everything, 0}))) + sum(exp(at(l.x, {everything, Slice(1, 3)}))),
                 l.x);
         }},
        // Positions that may be out of bounds without anybody reading them.
        {"parts of zeros joined",
         [](const Leaves& l) { return gradient(2.0 * at(l.v, {7}) + 3.0 * at(l.v, {0}), l.v); }},
        {"same part of zeros twice",
         [](const Leaves& l) {
             Variable zeros = zeros_like(l.v);
             return inc_subtensor(slice(zeros, 1, 3), l.s) +
                    inc_subtensor(slice(zeros, 1, 3), 2 * l.s);
         }},
        {"part of zeros added",
         [](const Leaves& l) { return gradient(sum(exp(l.v)) + sum(sqr(slice(l.v, 1, 3))), l.v); }},
        {"positions compared instead of written",
         [](const Leaves& l) { return gradient(sum(sqr(picked(l.x, l.i))), l.x); }},
        {"positions compared instead of written",
         [](const Leaves& l) {
             return gradient(sum(sqr(take_along_axis(l.x, expand_dims(l.i, 1), 1))), l.x);
         }},
        {"sum over the axis that is picked from",
         [](const Leaves& l) { return gradient(sum(picked(log_softmax(l.x, 1), l.i)), l.x); }},
        {"computed where it is picked",
         [](const Leaves& l) { return picked(log_softmax(l.x, 1), l.i); }},
        {"computed where it is picked along an axis",
         [](const Leaves& l) {
             return take_along_axis(log_softmax(l.x, 1), expand_dims(l.i, 1), 1);
         }},
        {"part of a part", [](const Leaves& l) { return slice(slice(l.v, 1, {}), 1, 5); }},
        {"part of a part", [](const Leaves& l) { return at(slice(l.v, 2, 4), {1}); }},
        {"part of a part",
         [](const Leaves& l) { return at(at(l.six, {Slice({}, {}, 2)}), {Slice(1, {}, 2)}); }},
        {"part of a part",
         [](const Leaves& l) { return at(at(l.x, {Slice(1, {}), 2}), {Slice(0, 2)}); }},
        {"part of what is computed", [](const Leaves& l) { return slice(sin(l.v) * l.s, 1, 3); }},
        {"part of what is computed",
         [](const Leaves& l) {
             Variable column = expand_dims(at(l.x, {everything, 0}), 1);
             return at(sin(l.x) * column, {0, Slice(1, 3)});
         }},
        {"part of axes moved",
         [](const Leaves& l) { return at(transpose(sin(l.x)), {Slice(1, 3), 0}); }},
        {"part of axes moved",
         [](const Leaves& l) { return at(expand_dims(l.x, 1), {Slice(0, 2), 0, Slice(1, {})}); }},
        {"part of a reduction", [](const Leaves& l) { return slice(sum(l.x, Ints{1}), 1, 3); }},
        {"part of a reduction", [](const Leaves& l) { return at(max(l.x, Ints{0}), {2}); }},
        {"part of a reduction",
         [](const Leaves& l) { return at(sum(l.x, Ints{1}, true), {Slice(0, 2)}); }},
        {"part of one value",
         [](const Leaves& l) { return slice(full_like(l.v, l.s), 1, 3) + 1.0; }},
        {"part of a number spread",
         [](const Leaves& l) { return exp(slice(full({size_of(l.v, 0), 2}, l.s), 1, -1)); }},
        {"part of a product",
         [](const Leaves& l) {
             return at(matmul(l.x, transpose(l.x)), {Slice(0, 2), Slice(1, {})});
         }},
        {"part of what was written",
         [](const Leaves& l) { return slice(set_subtensor(slice(l.v, 1, 3), l.s), 1, 3); }},
        {"part of what was written",
         [](const Leaves& l) { return slice(inc_subtensor(slice(l.v, 1, 3), l.s), 1, 3); }},
        {"part of what was written",
         [](const Leaves& l) { return slice(set_subtensor(slice(l.v, 1, 3), l.s), 3, {}); }},
        {"part of a join", [](const Leaves& l) { return slice(concatenate({l.six, l.v}), 1, 5); }},
        {"part of a join", [](const Leaves& l) { return at(concatenate({l.six, l.v}), {8}); }},
        {"part of a join",
         [](const Leaves& l) { return at(concatenate({l.x, sin(l.x)}, 0), {everything, 2}); }},
        {"element of a vector",
         [](const Leaves& l) { return at(shape(l.x), {0}) + at(shape(l.x), {-1}); }},
        {"element of a vector",
         [](const Leaves& l) { return at(make_vector({l.s, 2 * l.s, l.s + 1}), {Slice(1, {})}); }},
        {"take of one position",
         [](const Leaves& l) { return take(l.x, at(l.i, {0}), 1, "raise"); }},
        {"join of joins",
         [](const Leaves& l) { return concatenate({concatenate({l.v, l.six}), l.w}); }},
        {"join without empty parts",
         [](const Leaves& l) { return concatenate({l.v, slice(l.six, 2, 2), l.w}); }},
        {"parts joined again",
         [](const Leaves& l) { return concatenate({slice(l.v, {}, 2), slice(l.v, 2, {})}); }},
        {"parts joined again",
         [](const Leaves& l) {
             Variable k = size_of(l.i, 0);
             return concatenate({slice(l.v, {}, k), slice(l.v, k, {})});
         }},
        {"parts joined again",
         [](const Leaves& l) {
             return concatenate({l.w, slice(l.v, 1, 3), slice(l.v, 3, 4), slice(l.v, 5, 6)});
         }},
        {"join of vectors of scalars",
         [](const Leaves& l) {
             return concatenate({make_vector({l.s, 2 * l.s}), make_vector({l.s + 1})});
         }},
        {"fold of a vector of scalars", [](const Leaves& l) { return prod(shape(l.x)); }},
        {"fold of a vector of scalars",
         [](const Leaves& l) { return max(make_vector({l.s, exp(l.s), sin(l.s)})); }},
        {"only element of a vector",
         [](const Leaves& l) { return exp(dimshuffle(make_vector({l.s * 2}), Ints{})); }},
        {"fold of joined parts",
         [](const Leaves& l) { return sum(concatenate({l.x, exp(l.x)}, 1), Ints{0}); }},
        {"fold of joined parts",
         [](const Leaves& l) { return max(concatenate({l.x, exp(l.x)}, 1), Ints{0}, true); }},
        {"fold of a join",
         [](const Leaves& l) { return max(concatenate({l.six, exp(l.six)}), Ints{0}); }},
        {"fold of a join",
         [](const Leaves& l) { return any(concatenate({gt(l.six, 1), gt(l.v, 1)}), Ints{0}); }},
        {"fold of a join", [](const Leaves& l) { return sum(concatenate({l.v, l.six})); }},
    };
    return all;
}

std::string test_name(const Example& example, size_t place) {
    std::string name = cat(place, "_", example.rule);
    for (char& c : name)
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    return name;
}

}  // namespace croton::test
