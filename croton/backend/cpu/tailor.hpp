#pragma once
// Code of its own for launches of one kind that are large and come often: what general code leaves
// to tiles, or cannot know, is known when it is made.
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "croton/backend/cpu/jit.hpp"

namespace croton::cpu {

/// What tailored code takes for granted.
struct Fit {
    std::vector<int> apart;  ///< by stream: items from lane to lane; 1: what general code takes
    bool streaming =
        false;           ///< outputs lie in whole lines, row by row, and are stored past the caches
    bool heads = false;  ///< streaming, but rows begin within lines: what lies before is stored
                         ///< as usual
    bool whole_rows = false;  ///< all sections run row after row; `apart` is exact
    int by_products = 0;      ///< quotients: of eight vectors, how many take theirs from products
    bool operator==(const Fit&) const = default;
    bool any() const;
    std::string text() const;  ///< different ones have different texts
};

/// How many items apart lanes may be, of items as wide as the kernel's lanes.
constexpr int most_apart = 4;

/// The plan that such code is made from.
Plan tailored_plan(const Plan& plan, const Fit& fit);

/// The tailored code of one kernel. Thread-safe.
class Tailor {
  public:
    /// Makes code, or only takes what was made before (on disk): then it may have none.
    using Make = std::function<KernelCode(const Fit&, bool only_known)>;
    /// `least`: elements of a launch that may have code of its own (the setting tailor_from).
    Tailor(Make make, int64_t least) : make_(std::move(make)), least_(least) {}
    int64_t least() const { return least_; }
    /// Elements that launches of a kind have run before they get code: by default that took about
    /// as long as making it. From 1 on: none.
    int64_t enough() const { return 64 * (least_ - 1); }
    /// Code for a launch of so many elements that is about to run. Null until there have been
    /// enough (unless it was made before), while another thread makes it, and if it cannot be made.
    const KernelCode* find(const Fit& fit, int64_t elements);

  private:
    struct Entry {
        Fit fit;
        int64_t elements = 0;
        bool looked = false;  ///< for what was made before
        bool begun = false, made = false;
        KernelCode code;
    };
    Entry& entry_of(const Fit& fit);
    const KernelCode* make(Entry& entry, bool only_known);

    Make make_;
    int64_t least_;
    std::mutex mutex_;
    std::deque<Entry> entries_;
};

}  // namespace croton::cpu
