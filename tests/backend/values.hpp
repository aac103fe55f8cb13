#pragma once
// Values that make opcodes fail: edges of each dtype and mixtures of random numbers.
#include "tests/backend/contract.hpp"

namespace croton::contract {

template <class T>
std::vector<T> edge_values() {
    using Limits = std::numeric_limits<T>;
    if constexpr (std::is_same_v<T, bool>) {
        return {false, true};
    } else if constexpr (detail::is_half_type<T>) {
        std::vector<T> result;
        for (float value : edge_values<float>()) result.push_back(T(value));
        return result;
    } else if constexpr (detail::is_complex_type<T>) {
        std::vector<T> result;
        using Part = typename T::value_type;
        const Part inf = std::numeric_limits<Part>::infinity();
        const Part parts[] = {0,         1,           -1,
                              Part(0.5), Part(-2.25), 30,
                              inf,       -inf,        std::numeric_limits<Part>::quiet_NaN()};
        for (Part real : parts)
            for (Part imag : parts) result.emplace_back(real, imag);
        return result;
    } else if constexpr (std::is_floating_point_v<T>) {
        std::vector<T> result = {0,
                                 1,
                                 2,
                                 3,
                                 T(0.1),
                                 T(0.5),
                                 T(1.5),
                                 T(2.5),
                                 T(0.999),
                                 10,
                                 100,
                                 T(1e-5),
                                 T(1e10),
                                 T(1.5707963267948966),
                                 T(3.141592653589793),
                                 T(0.75),
                                 T(6.5),
                                 Limits::min(),
                                 Limits::denorm_min(),
                                 Limits::max(),
                                 Limits::epsilon(),
                                 1 + Limits::epsilon(),
                                 T(88.5),
                                 T(709.5),
                                 T(8388609.5),
                                 T(4503599627370497.5),
                                 Limits::infinity()};
        for (size_t n = result.size(); n-- > 0;) result.push_back(-result[n]);
        result.push_back(Limits::quiet_NaN());
        return result;
    } else {
        std::vector<T> result = {0,
                                 1,
                                 2,
                                 3,
                                 5,
                                 7,
                                 8,
                                 10,
                                 31,
                                 32,
                                 33,
                                 63,
                                 64,
                                 100,
                                 Limits::max(),
                                 static_cast<T>(Limits::max() - 1),
                                 static_cast<T>(Limits::max() / 2),
                                 Limits::min(),
                                 static_cast<T>(Limits::min() + 1)};
        for (T small : {T(1), T(2), T(3), T(7), T(10)}) result.push_back(static_cast<T>(-small));
        return result;
    }
}

template <class T>
T random_value(Random& random) {
    if constexpr (std::is_same_v<T, bool>) {
        return random() % 2;
    } else if constexpr (detail::is_half_type<T>) {
        T result;
        result.bits = static_cast<uint16_t>(random());
        return result;
    } else if constexpr (detail::is_complex_type<T>) {
        std::uniform_real_distribution<double> uniform(-3, 3);
        double real = uniform(random), imag = uniform(random);
        return convert_number<T>(std::complex<double>(real, imag));
    } else if constexpr (std::is_floating_point_v<T>) {
        std::uniform_real_distribution<double> uniform(-2, 2);
        switch (random() % 5) {
            case 0: return static_cast<T>(uniform(random));
            case 1: return static_cast<T>(uniform(random) * 50);
            case 2: return static_cast<T>(below(random, 41) - 20);
            case 3: return static_cast<T>(std::exp(uniform(random) * 10));
            default:
                return std::bit_cast<T>(
                    static_cast<std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>(random()));
        }
    } else {
        if (random() % 2) return static_cast<T>(below(random, 41) - 20);
        return static_cast<T>(random() >> below(random, 64));
    }
}

/// Edges and random values in turn.
template <class T>
T any_value(Random& random) {
    static const std::vector<T> edges = edge_values<T>();
    if (random() % 3 == 0) return edges[static_cast<size_t>(below(random, std::ssize(edges)))];
    return random_value<T>(random);
}

}  // namespace croton::contract
