// Weights that do not change are packed once, at the second call: the same bits, and nothing stale.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include "croton/api/function.hpp"
#include "croton/compile/build.hpp"
#include "croton/croton.hpp"
#include "croton/runtime/packs.hpp"

namespace croton {
namespace {

Array random_array(Sizes shape, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    Array array = Array::empty(DType::Float32, std::move(shape));
    for (int64_t i = 0; i < array.size(); ++i) array.data_as<float>()[i] = normal(random);
    return array;
}
Variable matrix_input() { return input(tensor_type(DType::Float32, 2), "x"); }

// A program with what it keeps packed.
struct Kept {
    Kept(const Variable& x, const Variable& out)
        : built(compile::build({{x}, {out}, {}, "f", compile::mode_named("fast")})) {}
    Array operator()(runtime::Frame& frame, const Array& x) const {
        return frame.run(std::vector<Array>{x})[0];
    }
    compile::Built built;
    std::shared_ptr<runtime::Packs> packs = std::make_shared<runtime::Packs>();
};

TEST(Packs, ConstantsArePackedAtTheSecondCall) {
    Variable x = matrix_input();
    const Array w = random_array({64, 96}, 1);
    Kept f(x, tanh(dot(x, constant(w))));
    runtime::Frame frame(*f.built.program, f.packs);
    const Array value = random_array({16, 64}, 2), first = f(frame, value);
    EXPECT_EQ(f.packs->bytes(), 0);
    for (int call = 0; call < 4; ++call) {
        EXPECT_TRUE(f(frame, value).identical(first));
        EXPECT_EQ(f.packs->bytes(), 64 * 96 * 4) << call;
    }
    // Those of another frame are the same.
    runtime::Frame other(*f.built.program, f.packs);
    EXPECT_TRUE(f(other, value).identical(first));
    EXPECT_EQ(f.packs->bytes(), 64 * 96 * 4);
}

TEST(Packs, FewRowsManyAndOne) {
    Variable x = matrix_input();
    const Array w = random_array({64, 96}, 1);
    Kept f(x, dot(x, constant(w)));
    runtime::Frame frame(*f.built.program, f.packs);
    auto with = [&](int64_t rows) {
        const Array value = random_array({rows, 64}, static_cast<unsigned>(rows));
        runtime::Frame fresh(*f.built.program);  // nothing is packed yet
        EXPECT_TRUE(f(frame, value).identical(f(fresh, value))) << rows;
        return f.packs->bytes();
    };
    for (int i = 0; i < 3; ++i) EXPECT_EQ(with(1), 0);     // a vector reads the matrix as it lies
    for (int i = 0; i < 3; ++i) EXPECT_EQ(with(1000), 0);  // it would hardly pay
    with(3);
    EXPECT_GT(with(20), 0);
    for (int64_t rows : {1, 1000, 2, 50, 193}) EXPECT_GT(with(rows), 0);
}

// The constant may be the left operand, and seen transposed.
TEST(Packs, LeftAndTransposed) {
    Variable x = matrix_input();
    const Array w = random_array({96, 64}, 1);
    Kept left(x, dot(constant(w), x)), turned(x, dot(x, transpose(constant(w))));
    for (auto [f, value] : {std::pair(&left, random_array({64, 5}, 2)),
                            std::pair(&turned, random_array({5, 64}, 2))}) {
        runtime::Frame frame(*f->built.program, f->packs);
        const Array first = (*f)(frame, value);
        for (int call = 0; call < 3; ++call) EXPECT_TRUE((*f)(frame, value).identical(first));
        EXPECT_EQ(f->packs->bytes(), 64 * 96 * 4);
    }
}

// Which part is read is told in each call: no part is taken for another.
TEST(Packs, PartsThatChange) {
    Variable x = matrix_input(), n = input(tensor_type(DType::Int64, 0), "n");
    const Array w = random_array({3, 64, 32}, 1);
    Variable out = dot(x, at(constant(w), {n}));
    auto built = compile::build({{x, n}, {out}, {}, "f", compile::mode_named("fast")});
    runtime::Frame frame(*built.program);
    const Array value = random_array({8, 64}, 2);
    for (int64_t part : {0, 0, 0, 1, 2, 2, 2, 0, 1, 1}) {
        const std::vector<Array> arguments = {value, Array::scalar(part)};
        runtime::Frame fresh(*built.program);
        EXPECT_TRUE(frame.run(arguments)[0].identical(fresh.run(arguments)[0])) << part;
    }
}

// The same within a loop, whose constant it is.
TEST(Packs, PartsThatChangeWithinALoop) {
    Variable x = matrix_input(), w = input(tensor_type(DType::Float32, 3), "w"),
             which = input(tensor_type(DType::Int64, 1), "which");
    auto step = [&](const Step& s) {
        return StepResult(tanh(dot(s.states[0], at(s.constants[0], {s.sequences[0]}))));
    };
    Variable all =
        scan(step, {.sequences = {which}, .outputs_info = {x}, .non_sequences = {w}}).outputs[0];
    Function loop = function({x, w, which}, all);
    const Array start = random_array({8, 64}, 1), parts = random_array({3, 64, 64}, 2);
    const Array order = Array::of<int64_t>({0, 0, 1, 2, 2, 1, 1, 0});
    for (int call = 0; call < 3; ++call) {
        const Array states = loop(start, parts, order).only();
        Array h = start;
        Function one = function({x, w, which}, tanh(dot(x, at(w, {at(which, {0})}))));
        for (int64_t i = 0; i < order.size(); ++i) {
            h = one(h, parts, Array::of<int64_t>({order.data_as<int64_t>()[i]})).only();
            const auto* made = static_cast<const std::byte*>(states.data()) + i * h.nbytes();
            EXPECT_EQ(std::memcmp(made, h.data(), static_cast<size_t>(h.nbytes())), 0) << i;
        }
    }
}

// --- shared variables ---------------------------------------------------------------------------

struct Layer {
    Variable x = matrix_input();
    SharedVariable w = shared(random_array({64, 96}, 1), "w");
    Function f = function({x}, dot(x, w), {.profile = true});
    Array value = random_array({16, 64}, 2);

    // What the function gives now is what a function gives that was never called.
    void check() {
        Function other = function({x}, dot(x, w));
        EXPECT_TRUE(f(value).only().identical(other(value).only()));
    }
    bool packs() const { return f.profile().held_bytes >= 64 * 96 * 4; }
};

TEST(SharedPacks, NewValuesAreSeen) {
    Layer l;
    for (int i = 0; i < 3; ++i) l.check();
    EXPECT_TRUE(l.packs());
    for (unsigned seed = 5; seed < 8; ++seed) {
        l.w.set_value(random_array({64, 96}, seed));
        for (int i = 0; i < 3; ++i) l.check();
    }
}

TEST(SharedPacks, UpdatesInPlaceAreSeen) {
    Layer l;
    Function train = function({}, std::vector<Out>{}, {.updates = {{l.w, l.w * 0.5}}});
    for (int i = 0; i < 3; ++i) {
        l.check();
        l.check();
        train();
        train();
    }
    EXPECT_TRUE(l.packs());
}

TEST(SharedPacks, MemoryThatIsKnownOutsideIsReadAnew) {
    Layer l;
    const Array mine = random_array({64, 96}, 9);
    l.w.set_value(mine, true);
    for (int i = 0; i < 3; ++i) {
        l.check();
        mine.data_as<float>()[i] += 1;
    }
    EXPECT_FALSE(l.packs());
    l.w.set_value(mine);  // a copy
    l.check();
    l.check();
    EXPECT_TRUE(l.packs());
    {
        const Array lent = l.w.get_value(true);
        lent.data_as<float>()[7] = 3;
        l.check();
        lent.data_as<float>()[8] = 4;
    }
    l.check();
}

TEST(SharedPacks, ResultsThatShareTheVariablesMemoryAreReadAnew) {
    Layer l;
    Function lend = function({}, std::vector<Out>{Out(l.w, true)});
    l.check();
    l.check();
    const Array lent = lend().only();
    lent.data_as<float>()[7] = 3;
    l.check();
    lent.data_as<float>()[8] = 4;
    l.check();
}

TEST(SharedPacks, CopiesWithOtherVariables) {
    Layer l;
    SharedVariable other = shared(random_array({64, 96}, 11), "other");
    Function twin = l.f.copy({{l.w, other}});
    Function wanted = function({l.x}, dot(l.x, other));
    const Array expected = wanted(l.value).only();
    for (int i = 0; i < 4; ++i) {
        l.check();
        EXPECT_TRUE(twin(l.value).only().identical(expected));
    }
}

TEST(SharedPacks, ThreadsShareThem) {
    Layer l;
    const Array expected = l.f(l.value).only();
    std::vector<std::thread> threads;
    std::atomic<int> wrong = 0;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 50; ++i) wrong += !l.f(l.value).only().identical(expected);
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
    EXPECT_LT(l.f.profile().held_bytes, 2 * 64 * 96 * 4);
}

TEST(SharedPacks, GoWithFree) {
    Layer l;
    for (int i = 0; i < 3; ++i) l.check();
    l.f.free();
    for (int i = 0; i < 3; ++i) l.check();
}

}  // namespace
}  // namespace croton
