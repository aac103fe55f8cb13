#pragma once
// The one exception type of Croton and its closed set of kinds.
#include <stdexcept>
#include <string>
#include <string_view>

#include "croton/base/format.hpp"

namespace croton {

/// What went wrong, as a class a program can act on. Python maps each kind to one exception class.
enum class ErrorKind {
    Type,               ///< dtypes or ranks that do not fit
    Shape,              ///< sizes that do not fit
    Index,              ///< an index out of bounds
    Value,              ///< an argument whose value makes no sense
    Unsupported,        ///< understood, but not offered
    NotDifferentiable,  ///< a gradient that does not exist
    Compile,            ///< the compiler failed
    Device,             ///< a device or its driver failed
    Io,                 ///< files: missing, truncated, full disk
    Usage,              ///< the API was called wrongly (missing input, unused input, ...)
    Interrupted,        ///< the user asked to stop
    Internal,           ///< a mistake of Croton's own
};

/// Name of the kind as messages show it, e.g. "ShapeError".
std::string_view error_name(ErrorKind kind);

class Error : public std::runtime_error {
  public:
    Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
    ErrorKind kind() const { return kind_; }

  private:
    ErrorKind kind_;
};

/// Throws Error(kind, all parts concatenated).
template <class... Parts>
[[noreturn]] void fail(ErrorKind kind, const Parts&... parts) {
    throw Error(kind, cat(parts...));
}

/// For mistakes of our own only: no user input may reach it.
#define CROTON_ASSERT(condition)                                                   \
    do {                                                                           \
        if (!(condition))                                                          \
            ::croton::fail(::croton::ErrorKind::Internal, __FILE__, ":", __LINE__, \
                           ": assertion failed: ", #condition);                    \
    } while (false)

}  // namespace croton
