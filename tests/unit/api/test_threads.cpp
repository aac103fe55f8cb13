// Many threads over one library at once: calls, interruptions, shared variables, building. More
// threads than cores; the thread sanitizer sees the orders that did not happen.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "croton/api/function.hpp"
#include "croton/base/settings.hpp"
#include "croton/grad/grad.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/special.hpp"
#include "croton/runtime/program.hpp"
#include "croton/runtime/threads.hpp"

namespace croton {
namespace {

Variable input_of(const char* type, const char* name) { return input(parse_type(type), name); }

template <class Work>
void on_threads(int count, Work work) {
    std::vector<std::thread> threads;
    for (int t = 0; t < count; ++t) threads.emplace_back(work, t);
    for (auto& thread : threads) thread.join();
}

// Four workers a call, whatever the machine has.
struct FourWorkers {
    FourWorkers() { settings().threads = 4; }
    ~FourWorkers() { settings().threads = before; }
    int64_t before = settings().threads;
};

Array identity(int64_t n) {
    Array result = Array::zeros(DType::Float64, {n, n});
    for (int64_t i = 0; i < n; ++i) static_cast<double*>(result.data())[i * n + i] = 1;
    return result;
}

TEST(ManyThreads, PiecesOfSeveralCallersAreEachDoneOnce) {
    FourWorkers workers;
    on_threads(6, [](int) {
        for (int round = 0; round < 200; ++round) {
            std::vector<int> done(1000 + round, 0);
            auto count = static_cast<int64_t>(done.size());
            runtime::parallel_for(count, 10, [&](int64_t begin, int64_t end) {
                for (int64_t i = begin; i < end; ++i) ++done[static_cast<size_t>(i)];
            });
            EXPECT_EQ(std::count(done.begin(), done.end(), 1), count);
        }
    });
}

TEST(ManyThreads, OneFunctionOfKernelsAndProducts) {
    FourWorkers workers;
    constexpr int64_t n = 200;
    auto x = input_of("f64[?,?]", "x");
    auto f = function({x}, sum(exp(dot(x, x) + dot(x, x) * x) - 1, Axes{1}));
    Array value = identity(n);
    on_threads(4, [&](int) {
        for (int i = 0; i < 10; ++i) {
            Array y = f(value);
            for (double element : y.to_vector<double>())
                ASSERT_NEAR(element, std::exp(2.0) - 1, 1e-9);
        }
    });
}

std::atomic<bool> stop_asked{false};

// Few elements that cost much are shared out, too, where a worker is awake: no bit changes.
TEST(ManyThreads, SmallHeavyKernelsHaveTheSameBits) {
    Variable x = input(parse_type("f64[?,?]"), "x");
    Variable y = x;
    for (int i = 0; i < 6; ++i) y = tanh(exp(y) - 1);
    auto f = function({x}, std::vector<Out>{y, sum(y, {1})});
    Array values = Array::empty(DType::Float64, {64, 100});
    for (int64_t i = 0; i < values.size(); ++i)
        values.data_as<double>()[i] = 0.001 * static_cast<double>(i % 977) - 0.5;
    auto alone = f(values);
    FourWorkers workers;
    for (int round = 0; round < 50; ++round) {
        runtime::rouse_workers();
        auto shared = f(values);
        EXPECT_TRUE(shared[0].identical(alone[0]) && shared[1].identical(alone[1]));
    }
}

TEST(ManyThreads, SumsOverAllAxesHaveTheSameBitsOnAnyNumberOfThreads) {
    auto x = input_of("f32[?,?]", "x");
    auto f = function({x}, std::vector<Out>{sum(x, {0}), sum(x, {1}), sum(x)});
    for (Sizes shape : {Sizes{1203, 707}, Sizes{70000, 9}}) {
        Array values = Array::empty(DType::Float32, shape);
        std::mt19937 random(7);
        std::normal_distribution<float> normal;
        auto* first = static_cast<float*>(values.data());
        for (int64_t i = 0; i < values.size(); ++i) first[i] = normal(random);
        auto alone = f(values);
        FourWorkers workers;
        auto together = f(values);
        for (size_t k = 0; k < 3; ++k)
            EXPECT_EQ(alone[k].to_vector<float>(), together[k].to_vector<float>()) << k;
    }
}

TEST(ManyThreads, InterruptionsAtAnyMomentHarmNothing) {
    FourWorkers workers;
    auto x = input_of("f64[?,?]", "x");
    Variable y = x;
    for (int i = 0; i < 30; ++i) y = dot(y, x);
    auto count = shared(Array::scalar(int64_t{0}), "count");
    auto f = function({x}, exp(y) - 1,
                      {.updates = {{count, count + 1}}, .mode = compile::mode_named("quick")});
    runtime::interrupt_requested = [] { return stop_asked.exchange(false); };
    Array value = identity(130);
    std::atomic<int64_t> finished = 0, stopped = 0;
    std::atomic<bool> over = false;
    std::thread nuisance([&] {
        std::mt19937 random(7);
        while (!over) {
            std::this_thread::sleep_for(std::chrono::microseconds(random() % 5000));
            stop_asked = true;
        }
    });
    on_threads(3, [&](int) {
        for (int i = 0; i < 40; ++i) try {
                Array result = f(value);
                ++finished;
                const auto* values = static_cast<const double*>(result.data());
                for (int64_t k = 0; k < result.size(); ++k)
                    ASSERT_NEAR(values[k], k % 131 == 0 ? std::exp(1.0) - 1 : 0, 1e-12);
            } catch (const Error& error) {
                ASSERT_EQ(error.kind(), ErrorKind::Interrupted) << error.what();
                ++stopped;
            }
    });
    over = true;
    nuisance.join();
    runtime::interrupt_requested = nullptr;
    EXPECT_EQ(finished + stopped, 120);
    EXPECT_EQ(count.get_value().item<int64_t>(), finished);
}

// Both variables move together in every call: who reads them in one call must see them equal.
TEST(ManyThreads, SharedVariablesAreReadAndUpdatedWhole) {
    auto a = shared(Array::zeros(DType::Float64, {500}), "a");
    auto b = shared(Array::zeros(DType::Float64, {500}), "b");
    auto both = function({}, std::vector<Out>{}, {.updates = {{a, a + 1}, {b, b + 1}}});
    auto other = function({}, std::vector<Out>{}, {.updates = {{b, b + 2}, {a, a + 2}}});
    auto gap = function({}, max(abs(a - b)) + (max(a) - min(a)));
    on_threads(6, [&](int t) {
        for (int i = 0; i < 100; ++i) {
            if (t < 2)
                both();
            else if (t < 4)
                other();
            else if (t == 4)
                ASSERT_EQ(gap().item<double>(), 0);
            else
                ASSERT_EQ(a.get_value().size(), 500);
        }
    });
    EXPECT_EQ(a.get_value().to_vector<double>(), std::vector<double>(500, 600));
    EXPECT_EQ(b.get_value().to_vector<double>(), std::vector<double>(500, 600));
}

TEST(ManyThreads, ValuesSetWhileFunctionsRun) {
    auto w = shared(Array::zeros(DType::Float64, {300}), "w");
    auto step = function({}, std::vector<Out>{}, {.updates = {{w, w + 1}}});
    auto spread = function({}, max(w) - min(w));
    on_threads(4, [&](int t) {
        for (int i = 0; i < 150; ++i) {
            if (t == 0)
                w.set_value(Array::zeros(DType::Float64, {300}));
            else if (t == 1)
                step();
            else
                ASSERT_EQ(spread().item<double>(), 0);
        }
    });
}

// Graphs that share nodes, built, differentiated and compiled by several threads, with the disk
// cache.
TEST(ManyThreads, BuildAndDestroyGraphsOverSharedNodes) {
    auto x = input_of("f64[n]", "x");
    auto w = shared(Array::of({1., 2., 3.}), "w");
    Variable plain = constant(Array::of({1., 1., 1.})), dear = constant(Array::of({1., 1., 1.}));
    dear.named("dear");  // equal constants: none of the threads gives this name to the other
    Variable common = tanh(x * w) + exp(-x) * plain;
    on_threads(4, [&](int t) {
        for (int i = 0; i < 4; ++i) {
            Variable cost = sum(common * static_cast<double>(t % 2 + 1));
            Variable slope = grad(cost, x);
            auto f = function({x}, std::vector<Out>{cost, slope, x + dear});
            auto results = f(Array::of({0., 0., 0.}));
            EXPECT_DOUBLE_EQ(results[0].item<double>(), 3.0 * (t % 2 + 1));
            EXPECT_EQ(results[1].to_vector<double>()[2], 2.0 * (t % 2 + 1));
        }
    });
    EXPECT_EQ(plain.name(), "");
}

// The program for sizes that were not assumed is made by whichever call needs it first.
TEST(ManyThreads, TheGeneralProgramIsMadeOnce) {
    auto x = input_of("f64[?]", "x"), y = input_of("f64[?]", "y");
    auto f = function({x, y}, sum(x * y + x));
    Array one = Array::of({2.}), three = Array::of({1., 2., 3.});
    on_threads(4, [&](int t) {
        for (int i = 0; i < 20; ++i) {
            EXPECT_DOUBLE_EQ(f(three, three).item<double>(), 20);
            EXPECT_DOUBLE_EQ(f(t % 2 ? one : three, three).item<double>(), t % 2 ? 18 : 20);
        }
    });
}

}  // namespace
}  // namespace croton
