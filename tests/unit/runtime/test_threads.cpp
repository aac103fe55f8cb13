// Work shared between threads: every piece once, whoever takes it.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "croton/base/settings.hpp"
#include "croton/runtime/threads.hpp"
#include "tests/unit/runtime/support.hpp"

namespace croton::runtime {
namespace {

using Pieces = std::set<std::pair<int64_t, int64_t>>;

TEST(SharedWork, EveryPieceIsDoneOnce) {
    Threads threads("3");
    for (int64_t count : {0, 1, 2, 5, 100, 1001}) {
        std::vector<std::atomic<int>> done(static_cast<size_t>(count));
        parallel_for(count, 7, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) ++done[static_cast<size_t>(i)];
        });
        for (const auto& times : done) EXPECT_EQ(times, 1);
    }
}

TEST(SharedWork, ManyCallersAtOnceGetTheirOwn) {
    Threads threads("3");
    std::atomic<int64_t> wrong = 0;
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 6; ++caller)
        callers.emplace_back([&] {
            for (int round = 0; round < 500; ++round) {
                std::atomic<int64_t> sum = 0;
                parallel_for(100, 10, [&](int64_t begin, int64_t end) {
                    for (int64_t i = begin; i < end; ++i) sum += i;
                });
                if (sum != 4950) ++wrong;
            }
        });
    for (auto& caller : callers) caller.join();
    EXPECT_EQ(wrong, 0);
}

TEST(SharedWork, ThreadsHaveEqualParts) {
    Threads threads("2");
    for (int64_t count : {74, 81, 1001}) {
        Pieces pieces;
        std::mutex mutex;
        parallel_for(count, 10, [&](int64_t begin, int64_t end) {
            std::lock_guard lock(mutex);
            pieces.emplace(begin, end);
        });
        EXPECT_EQ(pieces.size() % 2, 0U) << count;
        int64_t half = std::next(pieces.begin(), static_cast<int64_t>(pieces.size() / 2))->first;
        EXPECT_LE(std::abs(count - 2 * half), 1) << count;
        for (auto [begin, end] : pieces) EXPECT_GE(end - begin, 10) << count;
    }
}

// A worker begins where it began the time before: what lies there is in its caches.
TEST(SharedWork, AThreadBeginsAtItsPart) {
    Threads threads("2");
    const auto caller = std::this_thread::get_id();
    for (int round = 0; round < 20; ++round) {
        std::atomic<int64_t> callers = -1, workers = -1;
        parallel_for(8, 1, [&](int64_t begin, int64_t) {
            auto& first = std::this_thread::get_id() == caller ? callers : workers;
            int64_t none = -1;
            first.compare_exchange_strong(none, begin);
            std::this_thread::sleep_for(std::chrono::microseconds(300));
        });
        EXPECT_EQ(callers, 0);
        // Where the caller was through with its own part first, it took pieces of the other.
        if (workers >= 0) {
            EXPECT_GE(workers, 4);
        }
    }
}

// What ran: the pieces, and whether a worker took one, which then took `stall`.
std::pair<Pieces, bool> run(std::chrono::milliseconds stall) {
    Pieces pieces;
    bool helped = false;
    std::mutex mutex;
    const auto caller = std::this_thread::get_id();
    parallel_for(80, 10, [&](int64_t begin, int64_t end) {
        const bool mine = std::this_thread::get_id() == caller;
        {
            std::lock_guard lock(mutex);
            pieces.emplace(begin, end);
            helped |= !mine;
        }
        std::this_thread::sleep_for(mine ? std::chrono::milliseconds(1) : stall);
    });
    return {pieces, helped};
}

// Waits for a call that a worker took part in, for some seconds at most.
Pieces run_with_help(std::chrono::milliseconds stall) {
    for (int tries = 0; tries < 300; ++tries) {
        auto [pieces, helped] = run(stall);
        if (helped) return pieces;
    }
    ADD_FAILURE() << "no worker ever came";
    return {};
}

TEST(SharedWork, WhatAPieceThrowsReachesTheCaller) {
    Threads four("4");
    for (int64_t bad : {0, 57, 99}) {
        std::atomic<int> running{0};
        auto body = [&](int64_t begin, int64_t end) {
            ++running;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            --running;
            if (begin <= bad && bad < end) throw std::runtime_error("piece");
        };
        EXPECT_THROW(parallel_for(100, 1, body), std::runtime_error);
        EXPECT_EQ(running, 0);  // nobody still uses what the caller may now destroy
        std::atomic<int64_t> done{0};
        parallel_for(100, 1, [&](int64_t begin, int64_t end) { done += end - begin; });
        EXPECT_EQ(done, 100);
    }
}

TEST(SharedWork, RousedWorkersLookForWork) {
    Threads threads("2");
    bool awake = false;
    for (int tries = 0; tries < 2000 && !awake; ++tries) {
        rouse_workers();
        const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
        while (!awake && std::chrono::steady_clock::now() < end) {
            std::this_thread::yield();  // where there is one core for both
            awake = worker_awake();
        }
    }
    std::atomic<int64_t> sum = 0;  // and do it
    parallel_for(100, 10, [&](int64_t begin, int64_t end) { sum += end - begin; });
    EXPECT_EQ(sum, 100);
    {
        Threads alone("1");
        rouse_workers();
        EXPECT_FALSE(worker_awake());
    }
    if (!awake) GTEST_SKIP() << "no worker was seen in the 50 us it looks: the machine is busy";
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_FALSE(worker_awake());  // it sleeps again
}

TEST(SharedWork, WorkersThatStallAreLeftAloneForAWhile) {
    Threads threads("2");
    Pieces pieces;
    bool helped = true;
    for (int tries = 0; tries < 10 && helped; ++tries) {  // this thread may lose its core, too
        pieces = run_with_help(std::chrono::milliseconds(60));
        EXPECT_EQ(pieces.size(), 8U);
        auto alone = run(std::chrono::milliseconds(60));
        EXPECT_EQ(alone.first, pieces);
        helped = alone.second;
    }
    EXPECT_FALSE(helped);
    EXPECT_EQ(run_with_help(std::chrono::milliseconds(1)), pieces);  // and are asked again
}

}  // namespace
}  // namespace croton::runtime
