#include "tests/backend/random_kernel.hpp"

#include <array>

#include "tests/backend/values.hpp"

namespace croton::contract {

using kernel::Builder;
using kernel::Combine;
using kernel::OpCode;
using kernel::Scalar;
using kernel::SectionKind;
using kernel::Typing;

namespace {

double unit(DType dtype) {
    switch (dtype) {
        case DType::Float16: return 1e-3;
        case DType::BFloat16: return 8e-3;
        case DType::Float32:
        case DType::Complex64: return 1.2e-7;
        default: return 2.3e-16;
    }
}
double largest_whole(DType dtype) { return dtype == DType::Float32 ? 1 << 24 : 9e15; }

Known range_of_integers(DType dtype) {
    if (is_bool(dtype)) return {0, 1, 0, true};
    double width = std::ldexp(1.0, 8 * dtype_size(dtype));
    return is_unsigned(dtype) ? Known{0, width - 1, 0, true}
                              : Known{-width / 2, width / 2 - 1, 0, true};
}

// Corners of a function of two intervals that is monotone in each argument.
template <class F>
Known corners(const Known& x, const Known& y, F f) {
    const double values[] = {f(x.low, y.low), f(x.low, y.high), f(x.high, y.low),
                             f(x.high, y.high)};
    return {*std::min_element(values, values + 4), *std::max_element(values, values + 4)};
}

// A function with its domain and a bound of its slope there.
struct Smooth {
    OpCode op;
    double low, high, slope;
    double (*f)(double);
};
#define CROTON_SMOOTH(name, low, high, slope) \
    {OpCode::name##_, low, high, slope, [](double x) { return std::name(x); }}
const Smooth smooth_functions[] = {
    CROTON_SMOOTH(sqrt, 0.1, 1e9, 1.6),
    CROTON_SMOOTH(exp, -1e3, 6, 410),
    CROTON_SMOOTH(exp2, -1e3, 8, 180),
    CROTON_SMOOTH(expm1, -1e3, 6, 410),
    CROTON_SMOOTH(log, 0.1, 1e9, 10),
    CROTON_SMOOTH(log2, 0.1, 1e9, 15),
    CROTON_SMOOTH(log10, 0.1, 1e9, 5),
    CROTON_SMOOTH(log1p, -0.9, 1e9, 10),
    CROTON_SMOOTH(tan, -1.2, 1.2, 7.7),
    CROTON_SMOOTH(asin, -0.9, 0.9, 2.3),
    CROTON_SMOOTH(acos, -0.9, 0.9, 2.3),
    CROTON_SMOOTH(atan, -1e9, 1e9, 1),
    CROTON_SMOOTH(sinh, -5, 5, 75),
    CROTON_SMOOTH(tanh, -1e9, 1e9, 1),
    CROTON_SMOOTH(asinh, -1e9, 1e9, 1),
    CROTON_SMOOTH(acosh, 1.5, 1e9, 1),
    CROTON_SMOOTH(atanh, -0.9, 0.9, 5.3),
    CROTON_SMOOTH(erf, -1e9, 1e9, 1.2),
    CROTON_SMOOTH(erfc, -1e9, 1e9, 1.2),
    CROTON_SMOOTH(cbrt, 0.1, 1e9, 1.6),
    {OpCode::sigmoid_, -1e9, 1e9, 0.25, [](double x) { return 1 / (1 + std::exp(-x)); }},
    {OpCode::softplus_, -1e9, 500, 1, [](double x) { return std::log1p(std::exp(x)); }},
};
#undef CROTON_SMOOTH

std::optional<Known> transfer_smooth(OpCode op, DType dtype, const Known& x) {
    double eps = 8 * unit(dtype);
    if (op == OpCode::sin_ || op == OpCode::cos_) {
        if (x.most() > 1e4) return {};
        return Known{-1, 1, x.error + eps};
    }
    if (op == OpCode::cosh_) {
        if (x.most() > 5) return {};
        return Known{1, std::cosh(x.most()), 75 * x.error + 75 * eps};
    }
    for (const auto& s : smooth_functions) {
        if (s.op != op) continue;
        if (x.low - x.error < s.low || x.high + x.error > s.high) return {};
        double a = s.f(x.low), b = s.f(x.high);
        double most = std::max({std::abs(a), std::abs(b), 1e-3});
        return Known{std::min(a, b), std::max(a, b), s.slope * x.error + eps * most};
    }
    return {};
}

std::optional<Known> transfer_float(OpCode op, DType dtype, std::span<const Known> args) {
    const Known& x = args[0];
    const Known& y = args[args.size() > 1 ? 1 : 0];
    bool exact = x.exact() && y.exact(), whole = x.whole && y.whole;
    double eps = 2 * unit(dtype);
    // A result of `range` whose arguments' errors add up to `error`, rounded once if not whole.
    auto rounded = [&](Known range, double error, bool stays_whole) {
        range.whole = stays_whole && error == 0 && range.most() <= largest_whole(dtype);
        range.error = range.whole ? 0 : error + eps * range.most();
        return range;
    };
    switch (op) {
        case OpCode::add_:
            return rounded({x.low + y.low, x.high + y.high}, x.error + y.error, whole);
        case OpCode::sub_:
            return rounded({x.low - y.high, x.high - y.low}, x.error + y.error, whole);
        case OpCode::mul_:
            return rounded(corners(x, y, [](double a, double b) { return a * b; }),
                           x.most() * y.error + y.most() * x.error + x.error * y.error, whole);
        case OpCode::div_: {
            if (!y.avoids_zero()) return {};
            double least = std::min(std::abs(y.low), std::abs(y.high)) - y.error;
            return rounded(corners(x, y, [](double a, double b) { return a / b; }),
                           (x.error + x.most() / least * y.error) / least, false);
        }
        case OpCode::floor_mod_:
        case OpCode::fmod_:
            if (!exact || !y.avoids_zero()) return {};
            return rounded({-y.most(), y.most()}, 0, whole);
        case OpCode::floor_div_:
            if (!whole || !y.avoids_zero()) return {};
            return rounded({-x.most() - 1, x.most() + 1}, 0, true);
        case OpCode::neg_: return Known{-x.high, -x.low, x.error, x.whole};
        case OpCode::abs_: return Known{0, x.most(), x.error, x.whole};
        case OpCode::sign_:
            if (!exact && !x.avoids_zero()) return {};
            return Known{-1, 1, 0, true};
        case OpCode::minimum_:
            return Known{std::min(x.low, y.low), std::min(x.high, y.high),
                         std::max(x.error, y.error), whole};
        case OpCode::maximum_:
            return Known{std::max(x.low, y.low), std::max(x.high, y.high),
                         std::max(x.error, y.error), whole};
        case OpCode::pow_: {
            if (x.low < 0.2 || x.high > 5 || y.most() > 4) return {};
            Known range = corners(x, y, [](double a, double b) { return std::pow(a, b); });
            range.low = std::min(range.low, 1.0);
            range.high = std::max(range.high, 1.0);
            double error = range.most() * (4 / 0.2 * x.error + 1.7 * y.error);
            return rounded(range, 2 * error + 8 * unit(dtype) * range.most(), false);
        }
        case OpCode::floor_:
        case OpCode::ceil_:
        case OpCode::trunc_:
        case OpCode::rint_:
            if (!exact) return {};
            return rounded({x.low - 1, x.high + 1}, 0, true);
        case OpCode::atan2_:
            if (y.low - y.error < 0.1) return {};
            return Known{-1.6, 1.6, 10 * (x.error + y.error) + 16 * unit(dtype)};
        case OpCode::hypot_:
            return Known{0, x.most() + y.most(),
                         x.error + y.error + 8 * unit(dtype) * (x.most() + y.most())};
        case OpCode::copysign_:
            if (!y.avoids_zero()) return {};
            return Known{-x.most(), x.most(), x.error, x.whole};
        case OpCode::lt_:
        case OpCode::le_:
        case OpCode::gt_:
        case OpCode::ge_:
        case OpCode::eq_:
        case OpCode::ne_:
            if (!exact) return {};
            return Known{0, 1, 0, true};
        case OpCode::isnan_:
        case OpCode::isinf_: return Known{0, 1, 0, true};
        case OpCode::signbit_:
            if (!x.avoids_zero()) return {};
            return Known{0, 1, 0, true};
        case OpCode::complex_: {
            double most = std::max(x.most(), y.most());
            return Known{-most, most, x.error + y.error};
        }
        default: return transfer_smooth(op, dtype, x);
    }
}

std::optional<Known> transfer_complex(OpCode op, DType dtype, std::span<const Known> args) {
    const Known& x = args[0];
    const Known& y = args[args.size() > 1 ? 1 : 0];
    double eps = 4 * unit(dtype);
    auto within = [&](double most, double error) { return Known{-most, most, error + eps * most}; };
    switch (op) {
        case OpCode::add_:
        case OpCode::sub_: return within(x.most() + y.most(), x.error + y.error);
        case OpCode::mul_:
            return within(2 * x.most() * y.most(),
                          2 * (x.most() * y.error + y.most() * x.error + x.error * y.error));
        case OpCode::neg_:
        case OpCode::conj_:
        case OpCode::real_:
        case OpCode::imag_: return Known{-x.most(), x.most(), x.error};
        case OpCode::abs_: return Known{0, 1.5 * x.most(), 1.5 * x.error + 4 * eps * x.most()};
        case OpCode::exp_:
            if (x.most() > 4) return {};
            return within(55, 80 * x.error + 55 * eps);
        case OpCode::sin_:
        case OpCode::cos_:
        case OpCode::sinh_:
        case OpCode::cosh_:
            if (x.most() > 4) return {};
            return within(28, 56 * x.error + 28 * eps);
        case OpCode::eq_:
        case OpCode::ne_:
            if (!x.exact() || !y.exact()) return {};
            return Known{0, 1, 0, true};
        default: return {};
    }
}

std::optional<Known> transfer_integer(OpCode op, DType dtype, std::span<const Known> args) {
    if (kernel::info(op).typing == Typing::boolean) return Known{0, 1, 0, true};
    Known range = range_of_integers(dtype), result = range;
    const Known& x = args[0];
    const Known& y = args[args.size() > 1 ? 1 : 0];
    auto times = [](double a, double b) { return a * b; };
    if (op == OpCode::add_) result = {x.low + y.low, x.high + y.high, 0, true};
    if (op == OpCode::sub_) result = {x.low - y.high, x.high - y.low, 0, true};
    if (op == OpCode::mul_) result = corners(x, y, times);
    if (op == OpCode::minimum_ || op == OpCode::maximum_)
        result = {std::min(x.low, y.low), std::max(x.high, y.high), 0, true};
    if (result.low < range.low || result.high > range.high) return range;  // it wraps
    result.whole = true;
    return result;
}

}  // namespace

std::optional<Known> transfer(OpCode op, DType dtype, std::span<const Known> x) {
    std::optional<Known> result;
    if (op == OpCode::select_)
        result = Known{std::min(x[1].low, x[2].low), std::max(x[1].high, x[2].high),
                       std::max(x[1].error, x[2].error), x[1].whole && x[2].whole};
    else if (is_complex(dtype))
        result = transfer_complex(op, dtype, x);
    else if (is_floating(dtype))
        result = transfer_float(op, dtype, x);
    else
        result = transfer_integer(op, dtype, x);
    if (!result || is_integer(dtype) || is_bool(dtype)) return result;
    // Beyond these limits a test says little.
    if (result->most() > 1e6 || result->error > 1e-3 * std::max(1.0, result->most())) return {};
    return result;
}

namespace {

constexpr DType value_dtypes[] = {
    DType::Bool,    DType::Int8,      DType::Int16,     DType::Int32,   DType::Int64,
    DType::UInt8,   DType::UInt16,    DType::UInt32,    DType::UInt64,  DType::Float32,
    DType::Float32, DType::Float32,   DType::Float32,   DType::Float64, DType::Float64,
    DType::Float64, DType::Complex64, DType::Complex128};

class Generator {
  public:
    Generator(Batch& batch, Random& random)
        : batch_(batch),
          random_(random),
          rank_(static_cast<int>(below(random, 5))),
          outer_(static_cast<int>(below(random, rank_ + 1))),
          builder_("random", rank_, outer_) {
        for (int axis = 0; axis < rank_; ++axis) {
            int64_t size = chance(random_, 4) ? 0 : 1 + below(random_, axis < outer_ ? 6 : 20);
            if (chance(random_, 10)) size = 1;
            extents_.push_back(size);
            (axis >= outer_ ? inner_count_ : outer_count_) *= static_cast<double>(size);
        }
    }

    void run() {
        int sections = 1 + static_cast<int>(below(random_, 5));
        for (int n = 0; n < sections; ++n)
            make_section(static_cast<SectionKind>(below(random_, 3)));
        if (outputs_ == 0) {
            make_section(SectionKind::Map);
            store();
        }
        make_problem();
    }

  private:
    struct Value {
        Scalar scalar;
        Known known;
    };
    struct Input {
        int operand;
        bool in_table;
        Known known;
    };

    void make_section(SectionKind kind) {
        kind_ = kind;
        builder_.begin(kind);
        visible_ = outer_values_;
        if (kind != SectionKind::Outer)  // a value of an earlier inner section is kept for this one
            visible_.insert(visible_.end(), inner_values_.begin(), inner_values_.end());
        int count = 1 + static_cast<int>(below(random_, 8));
        for (int n = 0; n < count; ++n) visible_.push_back(compute());
        for (int n = 0; n < 2; ++n)
            if (chance(random_, kind == SectionKind::Reduce ? 30 : 60)) store();
        if (chance(random_, 25)) fold_across();
        if (kind == SectionKind::Outer) {
            outer_values_ = visible_;
            return;
        }
        for (size_t n = visible_.size() - static_cast<size_t>(count); n < visible_.size(); ++n)
            if (chance(random_, 30)) inner_values_.push_back(visible_[n]);
        if (kind != SectionKind::Reduce) return;
        int folds = 1 + static_cast<int>(below(random_, 3));
        for (int n = 0; n < folds; ++n) fold();
    }

    // --- values

    Value compute() {
        for (int attempt = 0; attempt < 30; ++attempt) {
            auto op = static_cast<OpCode>(below(random_, kernel::opcode_count));
            if (kernel::info(op).typing == Typing::chosen) continue;
            DType dtype = value_dtypes[below(random_, std::size(value_dtypes))];
            if (!kernel::takes(op, dtype)) continue;
            std::vector<Scalar> arguments;
            std::vector<Known> known;
            for (int n = 0; n < kernel::info(op).arguments; ++n) {
                bool condition = kernel::info(op).typing == Typing::select && n == 0;
                Value value = value_of(condition ? DType::Bool : dtype);
                arguments.push_back(value.scalar);
                known.push_back(value.known);
            }
            auto result = transfer(op, dtype, known);
            if (result) return {builder_.emit(op, arguments), *result};
        }
        return source(DType::Float32);
    }

    /// A value of the dtype: one at hand (converted if that is exact), or a new one.
    Value value_of(DType dtype) {
        if (!visible_.empty() && chance(random_, 70))
            for (int attempt = 0; attempt < 4; ++attempt) {
                Value value = visible_[static_cast<size_t>(below(random_, std::ssize(visible_)))];
                if (auto converted = convert(value, dtype)) return *converted;
            }
        return source(dtype);
    }

    std::optional<Value> convert(const Value& value, DType dtype) {
        DType from = value.scalar.dtype();
        Known known = value.known;
        if (from == dtype) return value;
        if (is_complex(from)) return {};
        bool to_integer = is_integer(dtype) || is_bool(dtype);
        if (to_integer && !known.exact()) return {};
        if (to_integer) {
            Known range = range_of_integers(dtype);
            bool fits = known.low >= range.low && known.high <= range.high;
            known = fits && !is_bool(dtype)
                        ? Known{std::trunc(known.low), std::trunc(known.high), 0, true}
                        : range;
        } else {
            if (known.most() > 1e6) return {};
            if (!known.whole) known.error += unit(dtype) * known.most();
            if (is_complex(dtype)) known = {-known.most(), known.most(), known.error};
        }
        return Value{builder_.cast(value.scalar, dtype), known};
    }

    Value source(DType dtype) {
        int choice = static_cast<int>(below(random_, 10));
        if (choice == 0) return constant(dtype);
        if (choice == 1 && rank_ > 0)
            if (auto value = convert(position(), dtype)) return *value;
        if (choice == 2) return table_element(dtype);
        return load(dtype);
    }

    Value constant(DType dtype) {
        double number = static_cast<double>(below(random_, 17)) / 2 - 2;
        if (is_complex(dtype))
            return {builder_.constant(dtype, std::complex<double>(number, 1)), {-7, 7, 0}};
        if (is_floating(dtype))
            return {builder_.constant(dtype, number),
                    {number, number, 0, number == std::floor(number)}};
        int64_t whole = is_bool(dtype) ? below(random_, 2) : below(random_, 10);
        auto value = static_cast<double>(whole);
        return {builder_.constant(dtype, whole), {value, value, 0, true}};
    }

    Value position() {
        int axes = kind_ == SectionKind::Outer ? outer_ : rank_;
        if (axes > 0 && chance(random_, 60))
            return {builder_.index(static_cast<int>(below(random_, axes))), {0, 20, 0, true}};
        return {builder_.extent(static_cast<int>(below(random_, rank_))), {0, 20, 0, true}};
    }

    /// Numbers that a new operand holds.
    Known contents(DType dtype) {
        if (is_complex(dtype)) return {-2, 2, 0};
        if (is_floating(dtype)) {
            if (chance(random_, 40)) return {-8, 8, 0, true};
            return chance(random_, 30) ? Known{0.5, 3, 0} : Known{-3, 3, 0};
        }
        if (is_bool(dtype)) return {0, 1, 0, true};
        if (chance(random_, 30)) return range_of_integers(dtype);
        return {is_unsigned(dtype) ? 0.0 : -10.0, 10, 0, true};
    }

    DType storage(DType dtype) {
        if (dtype != DType::Float32 || chance(random_, 70)) return dtype;
        return chance(random_, 50) ? DType::Float16 : DType::BFloat16;
    }

    Value load(DType dtype) {
        for (const auto& input : inputs_)
            if (!input.in_table && chance(random_, 40)) {
                Scalar loaded = builder_.load(input.operand);
                if (loaded.dtype() == dtype) return {loaded, input.known};
            }
        uint64_t hint = chance(random_, 30) ? random_() & ((uint64_t{1} << rank_) - 1) : 0;
        int operand = builder_.input(cat("x", inputs_.size()), storage(dtype), hint);
        inputs_.push_back({operand, false, contents(dtype)});
        return {builder_.load(operand), inputs_.back().known};
    }

    Value table_element(DType dtype) {
        int rank = static_cast<int>(below(random_, 3));
        int operand = builder_.table(cat("t", inputs_.size()), storage(dtype), rank);
        inputs_.push_back({operand, true, contents(dtype)});
        Known known = inputs_.back().known;
        std::vector<Scalar> at;
        for (int axis = 0; axis < rank; ++axis) {
            Scalar place = value_of(DType::Int64).scalar;
            at.push_back(builder_.floor_mod(place, builder_.size(operand, axis)));
        }
        // Of an empty table comes zero, and a fault.
        known.low = std::min(known.low, 0.0);
        known.high = std::max(known.high, 0.0);
        return {builder_.load_at(operand, at), known};
    }

    // --- results

    void store() {
        if (visible_.empty()) return;
        const Value& value = visible_[static_cast<size_t>(below(random_, std::ssize(visible_)))];
        DType dtype = storage(value.scalar.dtype());
        if (dtype == DType::Float16 && value.known.most() > 6e4) dtype = DType::Float32;
        int operand = builder_.output(cat("y", outputs_++), dtype);
        builder_.store(operand, value.scalar);
        double error = value.known.error;
        if (error > 0 && dtype != value.scalar.dtype())
            error += 2 * unit(dtype) * value.known.most();
        results_.push_back({operand, kind_ == SectionKind::Outer, 4 * error});
    }

    void fold() {
        const Value value = visible_[static_cast<size_t>(below(random_, std::ssize(visible_)))];
        DType dtype = value.scalar.dtype();
        auto combine = static_cast<Combine>(below(random_, 8));
        if (!kernel::takes(combine, dtype)) return;
        auto known = folded(combine, dtype, value.known, inner_count_);
        if (!known) return;
        outer_values_.push_back({builder_.accumulate(combine, value.scalar), *known});
    }

    void fold_across() {
        if (outer_ == 0 || visible_.empty()) return;
        const Value value = visible_[static_cast<size_t>(below(random_, std::ssize(visible_)))];
        DType dtype = value.scalar.dtype();
        auto combine = static_cast<Combine>(below(random_, 8));
        bool position = combine == Combine::ArgMax || combine == Combine::ArgMin;
        if (position || !kernel::takes(combine, dtype)) return;
        auto known = folded(combine, dtype, value.known, outer_count_);
        if (!known) return;
        bool outside = kind_ == SectionKind::Outer;
        uint64_t along = (uint64_t{1} << (outside ? rank_ : outer_)) - 1;
        int operand = builder_.output(cat("y", outputs_++), dtype, along);
        builder_.across(combine, value.scalar, operand);
        results_.push_back({operand, false, 4 * known->error});
    }

    static std::optional<Known> folded(Combine combine, DType dtype, const Known& x, double n) {
        double most = x.most();
        bool position = combine == Combine::ArgMax || combine == Combine::ArgMin;
        if (position) {
            if (!x.exact()) return {};
            return Known{0, std::max(n - 1, 0.0), 0, true};
        }
        if (is_integer(dtype) || is_bool(dtype)) return range_of_integers(dtype);
        if (combine == Combine::Max || combine == Combine::Min) {
            if (n == 0) return {};
            return x;
        }
        double error = n * x.error;
        if (combine == Combine::Prod) {
            if (most > 1.2 || n > 40) return {};
            most = std::pow(std::max(most, 1.0) * (is_complex(dtype) ? 1.5 : 1), n);
            error *= most;
            n = n == 0 ? 1 : 1.0 / most;  // below: the product itself, once
            most *= most;
        }
        most *= n;
        if (most > 1e6) return {};
        Known result{-most, std::max(most, 1.0), error, x.whole && most < largest_whole(dtype)};
        if (!result.whole) result.error += (2 * unit(dtype) + 2.3e-16 * (n + 40)) * (most + 1);
        if (combine == Combine::Prod) result.whole = false;
        if (result.error > 1e-3 * std::max(1.0, most)) return {};
        return result;
    }

    void make_problem() {
        kernel::Kernel made = builder_.finish();
        size_t kernel = batch_.add(made);
        for (int n = 0; n < 2; ++n) {
            std::vector<Layout> layouts;
            std::vector<Sizes> tables;
            for (const auto& operand : made.operands) {
                bool table = operand.kind == kernel::OperandKind::Table;
                if (table) {
                    Sizes sizes;
                    for (int axis = 0; axis < operand.rank; ++axis)
                        sizes.push_back(chance(random_, 3) ? 0 : 1 + below(random_, 6));
                    tables.push_back(sizes);
                }
                bool in = operand.kind == kernel::OperandKind::In;
                layouts.push_back(Layout::random(random_, table ? operand.rank : rank_, in));
            }
            for (const auto& result : results_)
                if (result.outside)
                    layouts[static_cast<size_t>(result.operand)].broadcast = ~uint64_t{0} << outer_;
            auto& problem = batch_.problem(kernel, extents_, random_, layouts, tables);
            problem.tolerances.assign(made.operands.size(), {});
            for (const auto& result : results_)
                problem.tolerances[static_cast<size_t>(result.operand)] = {0, result.error};
            for (const auto& input : inputs_) fill(problem, input);
        }
    }

    void fill(Problem& problem, const Input& input) {
        Buffer& buffer = problem.operands[static_cast<size_t>(input.operand)];
        if (is_integer(buffer.dtype()) && input.known.most() > 100)
            return fill_any(buffer, random_);
        fill_between(buffer, random_, input.known.low, input.known.high);
        if (!input.known.whole || !is_floating(buffer.dtype())) return;
        visit_dtype(buffer.dtype(), [&](auto tag) {
            using T = decltype(tag);
            buffer.fill<T>([&] { return convert_number<T>(below(random_, 17) - 8); });
        });
    }

    struct Result {
        int operand;
        bool outside;
        double error;
    };

    Batch& batch_;
    Random& random_;
    int rank_, outer_;
    Builder builder_;
    Sizes extents_;
    double inner_count_ = 1, outer_count_ = 1;
    SectionKind kind_ = SectionKind::Map;
    std::vector<Value> outer_values_, inner_values_, visible_;
    std::vector<Input> inputs_;
    std::vector<Result> results_;
    int outputs_ = 0;
};

}  // namespace

void add_random_kernel(Batch& batch, Random& random) { Generator(batch, random).run(); }

}  // namespace croton::contract
