// Matrix products of float32 by shape and number of threads, in GFLOP/s: the table of
// docs/design.md. No Python, no graph: what runtime/products makes of its operands.
//
//     products [threads]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "croton/base/settings.hpp"
#include "croton/runtime/blas.hpp"

using namespace croton;

namespace {

struct Shape {
    int64_t batch, m, k, n;
    bool a_transposed, b_transposed;
    const char* where;
};

const Shape shapes[] = {
    {1, 512, 1024, 1024, false, false, "row 11"},
    {1, 128, 784, 500, false, false, "network, forward"},
    {1, 784, 128, 500, true, false, "network, weight gradient"},
    {1, 128, 500, 500, false, true, "network, error"},
    {1, 1024, 256, 256, false, false, "attention, projection"},
    {1, 256, 1024, 256, true, false, "attention, weight gradient"},
    {32, 128, 64, 128, false, true, "attention, scores"},
    {32, 128, 128, 64, false, false, "attention, mixed"},
    {1, 32, 256, 1024, false, false, "LSTM, a step"},
    {1, 1600, 256, 1024, false, false, "LSTM, before the loop"},
    {1, 400, 650, 10000, false, false, "language model, words"},
    {1, 2048, 2048, 2048, false, false, "large"},
};

Array random_array(Sizes shape) {
    static std::mt19937 engine(7);
    std::normal_distribution<float> normal;
    Array array = Array::empty(DType::Float32, shape);
    for (int64_t i = 0; i < array.size(); ++i) array.data_as<float>()[i] = normal(engine);
    return array;
}

// A batch of matrices, or the same seen with rows and columns exchanged.
Array operand(int64_t batch, int64_t rows, int64_t columns, bool transposed) {
    if (!transposed) return random_array({batch, rows, columns});
    Array held = random_array({batch, columns, rows});
    Sizes s = held.strides();
    return Array::view(DType::Float32, {batch, rows, columns}, {s[0], s[2], s[1]}, held.data(),
                       held.owner());
}

double seconds_of(const Shape& s) {
    using Clock = std::chrono::steady_clock;
    Array a = operand(s.batch, s.m, s.k, s.a_transposed),
          b = operand(s.batch, s.k, s.n, s.b_transposed), c = random_array({s.batch, s.m, s.n});
    std::vector<double> taken;
    double all = 0;
    while (all < 0.3 || taken.size() < 7) {
        auto start = Clock::now();
        runtime::matmul(ref(a), ref(b), nullptr, 1, 0, ref(c));
        taken.push_back(std::chrono::duration<double>(Clock::now() - start).count());
        all += taken.back();
    }
    std::nth_element(taken.begin(), taken.begin() + static_cast<std::ptrdiff_t>(taken.size() / 2),
                     taken.end());
    return taken[taken.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1) settings().threads = std::atoi(argv[1]);
    for (const Shape& s : shapes) {
        double seconds = seconds_of(s);
        double flops = 2.0 * static_cast<double>(s.batch * s.m * s.k * s.n);
        std::printf("%3ld x (%5ld x %5ld%s)(%5ld x %5ld%s)  %8.1f us  %6.1f GFLOP/s  %s\n", s.batch,
                    s.m, s.k, s.a_transposed ? "'" : " ", s.k, s.n, s.b_transposed ? "'" : " ",
                    seconds * 1e6, flops / seconds / 1e9, s.where);
    }
}
