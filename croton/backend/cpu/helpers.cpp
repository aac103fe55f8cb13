#include "croton/backend/cpu/helpers.hpp"

#include <cmath>
#include <complex>
#include <cstring>
#include <limits>

namespace croton::cpu {

namespace {
// --- real functions
template <class T>
T sigmoid(T x) {
    if (x >= 0) return 1 / (1 + std::exp(-x));
    T e = std::exp(x);
    return e / (1 + e);
}
template <class T>
T softplus(T x) {
    return std::isnan(x) ? x : (x > 0 ? x : T(0)) + std::log1p(std::exp(-std::abs(x)));
}
template <class T>
T floor_mod(T x, T y) {
    T rest = std::fmod(x, y);
    if (rest != 0 && (rest < 0) != (y < 0)) rest += y;
    return rest == 0 ? std::copysign(T(0), y) : rest;
}
template <class T>
T floor_div(T x, T y) {
    if (y == 0 || std::isnan(x) || std::isnan(y) || std::isinf(x)) return std::floor(x / y);
    T rest = std::fmod(x, y), quotient = (x - rest) / y;
    if (rest != 0 && (rest < 0) != (y < 0)) quotient -= 1;
    if (quotient == 0) return std::copysign(T(0), x / y);
    T floored = std::floor(quotient);
    return quotient - floored > T(0.5) ? floored + 1 : floored;
}
uint64_t int_power(uint64_t base, uint64_t exponent) {
    uint64_t result = 1;
    for (; exponent != 0; exponent >>= 1, base *= base)
        if (exponent & 1) result *= base;
    return result;
}
int64_t signed_power(int64_t base, int64_t exponent) {
    if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent & 1 ? -1 : 1) : 0;
    return static_cast<int64_t>(
        int_power(static_cast<uint64_t>(base), static_cast<uint64_t>(exponent)));
}

// --- complex functions
template <class T>
using Complex = std::complex<T>;

template <class T, Complex<T> (*function)(const Complex<T>&)>
void unary(const T* x, T* out) {
    Complex<T> result = function({x[0], x[1]});
    out[0] = result.real();
    out[1] = result.imag();
}
template <class T>
void multiply(const T* x, T* out) {
    Complex<T> result = Complex<T>(x[0], x[1]) * Complex<T>(x[2], x[3]);
    out[0] = result.real();
    out[1] = result.imag();
}
template <class T>
void divide(const T* x, T* out) {
    Complex<T> result = Complex<T>(x[0], x[1]) / Complex<T>(x[2], x[3]);
    out[0] = result.real();
    out[1] = result.imag();
}
template <class T>
void power(const T* x, T* out) {
    Complex<T> result = std::pow(Complex<T>(x[0], x[1]), Complex<T>(x[2], x[3]));
    out[0] = result.real();
    out[1] = result.imag();
}

template <class F>
void* address(F* function) {
    return reinterpret_cast<void*>(function);
}

void add_real(std::vector<Helper>& table) {
    auto both = [&](std::string_view f32, std::string_view f64, float (*f)(float),
                    double (*d)(double)) {
        table.push_back({f32, address(f)});
        table.push_back({f64, address(d)});
    };
#define CROTON_UNARY(name, expression)                                                         \
    both(                                                                                      \
        "croton_call_" #name "_f32", "croton_call_" #name "_f64",                              \
        [](float x) -> float { return expression; }, [](double x) -> double { return expression; })
    CROTON_UNARY(exp, std::exp(x));
    CROTON_UNARY(exp2, std::exp2(x));
    CROTON_UNARY(expm1, std::expm1(x));
    CROTON_UNARY(log, std::log(x));
    CROTON_UNARY(log2, std::log2(x));
    CROTON_UNARY(log10, std::log10(x));
    CROTON_UNARY(log1p, std::log1p(x));
    CROTON_UNARY(sin, std::sin(x));
    CROTON_UNARY(cos, std::cos(x));
    CROTON_UNARY(tan, std::tan(x));
    CROTON_UNARY(asin, std::asin(x));
    CROTON_UNARY(acos, std::acos(x));
    CROTON_UNARY(atan, std::atan(x));
    CROTON_UNARY(sinh, std::sinh(x));
    CROTON_UNARY(cosh, std::cosh(x));
    CROTON_UNARY(tanh, std::tanh(x));
    CROTON_UNARY(asinh, std::asinh(x));
    CROTON_UNARY(acosh, std::acosh(x));
    CROTON_UNARY(atanh, std::atanh(x));
    CROTON_UNARY(sigmoid, sigmoid(x));
    CROTON_UNARY(softplus, softplus(x));
    CROTON_UNARY(erf, std::erf(x));
    CROTON_UNARY(erfc, std::erfc(x));
    CROTON_UNARY(cbrt, std::cbrt(x));
#undef CROTON_UNARY
    auto pair = [&](std::string_view f32, std::string_view f64, float (*f)(float, float),
                    double (*d)(double, double)) {
        table.push_back({f32, address(f)});
        table.push_back({f64, address(d)});
    };
#define CROTON_BINARY(name, expression)                                    \
    pair(                                                                  \
        "croton_call_" #name "_f32", "croton_call_" #name "_f64",          \
        [](float x, float y) -> float { return expression; },              \
        [](double x, double y) -> double { return expression; })
    CROTON_BINARY(pow, std::pow(x, y));
    CROTON_BINARY(atan2, std::atan2(x, y));
    CROTON_BINARY(hypot, std::hypot(x, y));
    CROTON_BINARY(fmod, std::fmod(x, y));
    CROTON_BINARY(floor_div, floor_div(x, y));
    CROTON_BINARY(floor_mod, floor_mod(x, y));
#undef CROTON_BINARY
    table.push_back({"croton_call_pow_i64", address(signed_power)});
    table.push_back({"croton_call_pow_u64", address(int_power)});
}

#define CROTON_COMPLEX_UNARY(name, suffix, T) \
    table.push_back({"croton_call_" #name suffix, address(unary<T, std::name<T>>)})
#define CROTON_COMPLEX(suffix, T)                                                     \
    CROTON_COMPLEX_UNARY(sqrt, suffix, T);                                            \
    CROTON_COMPLEX_UNARY(exp, suffix, T);                                             \
    CROTON_COMPLEX_UNARY(log, suffix, T);                                             \
    CROTON_COMPLEX_UNARY(sin, suffix, T);                                             \
    CROTON_COMPLEX_UNARY(cos, suffix, T);                                             \
    CROTON_COMPLEX_UNARY(tan, suffix, T);                                             \
    CROTON_COMPLEX_UNARY(sinh, suffix, T);                                            \
    CROTON_COMPLEX_UNARY(cosh, suffix, T);                                            \
    CROTON_COMPLEX_UNARY(tanh, suffix, T);                                            \
    table.push_back({"croton_call_mul" suffix, address(multiply<T>)});                \
    table.push_back({"croton_call_div" suffix, address(divide<T>)});                  \
    table.push_back({"croton_call_pow" suffix, address(power<T>)})

void add_complex(std::vector<Helper>& table) {
    CROTON_COMPLEX("_c64", float);
    CROTON_COMPLEX("_c128", double);
}

// What LLVM itself may call for on machines without the instruction.
void add_llvm(std::vector<Helper>& table) {
    table.push_back({"memcpy", address(std::memcpy)});
    table.push_back({"memmove", address(std::memmove)});
    table.push_back({"memset", address(std::memset)});
}
}  // namespace

void note_fault(kernel::Fault* fault, int64_t operand, int64_t axis, int64_t size,
                const int64_t* indices, const unsigned char* bad, int64_t lanes) {
    if (fault->operand >= 0) return;
    for (int64_t i = 0; i < lanes; ++i) {
        if (!bad[i]) continue;
        *fault = {static_cast<int>(operand), static_cast<int>(axis), indices[i], size};
        return;
    }
}

const std::vector<Helper>& helpers() {
    static const std::vector<Helper> table = [] {
        std::vector<Helper> made;
        add_real(made);
        add_complex(made);
        add_llvm(made);
        made.push_back({"croton_note_fault", address(note_fault)});
        return made;
    }();
    return table;
}

}  // namespace croton::cpu
