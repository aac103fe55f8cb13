// The list of back ends. Nobody else includes their headers.
#include "croton/backend/cpu/cpu.hpp"
#include "croton/backend/interp/interp.hpp"
#include "croton/runtime/backend.hpp"

namespace croton::runtime {

void register_builtin_backends() {
    register_backend(::croton::interp::make_interp_backend());
    register_backend(::croton::cpu::make_cpu_backend());
}

}  // namespace croton::runtime
