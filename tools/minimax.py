#!/usr/bin/env python3
"""Minimax polynomials for croton/backend/cpu/maths/coefficients.hpp.

Each row of `table()` names a function g(u), an interval, a weight w(u) and a degree for float32 and
for float64.  The tool finds the polynomial q that makes max |w (q - g)| least (Remez exchange on a
dense grid of Chebyshev points), rounds its first coefficient to the target format, fits the rest
again to what is left, and so on.  With w = (factor of q in the result) / (result), the largest
weighted error is the relative error that the polynomial adds to the function; it is printed in
bits beside each array.

    pip install mpmath gmpy2
    tools/minimax.py > croton/backend/cpu/maths/coefficients.hpp
    tools/minimax.py exp sin          # only these rows, to try degrees
"""
import struct
import sys

from mpmath import mp, mpf

mp.prec = 280


def grid(low, high, count):
    """Chebyshev points of [low, high], ends included, ascending."""
    middle, half = (low + high) / 2, (high - low) / 2
    return [middle - half * mp.cos(mp.pi * i / (count - 1)) for i in range(count)]


def horner(coefficients, u):
    value = mpf(0)
    for c in reversed(coefficients):
        value = value * u + c
    return value


def remez(points, values, weights, degree):
    """Polynomial of the given degree with least largest weighted error on the grid."""
    size, count = degree + 2, len(points)
    chosen = sorted({round((count - 1) * (1 - mp.cos(mp.pi * i / (size - 1))) / 2)
                     for i in range(size)})
    chosen = chosen if len(chosen) == size else [i * (count - 1) // (size - 1)
                                                 for i in range(size)]
    best = None
    for _ in range(40):
        matrix, right = mp.matrix(size, size), mp.matrix(size, 1)
        for row, k in enumerate(chosen):
            power = mpf(1)
            for column in range(degree + 1):
                matrix[row, column] = power
                power *= points[k]
            matrix[row, size - 1] = (-1) ** row / weights[k]
            right[row] = values[k]
        solution = mp.lu_solve(matrix, right)
        coefficients = [solution[i] for i in range(degree + 1)]
        errors = [w * (horner(coefficients, u) - v)
                  for u, v, w in zip(points, values, weights)]
        largest = max(abs(e) for e in errors)
        if best is None or largest < best[0]:
            best = (largest, coefficients)
        if largest <= abs(solution[size - 1]) * mpf("1.0005"):
            break
        chosen = exchange(errors, size)
        if chosen is None:
            break
    return best


def exchange(errors, size):
    """Alternating extrema of the error: the next reference set, or None where there are too few."""
    runs = []
    for i, e in enumerate(errors):
        if e == 0:
            continue
        if runs and (errors[runs[-1]] > 0) == (e > 0):
            if abs(e) > abs(errors[runs[-1]]):
                runs[-1] = i
        else:
            runs.append(i)
    while len(runs) > size:
        runs.pop(0 if abs(errors[runs[0]]) < abs(errors[runs[-1]]) else -1)
    return runs if len(runs) == size else None


def to_format(value, bits):
    """The nearest number with a significand of `bits` bits."""
    if value == 0:
        return mpf(0)
    exponent = int(mp.floor(mp.log(abs(value), 2))) - bits + 1
    return mpf(int(mp.nint(mp.ldexp(value, -exponent)))) * mpf(2) ** exponent


def fit(g, low, high, weight, degree, bits):
    """Coefficients rounded to `bits` one after another, and the error left, in bits."""
    count = 24 * (degree + 2)
    points = grid(mpf(low), mpf(high), count)
    wanted = [g(u) for u in points]
    weights = [weight(u) for u in points]
    values, shrinking, done = list(wanted), list(weights), []
    for k in range(degree + 1):
        _, coefficients = remez(points, values, shrinking, degree - k)
        done.append(to_format(coefficients[0], bits))
        values = [(v - done[-1]) / u for v, u in zip(values, points)]
        shrinking = [abs(w * u) for w, u in zip(shrinking, points)]
    # Where zero is inside the interval, fitting the rest again may fail: then round all at once.
    at_once = [to_format(c, bits) for c in remez(points, wanted, weights, degree)[1]]
    return min(((c, worst(c, points, wanted, weights)) for c in (done, at_once)),
               key=lambda pair: -pair[1])


def worst(coefficients, points, wanted, weights):
    """The largest weighted error of a polynomial on the grid, in bits."""
    largest = max(abs(w * (horner(coefficients, u) - v))
                  for u, v, w in zip(points, wanted, weights))
    return float(-mp.log(largest, 2))


def literal(value, bits):
    if bits == 24:
        return float.hex(struct.unpack("f", struct.pack("f", float(value)))[0]) + "f"
    return float.hex(float(value))


TINY = mpf(2) ** -20  # keeps the grid off removable singularities at zero
LN2 = mp.log(2)
DIGAMMA_ROOT = mp.findroot(lambda x: mp.psi(0, x), mpf("1.4616321449683623"))


def odd(f):
    """(f(t) / t - 1) / z as a function of z = t^2, for f(t) = t + t z q(z)."""
    return (lambda z: (f(mp.sqrt(z)) / mp.sqrt(z) - 1) / z,)


def odd_weight(f):
    return lambda z: z * mp.sqrt(z) / f(mp.sqrt(z))


def erfc_scaled(k):
    """exp(x^2) erfc(x) (1 + 2 x) as a function of (x - k) / (x + k)."""
    def of(t):
        x = k * (1 + t) / (1 - t)
        return mp.exp(x * x) * mp.erfc(x) * (1 + 2 * x)
    return of


def erfinv_ratio(w_of):
    """erfinv(x) / x where -log(1 - x^2) = w_of(t)."""
    def of(t):
        x = mp.sqrt(-mp.expm1(-w_of(t)))
        return mp.erfinv(x) / x if x else mp.sqrt(mp.pi) / 2
    return of


def stirling_rest(z):
    return mp.loggamma(z) - (z - 0.5) * (mp.log(z) - 1) - (mp.log(2 * mp.pi) - 1) / 2


def rows():
    """name: (meaning, g, low, high, weight, degree float32, degree float64); None leaves one out."""
    half = LN2 / 2 * mpf("1.01")
    em1 = lambda r: (mp.expm1(r) - r) / r**2
    root = mp.sqrt(2)
    atanh2 = lambda z: (2 * mp.atanh(mp.sqrt(z)) - 2 * mp.sqrt(z)) / mp.sqrt(z) / z
    s_max = ((root - 1) / (root + 1)) ** 2 * mpf("1.0001")
    half_pi2 = (mp.pi / 2) ** 2 * mpf("1.0001")
    return {
        "exp": ("exp(r) = 1 + r + r^2 q(r), |r| <= ln(2)/2", em1, -half + TINY / 3, half,
                lambda r: r**2 / mp.exp(r), 4, 9),
        "expm1": ("expm1(r) = r + r^2 q(r), |r| <= ln(2)/2", em1, -half + TINY / 3, half,
                  lambda r: abs(r**2 / mp.expm1(r)), 5, 10),
        "exp2": ("exp2(r) = 1 + r q(r), |r| <= 1/2", lambda r: (mpf(2) ** r - 1) / r,
                 mpf("-0.501") + TINY / 3, mpf("0.501"), lambda r: abs(r) / mpf(2) ** r, 5, 11),
        "log": ("log1p(f) = f + f^2 q(f), sqrt(1/2) <= 1 + f <= sqrt(2)",
                lambda f: (mp.log1p(f) - f) / f**2, 1 / root - 1, root - 1,
                lambda f: f**2 / abs(mp.log1p(f)), 8, None),
        "log_s": ("log1p(f) = 2 s + s z q(z), s = f / (2 + f), z = s^2, same interval", atanh2,
                  mpf(2) ** -30, s_max, lambda z: z * mp.sqrt(z) / (2 * mp.atanh(mp.sqrt(z))),
                  None, 6),
        "log_pow": ("log1p(f) = 2 s + 2/3 s^3 + s^5 q(z), as above",
                    lambda z: (atanh2(z) - mpf(2) / 3) / z, mpf(2) ** -30, s_max,
                    lambda z: z**2 * mp.sqrt(z) / (2 * mp.atanh(mp.sqrt(z))), None, 6),
        "log2_short": ("log2(1 + f) = s q(z), as above, for pow in float",
                       lambda z: 2 * mp.atanh(mp.sqrt(z)) / mp.sqrt(z) / LN2, mpf(2) ** -30, s_max,
                       lambda z: mp.sqrt(z) * LN2 / (2 * mp.atanh(mp.sqrt(z))), None, 4),
        "exp2_short": ("exp2(r) = q(r), |r| <= 1/2, for pow in float", lambda r: mpf(2) ** r,
                       mpf("-0.501") + TINY / 3, mpf("0.501"), lambda r: mpf(2) ** -r, None, 6),
        "cos": ("cos(r) = 1 - z/2 + z^2 q(z), z = r^2, |r| <= pi/4",
                lambda z: (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2, mpf(2) ** -20, half_pi2 / 4,
                lambda z: z**2 / mp.cos(mp.sqrt(z)), 2, 5),
        "sin": ("sin(r) = r + r z q(z), z = r^2, |r| <= pi/4",
                *odd(mp.sin), mpf(2) ** -20, half_pi2 / 4, odd_weight(mp.sin), 2, 5),
        "tan": ("tan(r) = r + r z q(z), z = r^2, |r| <= pi/4", *odd(mp.tan), mpf(2) ** -20,
                half_pi2 / 4, odd_weight(mp.tan), 5, None),
        "atan": ("atan(t) = t + t z q(z), z = t^2, |t| <= tan(pi/8)", *odd(mp.atan), mpf(2) ** -12,
                 mpf("0.1716"), odd_weight(mp.atan), 3, 10),
        "asin": ("asin(t) = t + t z q(z), z = t^2, |t| <= 1/2", *odd(mp.asin), mpf(2) ** -12,
                 mpf("0.2501"), odd_weight(mp.asin), 4, 12),
        "softplus_s": ("log1p(e) = 2 s + s z q(z), s = e / (2 + e), z = s^2, 0 <= e <= 1", atanh2,
                       mpf(2) ** -12, mpf(1) / 9,
                       lambda z: z * mp.sqrt(z) / (2 * mp.atanh(mp.sqrt(z))), 3, 9),
        "erf": ("erf(x) = x + x q(z), z = x^2, |x| <= 0.8",
                lambda z: mp.erf(mp.sqrt(z)) / mp.sqrt(z) - 1, mpf(2) ** -12, mpf("0.6401"),
                lambda z: mp.sqrt(z) / mp.erf(mp.sqrt(z)), 5, 10),
        "erf_tail": ("erf(a) = 1 - exp(q(a)), a >= 0.8", lambda a: mp.log(mp.erfc(a)), mpf("0.799"),
                     (mpf("3.95"), mpf("6.0")), lambda a: mp.erfc(a) / mp.erf(a), 7, 17),
        "erfc": ("erfc(x) = exp(-x^2) q((x - k) / (x + k)) / (1 + 2 x), x >= 1/2, k = 2 in float, 3 in double",
                 (erfc_scaled(2), erfc_scaled(3)), (mpf("-0.61"), mpf("-0.72")),
                 (mpf("0.67"), mpf("0.803")),
                 (lambda t: 1 / erfc_scaled(2)(t), lambda t: 1 / erfc_scaled(3)(t)), 9, 20),
        "erfinv_near": ("erfinv(x) = x q(w - 5/2), w = -log(1 - x^2) <= 5", erfinv_ratio(lambda t: t + 2.5),
                        mpf("-2.5"), mpf("2.501"), lambda t: 1 / erfinv_ratio(lambda t: t + 2.5)(t),
                        8, 22),
        "erfinv_far": ("erfinv(x) = x q(sqrt(w) - 3), 5 <= w, for double w <= 16",
                       erfinv_ratio(lambda t: (t + 3) ** 2), mpf("-0.765"),
                       (mpf("1.1"), mpf("1.0")),
                       lambda t: 1 / erfinv_ratio(lambda t: (t + 3) ** 2)(t), 8, 20),
        "erfinv_tail": ("erfinv(x) = x q(sqrt(w) - 5), 16 <= w", erfinv_ratio(lambda t: (t + 5) ** 2),
                        mpf("-1.0001"), mpf("1.01"),
                        lambda t: 1 / erfinv_ratio(lambda t: (t + 5) ** 2)(t), None, 17),
        "lgamma_near": ("log gamma(2 + u) = u q(u), |u| <= 1/2", lambda u: mp.loggamma(2 + u) / u,
                        mpf("-0.5") - TINY / 3, mpf("0.5"), lambda u: u / mp.loggamma(2 + u), 8, 18),
        "stirling": ("log gamma(z) = (z - 1/2) (log z - 1) + (log(2 pi) - 1) / 2 + q(1/z^2) / z, "
                     "z >= 17/2", lambda v: stirling_rest(1 / mp.sqrt(v)) / mp.sqrt(v), mpf(2) ** -12,
                     1 / mpf("72.2"), lambda v: mp.sqrt(v) / mp.loggamma(1 / mp.sqrt(v)), 1, 5),
        "digamma_near": ("digamma(x) = (x - root) q(x - 3/2), 1 <= x <= 2",
                         lambda t: mp.psi(0, t + mpf("1.5")) / (t + mpf("1.5") - DIGAMMA_ROOT),
                         mpf("-0.5") - TINY / 3, mpf("0.5"),
                         lambda t: (t + mpf("1.5") - DIGAMMA_ROOT) / mp.psi(0, t + mpf("1.5")), 8, 20),
        "digamma_far": ("digamma(z) = log(z) - 1/(2 z) - v q(v), v = 1/z^2, z >= 8",
                        lambda v: (mp.log(1 / mp.sqrt(v)) - mp.sqrt(v) / 2
                                   - mp.psi(0, 1 / mp.sqrt(v))) / v, mpf(2) ** -12, 1 / mpf("63.9"),
                        lambda v: v / mp.psi(0, 1 / mp.sqrt(v)), 1, 6),
    }


def constants():
    """Numbers cut in a head of few bits, whose product with a small integer is exact, and a rest."""
    log10_2 = mp.log(2, 10)
    return {  # name: (value, head bits float32, head bits float64); no head bits: only rounded
        "ln2": (LN2, 15, 41),
        "log10_2": (log10_2, 15, 41),
        "two_over_pi": (2 / mp.pi, None, None),
        "log2_e": (1 / LN2, None, None),
        "log2_e_minus_one": (1 / LN2 - 1, None, None),
        "log10_e": (1 / mp.log(10), None, None),
        "log10_e_minus_half": (1 / mp.log(10) - mpf("0.5"), None, None),
        "two_thirds": (mpf(2) / 3, 24, 53),
        "pi": (mp.pi, 24, 53),
        "pi_2": (mp.pi / 2, 24, 53),
        "three_quarters_pi": (3 * mp.pi / 4, 24, 53),
        "digamma_root": (DIGAMMA_ROOT, 24, 53),
        "stirling_constant": ((mp.log(2 * mp.pi) - 1) / 2, None, None),
        "log_pi": (mp.log(mp.pi), None, None),
        "pi_short": (mp.pi, 12, 21),
    }


def pi_2_parts():
    """pi/2 in parts of 33 bits, whose products with integers below 2^20 are exact, and a rest."""
    left, parts = mp.pi / 2, []
    for bits in (33, 33, 33, 53):
        parts.append(to_format(left, bits))
        left -= parts[-1]
    return parts


def print_constants(kind, bits, column):
    if kind == "double":
        parts = ", ".join(literal(part, 53) for part in pi_2_parts())
        print(f"    static constexpr double pi_2_parts[] = {{{parts}}};")
    for name, (value, *heads) in constants().items():
        if heads[column] is None:
            print(f"    static constexpr {kind} {name} = {literal(to_format(value, bits), bits)};")
            continue
        head = to_format(value, heads[column])
        rest = to_format(value - head, bits)
        print(f"    static constexpr {kind} {name}_head = {literal(head, bits)};")
        print(f"    static constexpr {kind} {name}_rest = {literal(rest, bits)};")


def print_turns():
    """Binary digits of 1 / (2 pi), by which angles of any size become turns."""
    mp.prec = 1400
    turn = 1 / (2 * mp.pi)
    short = int(mp.floor(mp.ldexp(turn, 7 * 32 - 24)))
    long = int(mp.floor(mp.ldexp(turn, 20 * 64 - 57)))
    mp.prec = 280
    print("// 1/(2 pi) after 24 zero bits, the most significant word first.\n"
          "inline constexpr uint32_t turn_words_32[] = {")
    for i in range(7):
        print(f"    0x{short >> (32 * (6 - i)) & 0xffffffff:08x},")
    print("};\n\n// 1/(2 pi) after 57 zero bits, likewise.\n"
          "inline constexpr uint64_t turn_words_64[] = {")
    for i in range(20):
        print(f"    0x{long >> (64 * (19 - i)) & 0xffffffffffffffff:016x},")
    print("};\n")


def main(names):
    table = rows()
    names = names or list(table)
    print("// Made by tools/minimax.py; do not edit. The bits after each array are -log2 of the largest\n"
          "// relative error that the polynomial adds to its function.\n#pragma once\n\n#include <cstdint>\n\n"
          "namespace croton::maths {\n\ntemplate <class T>\nstruct Coefficients;\n")
    for column, (kind, bits) in enumerate((("float", 24), ("double", 53))):
        print(f"template <>\nstruct Coefficients<{kind}> {{")
        print_constants(kind, bits, column)
        for name in names:
            meaning, g, low, high, weight, *degrees = table[name]
            if degrees[column] is None:
                continue
            g, low, high, weight = (part[column] if isinstance(part, tuple) else part
                                    for part in (g, low, high, weight))
            coefficients, left = fit(g, low, high, weight, degrees[column], bits)
            print(f"    // {meaning}: {left:.1f} bits\n    static constexpr {kind} {name}[] = {{")
            for c in coefficients:
                print(f"        {literal(c, bits)},")
            print("    };")
        print("};\n")
    print_turns()
    print("}  // namespace croton::maths")


if __name__ == "__main__":
    main(sys.argv[1:])
