#pragma once
// Code that is made by whoever first has use for it.
#include <atomic>
#include <functional>
#include <mutex>

#include "croton/backend/cpu/jit.hpp"

namespace croton::cpu {

/// Thread-safe.
class LateCode {
  public:
    using Make = std::function<SectionCodes()>;
    explicit LateCode(Make make) : make_(std::move(make)) {}
    /// Gives it code that is there already. Before any other thread knows of it.
    void set(SectionCodes code);
    /// The code, made now if need be. Compile error if that fails: the next one tries again.
    const SectionCodes& get();

  private:
    Make make_;
    std::mutex mutex_;
    std::atomic<bool> made_{false};
    SectionCodes code_;
};

}  // namespace croton::cpu
