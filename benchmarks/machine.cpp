// What the machine can do at most: copy and read rate of memory, arithmetic without memory. Prints
// JSON. Built by run.py with -O3 -march=native; needs nothing of Croton.
//
//     machine [threads]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace {

constexpr size_t bytes = size_t{192} << 20;

double seconds_of(const std::function<void()>& work) {
    double best = 1e9;
    for (int i = 0; i < 12; ++i) {
        auto start = std::chrono::steady_clock::now();
        work();
        std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
        best = std::min(best, taken.count());
    }
    return best;
}

void in_parallel(int threads, const std::function<void(int)>& work) {
    std::vector<std::thread> others;
    for (int i = 1; i < threads; ++i) others.emplace_back(work, i);
    work(0);
    for (auto& other : others) other.join();
}

template <class T>
using Lanes __attribute__((vector_size(64))) = T;

// Stores past the caches, as a good copy of large arrays does.
void copy_range(const char* from, char* to, size_t size) {
    using Words = Lanes<long long>;
    for (size_t i = 0; i < size; i += sizeof(Words)) {
        Words words;
        std::memcpy(&words, from + i, sizeof words);
#if defined(__clang__)
        __builtin_nontemporal_store(words, reinterpret_cast<Words*>(to + i));
#elif defined(__AVX512F__)
        using Native = long long __attribute__((vector_size(64), may_alias));
        __builtin_ia32_movntdq512(reinterpret_cast<Native*>(to + i), words);
#else
        for (size_t j = 0; j < 8; ++j)
            __builtin_ia32_movnti64(reinterpret_cast<long long*>(to + i) + j, words[j]);
#endif
    }
}

long long sum_range(const char* from, size_t size) {
    Lanes<long long> total[4] = {};
    for (size_t i = 0; i < size; i += sizeof total)
        for (size_t j = 0; j < 4; ++j) {
            Lanes<long long> words;
            std::memcpy(&words, from + i + j * sizeof words, sizeof words);
            total[j] += words;
        }
    auto all = total[0] + total[1] + total[2] + total[3];
    return all[0] + all[7];
}

constexpr int rounds = 2'000'000, chains = 16;

template <class T>
double multiply_add() {  // gives operations done
    using V = Lanes<T>;
    V values[chains];
    for (int c = 0; c < chains; ++c) values[c] = V{} + static_cast<T>(c);
    V factor = V{} + static_cast<T>(0.999), term = V{} + static_cast<T>(0.001);
    for (int i = 0; i < rounds; ++i)
        for (int c = 0; c < chains; ++c) values[c] = values[c] * factor + term;
    volatile T sink = 0;
    for (int c = 0; c < chains; ++c) sink = sink + values[c][0];
    return 2.0 * rounds * chains * (sizeof(V) / sizeof(T));
}

template <class T>
double gigaflops(int threads) {
    double done = 2.0 * rounds * chains * (64 / sizeof(T)) * threads;
    return done / seconds_of([&] { in_parallel(threads, [](int) { multiply_add<T>(); }); }) / 1e9;
}

}  // namespace

int main(int count, char** arguments) {
    int threads = count > 1 ? std::atoi(arguments[1]) : 1;
    auto allocate = [] {
        return std::unique_ptr<char, void (*)(void*)>(
            static_cast<char*>(std::aligned_alloc(64, bytes)), std::free);
    };
    auto from = allocate(), to = allocate();
    std::memset(from.get(), 1, bytes);
    std::memset(to.get(), 2, bytes);
    size_t part = bytes / static_cast<size_t>(threads) / 256 * 256;
    double copying = seconds_of([&] {
        in_parallel(threads, [&](int i) {
            copy_range(from.get() + part * static_cast<size_t>(i),
                       to.get() + part * static_cast<size_t>(i), part);
        });
    });
    volatile long long sink = 0;
    double reading = seconds_of([&] {
        in_parallel(threads, [&](int i) {
            long long sum = sum_range(from.get() + part * static_cast<size_t>(i), part);
            if (i == 0) sink = sum;
        });
    });
    double moved = static_cast<double>(part) * threads;
    std::printf("{\"copy\": %.2f, \"read\": %.2f, \"float32\": %.1f, \"float64\": %.1f}\n",
                2 * moved / copying / 1e9, moved / reading / 1e9, gigaflops<float>(threads),
                gigaflops<double>(threads));
}
