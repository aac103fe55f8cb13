#include "croton/backend/cpu/helpers.hpp"

#include <cstring>

#include "croton/kernel/scalar.hpp"

namespace croton::cpu {

namespace {
namespace scalar = kernel::scalar;

template <class F>
void* address(F* function) {
    return reinterpret_cast<void*>(function);
}

// Complex numbers go through memory: how C++ passes them is no business of generated code.
template <class T, class F>
void through_memory(const T* x, T* out, F function) {
    std::complex<T> result;
    if constexpr (std::is_invocable_v<F, std::complex<T>, std::complex<T>>)
        result = function(std::complex<T>(x[0], x[1]), std::complex<T>(x[2], x[3]));
    else
        result = function(std::complex<T>(x[0], x[1]));
    out[0] = result.real();
    out[1] = result.imag();
}

// The interpreter's own definitions serve here too: there is one meaning of each opcode.
#define CROTON_HELPER_AS(name, suffix, T, ...) \
    {"croton_call_" #name suffix, address<T(__VA_ARGS__)>(scalar::name<T>)}
#define CROTON_UNARY(name) \
    CROTON_HELPER_AS(name, "_f32", float, float), CROTON_HELPER_AS(name, "_f64", double, double)
#define CROTON_BINARY(name)                              \
    CROTON_HELPER_AS(name, "_f32", float, float, float), \
        CROTON_HELPER_AS(name, "_f64", double, double, double)
#define CROTON_COMPLEX_AS(name, suffix, T)                                             \
    {"croton_call_" #name suffix, address<void(const T*, T*)>([](const T* x, T* out) { \
         through_memory(x, out, [](auto... z) -> decltype(scalar::name(z...)) {        \
             return scalar::name(z...);                                                \
         });                                                                           \
     })}
#define CROTON_COMPLEX(name) \
    CROTON_COMPLEX_AS(name, "_c64", float), CROTON_COMPLEX_AS(name, "_c128", double)
}  // namespace

void note_fault(kernel::Fault* fault, int64_t operand, int64_t axis, int64_t size,
                const int64_t* indices, const unsigned char* bad, int64_t lanes) {
    if (fault->operand >= 0) return;
    for (int64_t i = 0; i < lanes; ++i) {
        if (!bad[i] || indices[i] == kernel::nowhere) continue;
        *fault = {static_cast<int>(operand), static_cast<int>(axis), indices[i], size};
        return;
    }
}

bool ask_to_stop(kernel::Stop* stop, kernel::Fault* fault) {
    if (stop && stop->asked()) fault->stopped = true;
    return fault->stopped;
}

const std::vector<Helper>& helpers() {
    static const std::vector<Helper> table = {
        CROTON_UNARY(exp),
        CROTON_UNARY(exp2),
        CROTON_UNARY(expm1),
        CROTON_UNARY(log),
        CROTON_UNARY(log2),
        CROTON_UNARY(log10),
        CROTON_UNARY(log1p),
        CROTON_UNARY(sin),
        CROTON_UNARY(cos),
        CROTON_UNARY(tan),
        CROTON_UNARY(asin),
        CROTON_UNARY(acos),
        CROTON_UNARY(atan),
        CROTON_UNARY(sinh),
        CROTON_UNARY(cosh),
        CROTON_UNARY(tanh),
        CROTON_UNARY(asinh),
        CROTON_UNARY(acosh),
        CROTON_UNARY(atanh),
        CROTON_UNARY(sigmoid),
        CROTON_UNARY(softplus),
        CROTON_UNARY(erf),
        CROTON_UNARY(erfc),
        CROTON_UNARY(cbrt),
        CROTON_BINARY(pow),
        CROTON_BINARY(atan2),
        CROTON_BINARY(hypot),
        CROTON_BINARY(fmod),
        CROTON_BINARY(floor_div),
        CROTON_BINARY(floor_mod),
        CROTON_HELPER_AS(pow, "_i64", int64_t, int64_t, int64_t),
        CROTON_HELPER_AS(pow, "_u64", uint64_t, uint64_t, uint64_t),
        CROTON_COMPLEX(div),
        CROTON_COMPLEX(pow),
        CROTON_COMPLEX(sqrt),
        CROTON_COMPLEX(exp),
        CROTON_COMPLEX(log),
        CROTON_COMPLEX(sin),
        CROTON_COMPLEX(cos),
        CROTON_COMPLEX(tan),
        CROTON_COMPLEX(sinh),
        CROTON_COMPLEX(cosh),
        CROTON_COMPLEX(tanh),
        {"croton_note_fault", address(note_fault)},
        {"croton_ask_to_stop", address(ask_to_stop)},
        // What LLVM itself calls for copying large values.
        {"memcpy", address(std::memcpy)},
        {"memmove", address(std::memmove)},
        {"memset", address(std::memset)},
    };
    return table;
}

}  // namespace croton::cpu
