#pragma once
// Operands of products that are the same in every call, kept packed.
#include <memory>
#include <mutex>
#include <vector>

#include "croton/runtime/blas.hpp"
#include "croton/runtime/program.hpp"

namespace croton::runtime {

/// Those of one program, for all of its frames and threads. An operand is packed when it is read
/// for the second time as it is.
class Packs {
  public:
    /// An operand as a product reads it. `version` stands for the elements: those of its memory do
    /// not change as long as it stays.
    struct Wanted {
        Id operand;
        bool left;
        uint64_t version;
        const TensorRef& now;
    };
    /// Null: it is not there, or was read as it is for the first time. Packs it only if that pays.
    std::shared_ptr<const PackedOperand> find(const Wanted& wanted, bool pays);
    /// Drops all but what is as it was in every call (version_of_constants).
    void forget_arguments();
    void forget();
    int64_t bytes() const;

    static constexpr uint64_t version_of_constants = 1;

  private:
    struct Entry {
        Id operand;
        bool left;
        uint64_t version;
        TensorRef seen;
        std::shared_ptr<const PackedOperand> packed = nullptr;
        bool shows(const Wanted& wanted) const;
    };
    mutable std::mutex mutex_;
    std::vector<Entry> entries_;
};

}  // namespace croton::runtime
