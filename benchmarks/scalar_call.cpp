// What a call of a compiled function costs from C++: x + 1 on a scalar, all checks on. Prints JSON.
//
//     ninja benchmarks && benchmarks/scalar_call
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <vector>

#include "croton/croton.hpp"

namespace {

double processor_seconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

int main() {
    using namespace croton;
    auto x = scalar<double>("x");
    auto f = function({x}, x + 1.0);
    auto value = full<double>({}, 1.5);
    if (f(value).item<double>() != 2.5) return 1;
    std::vector<double> wall, processor;
    constexpr int calls = 20'000;
    for (int round = 0; round < 60; ++round) {
        auto start = std::chrono::steady_clock::now();
        double start_processor = processor_seconds();
        for (int i = 0; i < calls; ++i) f(value);
        std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
        wall.push_back(taken.count() / calls);
        processor.push_back((processor_seconds() - start_processor) / calls);
    }
    std::sort(wall.begin(), wall.end());
    std::sort(processor.begin(), processor.end());
    std::printf("{\"wall_ns\": %.1f, \"processor_ns\": %.1f, \"quartiles_ns\": [%.1f, %.1f]}\n",
                1e9 * wall[30], 1e9 * processor[30], 1e9 * processor[15], 1e9 * processor[45]);
}
