// Blocks copied between all kinds of strides, at each level of instructions that this machine has,
// beside a loop over items. The memory ends where the first or the last item does.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <random>
#include <vector>

#include "croton/base/block_copy.hpp"
#include "croton/base/error.hpp"

namespace croton {
namespace {

constexpr int64_t page = 4096;

/// Bytes between two pages that nobody may touch, pushed against either.
class Fenced {
  public:
    Fenced(int64_t bytes, bool at_end) : bytes_(bytes) {
        int64_t room = (bytes + page - 1) / page * page;
        mapped_ = room + 2 * page;
        memory_ =
            static_cast<char*>(::mmap(nullptr, static_cast<size_t>(mapped_), PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        ::mprotect(memory_, page, PROT_NONE);
        ::mprotect(memory_ + page + room, page, PROT_NONE);
        first_ = memory_ + page + (at_end ? room - bytes : 0);
    }
    Fenced(const Fenced&) = delete;
    Fenced& operator=(const Fenced&) = delete;
    ~Fenced() { ::munmap(memory_, static_cast<size_t>(mapped_)); }
    char* first() { return first_; }
    int64_t bytes() const { return bytes_; }

  private:
    char *memory_, *first_;
    int64_t bytes_, mapped_;
};

/// Strides of rows times items, and where item (0, 0) lies in memory of `bytes`.
struct Side {
    Steps steps;
    int64_t origin = 0, bytes = 0;

    Side(int64_t rows, int64_t items, Steps given, int64_t size) : steps(given) {
        auto reach = [&](int64_t count, int64_t step) {
            int64_t span = (count - 1) * step;
            (span < 0 ? origin : bytes) += std::abs(span);
        };
        reach(rows, steps.row);
        reach(items, steps.item);
        bytes += origin + size;
    }
};

struct Case {
    int64_t rows, items;
    Steps to, from;
    int size;
};

void check(BlockCopier copier, const Case& c, bool at_end) {
    Side to(c.rows, c.items, c.to, c.size), from(c.rows, c.items, c.from, c.size);
    Fenced source(from.bytes, at_end), target(to.bytes, at_end);
    std::mt19937 random(7);
    for (int64_t i = 0; i < from.bytes; ++i) source.first()[i] = static_cast<char>(random());
    std::memset(target.first(), 0x55, static_cast<size_t>(to.bytes));
    std::vector<char> wanted(static_cast<size_t>(to.bytes), 0x55);
    for (int64_t i = 0; i < c.rows; ++i)
        for (int64_t j = 0; j < c.items; ++j)
            std::memcpy(wanted.data() + to.origin + i * c.to.row + j * c.to.item,
                        source.first() + from.origin + i * c.from.row + j * c.from.item,
                        static_cast<size_t>(c.size));
    copier({target.first() + to.origin, c.to, source.first() + from.origin, c.from, c.rows, c.items,
            c.size});
    EXPECT_EQ(std::memcmp(wanted.data(), target.first(), wanted.size()), 0)
        << c.rows << " x " << c.items << " items of " << c.size << ", from " << c.from.row << " "
        << c.from.item << " to " << c.to.row << " " << c.to.item;
}

class BlockCopies : public testing::TestWithParam<const char*> {
  protected:
    BlockCopier copier_ = block_copier(GetParam());
    void SetUp() override {
#if defined(__x86_64__)
        std::string_view level = GetParam();
        if (level == "avx512" && !__builtin_cpu_supports("avx512vl")) GTEST_SKIP() << "no AVX-512";
        if (level == "avx2" && !__builtin_cpu_supports("avx2")) GTEST_SKIP() << "no AVX2";
#endif
    }
    void both_ends(const Case& c) {
        check(copier_, c, false);
        check(copier_, c, true);
    }
};

constexpr int sizes[] = {1, 2, 4, 8, 16};
// Below a vector, one, some and a piece, for every width of vectors and items.
constexpr int64_t lengths[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100, 131, 200};

TEST_P(BlockCopies, StepsBothWays) {
    for (int size : sizes)
        for (int64_t step : {0, 1, 2, 3, 4, 5, 8, -1, -2, -3, -4, -5})
            for (int64_t items : lengths) {
                int64_t row = (std::abs(step) * items + 3) * size;
                both_ends({3, items, {items * size, size}, {row, step * size}, size});
                if (step != 0)
                    both_ends({2, items, {row, step * size}, {items * size, size}, size});
            }
}

TEST_P(BlockCopies, Transposes) {
    for (int size : sizes)
        for (int64_t rows : lengths)
            for (int64_t items : {1, 5, 16, 32, 63, 129}) {
                Steps along{items * size, size}, across{size, rows * size};
                both_ends({rows, items, along, across, size});
                both_ends({rows, items, across, along, size});
                both_ends(
                    {rows, items, {(items + 5) * size, size}, {size, (rows + 3) * size}, size});
                both_ends({rows, items, along, {size, -(rows + 1) * size}, size});
            }
}

TEST_P(BlockCopies, RowsAndAnything) {
    for (int size : sizes)
        for (int64_t items : lengths) {
            both_ends({5, items, {items * size, size}, {items * size, size}, size});
            both_ends({5, items, {(items + 1) * size, size}, {-(items + 2) * size, size}, size});
            both_ends({4, items, {3 * items * size, 3 * size}, {2 * items * size, 2 * size}, size});
            both_ends({4, items, {3 * size, 12 * size}, {2 * items * size, 2 * size}, size});
        }
}

TEST_P(BlockCopies, NothingAtAll) {
    for (int size : sizes) {
        copier_({nullptr, {0, size}, nullptr, {0, size}, 0, 5, size});
        copier_({nullptr, {size, 64}, nullptr, {size, 8}, 5, 0, size});
    }
}

INSTANTIATE_TEST_SUITE_P(Levels, BlockCopies, testing::Values("sse2", "avx2", "avx512", "native"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace croton
