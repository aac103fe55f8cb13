#pragma once
// Memory of the caller's that results of one call are left in. Private to croton/api.
#include "croton/api/function_state.hpp"

namespace croton::parts {

class Destinations {
  public:
    /// Usage error for more of them than the plan has outputs, or where two elements share memory;
    /// Type error for another dtype or rank than the output's. Where arguments lie in that memory,
    /// results wait. `into` is looked at until deliver().
    Destinations(std::span<const std::optional<Array>> into, const Plan& plan,
                 std::span<const Array> arguments);

    /// Results are computed elsewhere and copied by deliver().
    void wait() { waits_ = true; }
    bool waits() const { return waits_; }
    /// As Permissions::into: none if results wait.
    std::span<const TensorRef> refs() const {
        return waits_ ? std::span<const TensorRef>() : refs_;
    }
    /// Puts the caller's arrays in the place of results, with their elements if these have waited.
    /// Shape error, with nothing written, if one of those has another shape.
    void deliver(std::vector<Array>& results) const;

  private:
    void check_apart() const;

    std::span<const std::optional<Array>> into_;
    std::vector<TensorRef> refs_;
    bool waits_ = false;
};

}  // namespace croton::parts
