#include "croton/base/error.hpp"

namespace croton {

std::string_view error_name(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::Type: return "TypeError";
        case ErrorKind::Shape: return "ShapeError";
        case ErrorKind::Index: return "IndexError";
        case ErrorKind::Value: return "ValueError";
        case ErrorKind::Unsupported: return "UnsupportedError";
        case ErrorKind::NotDifferentiable: return "NotDifferentiableError";
        case ErrorKind::Compile: return "CompileError";
        case ErrorKind::Device: return "DeviceError";
        case ErrorKind::Io: return "IoError";
        case ErrorKind::Usage: return "UsageError";
        case ErrorKind::Interrupted: return "Interrupted";
        case ErrorKind::Internal: return "InternalError";
    }
    return "Error";
}

}  // namespace croton
