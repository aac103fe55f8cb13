// Intervals packed into one block: nothing overlaps, and the block is little more than what lives.
#include <gtest/gtest.h>

#include <random>

#include "croton/runtime/workspace.hpp"

namespace croton::runtime {
namespace {

void expect_apart(const std::vector<Interval>& intervals, const Packing& packing) {
    for (size_t a = 0; a < intervals.size(); ++a) {
        ASSERT_EQ(packing.offsets[a] % 64, 0);
        ASSERT_LE(packing.offsets[a] + intervals[a].bytes, packing.bytes);
        for (size_t b = 0; b < a; ++b) {
            if (!intervals[a].meets(intervals[b])) continue;
            bool below = packing.offsets[a] + intervals[a].bytes <= packing.offsets[b];
            bool above = packing.offsets[b] + intervals[b].bytes <= packing.offsets[a];
            ASSERT_TRUE(below || above || intervals[a].bytes == 0 || intervals[b].bytes == 0)
                << a << " and " << b;
        }
    }
}

TEST(Workspace, OneAfterTheOtherShareTheirPlace) {
    std::vector<Interval> chain;
    for (size_t i = 0; i < 10; ++i) chain.push_back({i, i + 1, 640});
    Packing packing = pack_intervals(chain);
    expect_apart(chain, packing);
    EXPECT_EQ(packing.bytes, 1280);
    EXPECT_EQ(most_alive(chain), 1280);
}

TEST(Workspace, SmallOnesShareTheGapOfALargeOne) {
    std::vector<Interval> three = {{0, 1, 1000}, {2, 3, 500}, {2, 3, 500}, {0, 3, 64}};
    Packing packing = pack_intervals(three);
    expect_apart(three, packing);
    EXPECT_EQ(packing.bytes, 1024 + 64);
}

TEST(Workspace, OfNothingIsNothing) {
    EXPECT_EQ(pack_intervals({}).bytes, 0);
    EXPECT_EQ(most_alive({}), 0);
    std::vector<Interval> empty = {{0, 5, 0}, {1, 2, 0}};
    EXPECT_EQ(pack_intervals(empty).bytes, 0);
}

TEST(Workspace, RandomOnesStayApartAndClose) {
    std::mt19937 random(5);
    for (int round = 0; round < 50; ++round) {
        std::vector<Interval> intervals;
        for (int i = 0; i < 120; ++i) {
            size_t first = random() % 200;
            intervals.push_back({first, first + random() % 20,
                                 static_cast<int64_t>(1 + random() % (64 << random() % 12))});
        }
        Packing packing = pack_intervals(intervals);
        expect_apart(intervals, packing);
        EXPECT_GE(packing.bytes, most_alive(intervals));
        EXPECT_LE(static_cast<double>(packing.bytes),
                  1.25 * static_cast<double>(most_alive(intervals)));
    }
}

TEST(Workspace, WhatFindsNoRoomIsLeftOut) {
    std::vector<Interval> three = {{0, 1, 128}, {1, 2, 64}, {2, 3, 100}};
    Packing packing = pack_intervals(three, 128);
    EXPECT_EQ(packing.offsets, (std::vector<int64_t>{0, -1, 0}));
    EXPECT_EQ(packing.bytes, 128);
    EXPECT_EQ(pack_intervals(three, 192).offsets, (std::vector<int64_t>{0, 128, 0}));
    EXPECT_EQ(pack_intervals(three, 63).bytes, 0);
}

}  // namespace
}  // namespace croton::runtime
