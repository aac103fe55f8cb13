#pragma once
// What the contract suite is made of: memory in every layout, problems (a kernel with operands),
// and the comparison of a back end's answer with the interpreter's.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <random>

#include "croton/base/settings.hpp"
#include "croton/kernel/kernel.hpp"
#include "croton/runtime/backend.hpp"
#include "croton/type/array.hpp"

namespace croton::contract {

using Random = std::mt19937_64;

inline int64_t below(Random& random, int64_t count) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(count));
}
inline bool chance(Random& random, int percent) { return below(random, 100) < percent; }

// ------------------------------------------------------------------------------------- targets

/// A back end and, for those that have several, the level it is held to.
struct Target {
    std::string backend, level;
    bool tailored = false;  ///< all launches have code of their own, as large and frequent ones do
    std::string text() const {
        return (level.empty() ? backend : backend + "_" + level) + (tailored ? "_tailored" : "");
    }
};
inline void PrintTo(const Target& target, std::ostream* out) { *out << target.text(); }

/// Every back end of this build at every level.
std::vector<Target> all_targets();

/// Compiles for a target. Device error if this machine cannot run that level.
std::shared_ptr<const runtime::KernelSet> compile(const Target& target,
                                                  std::span<const kernel::Kernel> kernels);

// -------------------------------------------------------------------------------------- memory

/// How the elements of an operand lie in memory.
struct Layout {
    SmallVector<int, 6> order = {};  ///< axes from the slowest to the fastest; empty: C order
    uint64_t reversed = 0;           ///< axes with negative strides
    uint64_t broadcast = 0;          ///< axes with stride 0
    int gap = 1;                     ///< every how manieth place is used along the fastest axis
    int offset = 0;                  ///< elements before the first one: alignment
    static Layout random(Random& random, int rank, bool may_broadcast);
};

/// Memory of one operand, surrounded and interspersed with bytes that nobody may write.
class Buffer {
  public:
    Buffer(DType dtype, const Sizes& sizes, const Layout& layout = {});

    DType dtype() const { return dtype_; }
    const Sizes& sizes() const { return sizes_; }
    const Sizes& strides() const { return strides_; }
    void* first() { return memory_.data() + first_; }

    /// Calls visit(bytes) for each element in C order.
    template <class Visit>
    void each(Visit visit) {
        visit_all(sizes_, visit);
    }
    /// The same without repetition: an axis of stride 0 is passed once, whatever its size.
    template <class Visit>
    void each_distinct(Visit visit) {
        visit_all(distinct_sizes(), visit);
    }
    Sizes distinct_sizes() const {
        Sizes sizes = sizes_;
        for (size_t axis = 0; axis < sizes.size(); ++axis)
            if (strides_[axis] == 0) sizes[axis] = 1;
        return sizes;
    }
    template <class T, class Make>
    void fill(Make make) {
        each([&](unsigned char* place) {
            T value = make();
            std::memcpy(place, &value, sizeof value);
        });
    }
    template <class T>
    void set(const std::vector<T>& values) {
        size_t n = 0;
        fill<T>([&] { return values.at(n++ % values.size()); });
    }
    /// Elements in C order, converted.
    template <class T>
    std::vector<T> values() {
        std::vector<T> result;
        visit_dtype(dtype_, [&](auto tag) {
            each([&](unsigned char* place) {
                decltype(tag) value;
                std::memcpy(&value, place, sizeof value);
                result.push_back(convert_number<T>(value));
            });
        });
        return result;
    }
    const std::vector<unsigned char>& bytes() const { return memory_; }
    /// Whether each byte belongs to an element.
    std::vector<bool> owned();

  private:
    template <class Visit>
    void visit_all(const Sizes& sizes, Visit visit) {
        const Sizes strides[] = {strides_};
        for_each_offset(sizes, strides, [&](std::span<const int64_t> at) {
            visit(memory_.data() + static_cast<int64_t>(first_) + at[0]);
        });
    }

    DType dtype_;
    Sizes sizes_, strides_;
    std::vector<unsigned char> memory_;
    size_t first_ = 0;
};

/// Any values of a dtype: edge cases, ordinary numbers, random bits.
void fill_any(Buffer& buffer, Random& random);
/// Numbers in [low, high] (whole ones for integers, both parts for complex).
void fill_between(Buffer& buffer, Random& random, double low, double high);

// ------------------------------------------------------------------------------------ problems

/// How far from the interpreter an output may lie: within `ulps` or within `absolute`.
struct Tolerance {
    double ulps = 0;
    double absolute = 0;
    bool zero_signs = false;  ///< 0.0 and -0.0 are told apart
    bool operator==(const Tolerance&) const = default;
};

/// A kernel of the batch with everything that a launch of it takes.
struct Problem {
    size_t kernel = 0;
    Sizes extents;
    std::vector<Buffer> operands;
    std::vector<std::pair<size_t, size_t>> shared = {};  ///< (in, out) in one memory
    std::vector<Tolerance> tolerances = {{}};  ///< by operand; the last one serves the rest
};

struct Batch {
    std::vector<kernel::Kernel> kernels;
    std::vector<Problem> problems;

    size_t add(kernel::Kernel kernel) {
        kernel::verify(kernel);
        kernels.push_back(std::move(kernel));
        return kernels.size() - 1;
    }
    size_t add(std::string_view text) { return add(kernel::parse(text)); }
    /// A problem whose operands have the kernel's sizes and the given layouts (C order for the
    /// rest), filled by fill_any. Tables take their sizes from `tables`, one by one.
    Problem& problem(size_t kernel, Sizes extents, Random& random, std::vector<Layout> layouts = {},
                     std::vector<Sizes> tables = {});
};

struct Outcome {
    std::vector<Buffer> operands;
    kernel::Fault fault;
};

using Runner = std::function<kernel::Fault(const kernel::Launch&, int64_t begin, int64_t end)>;

/// Runs a problem on copies of its operands, cut along axis 0 at the given places.
Outcome run(const kernel::Kernel& kernel, const Problem& problem, const Runner& runner,
            std::vector<int64_t> cuts = {});

/// A message for the first difference, or nothing.
std::optional<std::string> difference(const kernel::Kernel& kernel, const Problem& problem,
                                      Outcome& expected, Outcome& actual);

/// Compiles the batch for the target, runs every problem whole and (if the kernel can be split) in
/// random parts, and compares with the interpreter.
void check(const Target& target, const Batch& batch, Random& random);

/// The same, or a skipped test with its reason if this machine lacks the target's instructions.
#define check_or_skip(target, batch, random)                                            \
    do {                                                                                \
        if (auto reason = ::croton::contract::missing(target)) GTEST_SKIP() << *reason; \
        ::croton::contract::check(target, batch, random);                               \
    } while (false)
/// Why this machine cannot run a target; nothing if it can.
std::optional<std::string> missing(const Target& target);

/// Distance in units of the last place; 0 for two NaNs, infinite for one.
template <class T>
double ulps_apart(T a, T b) {
    if (std::isnan(a) || std::isnan(b))
        return std::isnan(a) && std::isnan(b) ? 0 : std::numeric_limits<double>::infinity();
    using Bits = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
    auto place = [](T x) {
        auto bits = int64_t{std::bit_cast<Bits>(x)};
        return bits < 0 ? std::numeric_limits<Bits>::min() - bits : bits;
    };
    int64_t p = place(a), q = place(b);
    // Whole numbers: at 2^62 a double would not tell neighbours apart.
    auto wide = [](int64_t n) { return static_cast<uint64_t>(n); };
    return static_cast<double>(p > q ? wide(p) - wide(q) : wide(q) - wide(p));
}

}  // namespace croton::contract
