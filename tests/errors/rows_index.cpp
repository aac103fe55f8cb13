// Axes and positions.
#include "tests/errors/row.hpp"

namespace croton::test {

using enum ErrorKind;

Rows index_rows() {
    return {
        {"an axis too many",
         Index,
         [] {
             auto x = matrix<double>("x");
             auto y = sum(x, 2);
         },
         {"sum", "axis 2", "rank 2", "f64[?,?]", line("sum(x, 2)")}},
        {"a negative axis too many",
         Index,
         [] {
             auto x = matrix<double>("x");
             auto y = mean(x, -3);
         },
         {"mean", "axis -3", "rank 2", line("mean(x, -3)")}},
        {"an axis twice",
         Value,
         [] {
             auto x = matrix<double>("x");
             auto y = sum(x, Axes{0, -2});
         },
         {"sum", "axis 0", "twice", line("sum(x, Axes")}},
        {"an axis of softmax",
         Index,
         [] {
             auto x = vector<double>("x");
             auto y = softmax(x, 1);
         },
         {"softmax", "axis 1", line("softmax(x, 1)")}},
        {"an axis of sort",
         Index,
         [] {
             auto x = vector<double>("x");
             auto y = sort(x, 1);
         },
         {"sort", "axis 1", line("sort(x, 1)")}},
        {"an axis of concatenate",
         Index,
         [] {
             auto x = vector<double>("x");
             auto y = concatenate({x, x}, 1);
         },
         {"concatenate", "axis 1", line("concatenate({x")}},
        {"an axis of a size",
         Index,
         [] {
             auto x = vector<double>("x");
             auto y = size_of(x, 1);
         },
         {"axis 1", line("size_of(x, 1)")}},
        {"a new axis too far out",
         Index,
         [] {
             auto x = vector<double>("x");
             auto y = expand_dims(x, 3);
         },
         {"expand_dims", "3", line("expand_dims(x, 3)")}},
        {"an axis of dimshuffle twice",
         Value,
         [] {
             auto x = matrix<double>("x");
             auto y = dimshuffle(x, {0, 0});
         },
         {"dimshuffle", "0", "twice", line("dimshuffle(x")}},
        {"an axis of dimshuffle that is not there",
         Index,
         [] {
             auto x = matrix<double>("x");
             auto y = dimshuffle(x, {0, 2});
         },
         {"dimshuffle", "2", line("dimshuffle(x")}},
        {"the same axis as both of a diagonal",
         Value,
         [] {
             auto x = matrix<double>("x");
             auto y = diagonal(x, 0, 1, 1);
         },
         {"diagonal", "1", line("diagonal(x")}},
        {"axes exchanged that are not there",
         Index,
         [] {
             auto x = matrix<double>("x");
             auto y = swapaxes(x, 0, 2);
         },
         {"swapaxes", "axis 2", line("swapaxes(x")}},
        {"a position beyond a known size",
         Index,
         [] {
             auto x = tensor<double>("x", {3, 4});
             auto y = at(x, {3});
         },
         {"3", "axis 0", "f64[3,4]", line("at(x")}},
        {"a position beyond the size in a call",
         Index,
         [] {
             auto x = vector<double>("x");
             auto i = scalar<int64_t>("i");
             auto f = function({x, i}, at(x, {i}) * 2);
             f(counting({5}), int64_t{5});
         },
         {"index 5", "axis 0", "size 5", line("at(x"), line("auto x")}},
        {"a negative position beyond the size in a call",
         Index,
         [] {
             auto x = matrix<double>("x");
             auto f = function({x}, at(x, {everything, -4}));
             f(counting({5, 3}));
         },
         {"-4", "axis 1", "size 3", line("at(x"), line("auto x")}},
        {"positions beyond the size in a call",
         Index,
         [] {
             auto x = matrix<double>("x");
             auto i = vector<int64_t>("i");
             auto f = function({x, i}, take(x, i));
             f(counting({5, 3}), Array::of<int64_t>({0, 7}));
         },
         {"index 7", "axis 0", "size 5", "'x'", line("take(x, i)"), line("auto x"),
          line("auto i")}},
        {"a class beyond the number of classes",
         Index,
         [] {
             auto p = matrix<double>("p");
             auto y = vector<int64_t>("y");
             auto f = function({p, y}, mean(categorical_crossentropy(softmax(p), y)));
             f(counting({2, 3}), Array::of<int64_t>({0, 3}));
         },
         {"index 3", "size 3", line("categorical_crossentropy")}},
        {"positions beyond the size in an update",
         Index,
         [] {
             auto w = shared(counting({4}), "w");
             auto i = vector<int64_t>("i");
             auto next = inc_subtensor(take(w, i), 1.0);
             auto f = function({i}, std::vector<Out>{}, {.updates = {{w, next}}});
             f(Array::of<int64_t>({1, 4}));
         },
         {"index 4", "axis 0", "size 4", "w", line("inc_subtensor")}},
        {"more items than axes",
         Index,
         [] {
             auto x = matrix<double>("x");
             auto y = at(x, {0, 0, 0});
         },
         {"3", "f64[?,?]", line("at(x")}},
        {"two ellipses",
         Index,
         [] {
             auto x = matrix<double>("x");
             auto y = at(x, {ellipsis, 0, ellipsis});
         },
         {"ellipsis", "one", line("at(x")}},
        {"a slice with step zero",
         Value,
         [] {
             auto x = vector<double>("x");
             auto y = at(x, {Slice(0, 4, 0)});
         },
         {"step", "zero", line("at(x")}},
        {"a slice with step zero in a call",
         Value,
         [] {
             auto x = vector<double>("x");
             auto s = scalar<int64_t>("s");
             auto f = function({x, s}, at(x, {Slice(0, 4, s)}));
             f(counting({5}), int64_t{0});
         },
         {"step", "zero", line("at(x")}},
        {"setting what is no part",
         Usage,
         [] {
             auto x = vector<double>("x");
             auto y = set_subtensor(exp(x), 0.0);
         },
         {"set_subtensor", "exp", line("set_subtensor(exp")}},
        {"setting a part to something larger",
         Shape,
         [] {
             auto x = tensor<double>("x", {5});
             auto y = set_subtensor(at(x, {Slice(0, 2)}), counting({3}));
         },
         {"2", "3", line("set_subtensor(at(x")}},
        {"setting a part to something larger in a call",
         Shape,
         [] {
             auto x = vector<double>("x");
             auto v = vector<double>("v");
             auto y = set_subtensor(at(x, {Slice(0, 2)}), v);
             auto f = function({x, v}, y);
             f(counting({5}), counting({3}));
         },
         {"2", "3", line("set_subtensor(at(x"), line("auto v")}},
        {"an unknown mode of take",
         Value,
         [] {
             auto x = vector<double>("x");
             auto y = take(x, 0, 0, std::string("bounce"));
         },
         {"take", "bounce", "raise", "wrap", "clip", line("take(x")}},
        {"a mask of another size",
         Shape,
         [] {
             auto x = vector<double>("x");
             auto m = vector<bool>("m");
             auto f = function({x, m}, at(x, {m}));
             f(counting({5}), Array::of<bool>({true, false, true}));
         },
         {"5", "3", line("at(x")}},
        {"more largest elements than there are",
         Shape,
         [] {
             auto x = vector<double>("x");
             auto f = function({x}, topk(x, 5).first);
             f(counting({3}));
         },
         {"5", "3", line("topk(x")}},
        {"a batch that is not there",
         Index,
         [] { Batches({counting({6, 2})}, 2).get(3); },
         {"batch 3", "3"}},
    };
}

}  // namespace croton::test
