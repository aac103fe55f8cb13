#include "tests/backend/contract.hpp"

#include "croton/base/error.hpp"
#include "croton/kernel/interpret.hpp"
#include "tests/backend/values.hpp"

namespace croton::contract {

// ------------------------------------------------------------------------------------- targets

std::vector<Target> all_targets() {
    std::vector<Target> result = {{"interp", ""}};
    try {
        runtime::backend("cpu");
        for (const char* level : {"sse2", "avx2", "avx512", "native"})
            result.push_back({"cpu", level});
        for (const char* level : {"sse2", "avx2", "native"}) result.push_back({"cpu", level, true});
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::Usage) throw;  // Usage: this build has no such back end
    }
    return result;
}

std::shared_ptr<const runtime::KernelSet> compile(const Target& target,
                                                  std::span<const kernel::Kernel> kernels) {
    struct Restore {
        Settings value = settings();
        ~Restore() { settings() = value; }
    } restore;
    if (!target.level.empty()) set_setting("cpu_level", target.level);
    if (target.tailored) settings().tailor_from = 1;
    return runtime::backend(target.backend).compile(kernels, nullptr);
}

std::optional<std::string> missing(const Target& target) {
    try {
        compile(target, {});
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::Device) throw;
        return error.what();
    }
    return {};
}

// -------------------------------------------------------------------------------------- memory

Layout Layout::random(Random& random, int rank, bool may_broadcast) {
    Layout layout;
    for (int axis = 0; axis < rank; ++axis) layout.order.push_back(axis);
    if (chance(random, 40)) std::shuffle(layout.order.begin(), layout.order.end(), random);
    if (chance(random, 30)) layout.reversed = random();
    if (chance(random, 30)) layout.gap = 1 + static_cast<int>(below(random, 3));
    if (may_broadcast && chance(random, 50)) layout.broadcast = random() & random();
    layout.offset = static_cast<int>(below(random, 4));
    return layout;
}

Buffer::Buffer(DType dtype, const Sizes& sizes, const Layout& layout)
    : dtype_(dtype), sizes_(sizes), strides_(sizes.size(), 0) {
    constexpr int64_t guard = 64;
    int64_t item = dtype_size(dtype), step = item * layout.gap, before = 0;
    for (size_t n = sizes.size(); n-- > 0;) {
        size_t axis = layout.order.empty() ? n : static_cast<size_t>(layout.order[n]);
        if (layout.broadcast >> axis & 1) continue;
        bool reversed = layout.reversed >> axis & 1;
        strides_[axis] = reversed ? -step : step;
        if (reversed) before += step * std::max<int64_t>(sizes[axis] - 1, 0);
        step *= std::max<int64_t>(sizes[axis], 1);
    }
    int64_t start = guard + item * layout.offset;
    first_ = static_cast<size_t>(start + before);
    memory_.assign(static_cast<size_t>(start + step + item + guard), 0xa5);
}

std::vector<bool> Buffer::owned() {
    std::vector<bool> result(memory_.size(), false);
    each_distinct([&](unsigned char* place) {
        for (int n = 0; n < dtype_size(dtype_); ++n)
            result[static_cast<size_t>(place - memory_.data() + n)] = true;
    });
    return result;
}

void fill_any(Buffer& buffer, Random& random) {
    visit_dtype(buffer.dtype(), [&](auto tag) {
        using T = decltype(tag);
        buffer.fill<T>([&] { return any_value<T>(random); });
    });
}

void fill_between(Buffer& buffer, Random& random, double low, double high) {
    std::uniform_real_distribution<double> uniform(low, high);
    visit_dtype(buffer.dtype(), [&](auto tag) {
        using T = decltype(tag);
        buffer.fill<T>([&]() -> T {
            double value = uniform(random);
            if constexpr (detail::is_complex_type<T>)
                return convert_number<T>(std::complex<double>(value, uniform(random)));
            else
                return convert_number<T>(std::is_integral_v<T> ? std::round(value) : value);
        });
    });
}

// ------------------------------------------------------------------------------------ problems

Problem& Batch::problem(size_t kernel, Sizes extents, Random& random, std::vector<Layout> layouts,
                        std::vector<Sizes> tables) {
    Problem result{kernel, extents, {}};
    size_t table = 0;
    const auto& operands = kernels[kernel].operands;
    for (size_t k = 0; k < operands.size(); ++k) {
        bool is_table = operands[k].kind == kernel::OperandKind::Table;
        Layout layout = k < layouts.size() ? layouts[k] : Layout{};
        layout.broadcast |= operands[k].broadcast_axes;
        result.operands.emplace_back(operands[k].dtype, is_table ? tables.at(table++) : extents,
                                     layout);
        if (operands[k].kind != kernel::OperandKind::Out) fill_any(result.operands.back(), random);
    }
    problems.push_back(std::move(result));
    return problems.back();
}

Outcome run(const kernel::Kernel& kernel, const Problem& problem, const Runner& runner,
            std::vector<int64_t> cuts) {
    Outcome outcome{problem.operands, {}};
    std::vector<void*> pointers;
    std::vector<const int64_t*> strides, sizes;
    for (auto& operand : outcome.operands) {
        pointers.push_back(operand.first());
        strides.push_back(operand.strides().data());
        sizes.push_back(operand.sizes().data());
    }
    for (auto [in, out] : problem.shared) pointers[out] = pointers[in];
    kernel::Launch launch{problem.extents.data(), pointers.data(), strides.data(), sizes.data()};
    cuts.insert(cuts.begin(), 0);
    cuts.push_back(kernel.rank > 0 ? problem.extents[0] : 0);
    for (size_t n = 0; n + 1 < cuts.size(); ++n) {
        kernel::Fault fault = runner(launch, cuts[n], cuts[n + 1]);
        if (outcome.fault.operand < 0) outcome.fault = fault;
    }
    for (auto [in, out] : problem.shared) outcome.operands[out] = outcome.operands[in];
    return outcome;
}

namespace {

template <class T>
bool close(T expected, T actual, const Tolerance& tolerance) {
    if constexpr (detail::is_half_type<T>) {
        if (expected.bits == actual.bits) return true;
        // Half a unit of difference in float32 may become one unit here.
        auto e = static_cast<float>(expected), a = static_cast<float>(actual);
        if (std::isnan(e) || std::isnan(a)) return std::isnan(e) && std::isnan(a);
        bool adjacent = std::abs(int{expected.bits} - int{actual.bits}) <= 1;
        bool inexact = tolerance.ulps > 0 || tolerance.absolute > 0;
        return std::abs(e - a) <= tolerance.absolute || (inexact && adjacent) ||
               (e == a && !tolerance.zero_signs);
    } else if constexpr (detail::is_complex_type<T>) {
        auto finite = [](T x) { return std::isfinite(x.real()) && std::isfinite(x.imag()); };
        if (!finite(expected) || !finite(actual)) return finite(expected) == finite(actual);
        if (expected == actual) return true;
        using Part = typename T::value_type;
        auto wide = [](T x) { return std::complex<double>(x.real(), x.imag()); };
        double room =
            tolerance.ulps * std::numeric_limits<Part>::epsilon() * std::abs(wide(expected));
        return std::abs(wide(expected) - wide(actual)) <= std::max(room, tolerance.absolute);
    } else if constexpr (std::is_floating_point_v<T>) {
        if (tolerance.zero_signs && expected == 0 && actual == 0)
            return std::signbit(expected) == std::signbit(actual);
        return ulps_apart(expected, actual) <= tolerance.ulps ||
               std::abs(expected - actual) <= tolerance.absolute;
    } else {
        // Whole numbers may only differ where they come from rounded ones.
        return expected == actual;
    }
}

template <class T>
std::string show(T value) {
    if constexpr (detail::is_half_type<T>)
        return show(static_cast<float>(value));
    else if constexpr (detail::is_complex_type<T>)
        return cat("(", value.real(), ", ", value.imag(), ")");
    else if constexpr (std::is_floating_point_v<T>)
        return number_text(value);
    else if constexpr (sizeof(T) == 1)
        return cat(static_cast<int>(value));
    else
        return cat(value);
}

template <class T>
T element(Buffer& buffer, size_t number) {
    size_t n = 0;
    T result{};
    buffer.each([&](unsigned char* place) {
        if (n++ == number) std::memcpy(&result, place, sizeof result);
    });
    return result;
}

/// The inputs that belong to an element of an output, where they run along with it.
std::string inputs_text(const kernel::Kernel& kernel, const Problem& problem, const Sizes& sizes,
                        size_t number) {
    std::string text;
    for (size_t k = 0; k < kernel.operands.size(); ++k) {
        if (kernel.operands[k].kind != kernel::OperandKind::In) continue;
        if (!(sizes == problem.operands[k].sizes())) continue;
        Buffer operand = problem.operands[k];
        visit_dtype(operand.dtype(), [&](auto tag) {
            text += cat(" ", kernel.operands[k].name, " = ",
                        show(element<decltype(tag)>(operand, number)));
        });
    }
    return text;
}

std::optional<std::string> elements_difference(const kernel::Kernel& kernel, const Problem& problem,
                                               size_t k, Outcome& expected, Outcome& actual,
                                               const Tolerance& tolerance) {
    std::optional<std::string> message;
    visit_dtype(expected.operands[k].dtype(), [&](auto tag) {
        using T = decltype(tag);
        std::vector<T> values;
        expected.operands[k].each_distinct([&](unsigned char* place) {
            T value;
            std::memcpy(&value, place, sizeof value);
            values.push_back(value);
        });
        size_t n = 0, wrong = 0, first = 0;
        T found{};
        actual.operands[k].each_distinct([&](unsigned char* place) {
            T value;
            std::memcpy(&value, place, sizeof value);
            if (!close<T>(values[n], value, tolerance) && wrong++ == 0) first = n, found = value;
            ++n;
        });
        if (wrong > 0)
            message =
                cat("operand ", kernel.operands[k].name, ": ", wrong, " of ", n,
                    " elements differ; the first is element ", first, ": expected ",
                    show(values[first]), ", got ", show(found), ";",
                    inputs_text(kernel, problem, expected.operands[k].distinct_sizes(), first));
    });
    return message;
}

std::string layout_text(const kernel::Kernel& kernel, const Problem& problem) {
    std::string text = cat("extents ", shape_text(problem.extents));
    for (size_t k = 0; k < kernel.operands.size(); ++k)
        text += cat(", ", kernel.operands[k].name, " strides ",
                    shape_text(problem.operands[k].strides()));
    for (auto [in, out] : problem.shared) text += cat(", ", out, " in the memory of ", in);
    return text;
}

// Prepared with every operand in another place than it is in at the run, and run again where no
// input is overwritten.
Runner prepared_runner(const runtime::KernelSet& set, const Problem& problem,
                       const kernel::Kernel& kernel) {
    return [&](const kernel::Launch& launch, int64_t, int64_t) {
        size_t count = kernel.operands.size();
        std::vector<void*> elsewhere;
        // As numbers: there are no such arrays, and what is empty may be at no address.
        auto moved = [](void* pointer, uintptr_t by) {
            return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(pointer) + by);
        };
        for (size_t k = 0; k < count; ++k)
            elsewhere.push_back(moved(launch.pointers[k], 4096 * (k + 1)));
        kernel::Launch other = launch;
        other.pointers = elsewhere.data();
        auto prepared =
            runtime::prepare_launch(set, static_cast<int>(problem.kernel), kernel, other);
        for (size_t k = 0; k < count; ++k) {
            std::vector<void*> places;
            prepared->add_places(static_cast<int>(k), places);
            for (void* place : places) {
                void* address;
                std::memcpy(&address, place, sizeof address);
                address = moved(address, -uintptr_t{4096} * (k + 1));
                std::memcpy(place, &address, sizeof address);
            }
        }
        if (prepared->run()) return prepared->fault();
        if (problem.shared.empty()) prepared->run();
        return prepared->fault();
    };
}

}  // namespace

std::optional<std::string> difference(const kernel::Kernel& kernel, const Problem& problem,
                                      Outcome& expected, Outcome& actual) {
    auto explain = [&](const std::string& what) {
        return cat(what, "\n", layout_text(kernel, problem), "\n", kernel::print(kernel));
    };
    if ((expected.fault.operand >= 0) != (actual.fault.operand >= 0))
        return explain(expected.fault.operand >= 0 ? "a fault was expected"
                                                   : "an unexpected fault");
    for (size_t k = 0; k < kernel.operands.size(); ++k) {
        bool out = kernel.operands[k].kind == kernel::OperandKind::Out;
        bool shared_in = false;
        size_t memory = k;
        for (auto [in, shared_out] : problem.shared) {
            shared_in |= in == k;
            if (shared_out == k) memory = in;
        }
        if (out) {
            const auto& tolerance = problem.tolerances[std::min(k, problem.tolerances.size() - 1)];
            auto message = elements_difference(kernel, problem, k, expected, actual, tolerance);
            if (message) return explain(*message);
        }
        // Whatever is not an element of an output must be as it was.
        Buffer before = problem.operands[memory];
        auto owned = before.owned();
        for (size_t n = 0; n < owned.size(); ++n)
            if (before.bytes()[n] != actual.operands[k].bytes()[n] &&
                !((out || shared_in) && owned[n]))
                return explain(cat("operand ", kernel.operands[k].name, ": byte ", n,
                                   " was written and does not belong to an output"));
    }
    return {};
}

void check(const Target& target, const Batch& batch, Random& random) {
    auto set = compile(target, batch.kernels);
    std::vector<kernel::Interpreter> judges;
    for (const auto& kernel : batch.kernels) judges.emplace_back(kernel);
    int failures = 0;
    auto compare = [&](const Problem& problem, Outcome& expected, Outcome actual,
                       std::string_view how) {
        const auto& kernel = batch.kernels[problem.kernel];
        auto message = difference(kernel, problem, expected, actual);
        if (!message) return;
        if (++failures <= 5) ADD_FAILURE() << target.text() << ", " << how << ": " << *message;
    };
    for (const auto& problem : batch.problems) {
        const auto& kernel = batch.kernels[problem.kernel];
        Problem apart = problem;
        apart.shared.clear();
        Outcome expected = run(kernel, apart, [&](const kernel::Launch& launch, int64_t, int64_t) {
            return judges[problem.kernel].run(launch);
        });
        Runner runner = [&](const kernel::Launch& launch, int64_t begin, int64_t end) {
            return set->run(static_cast<int>(problem.kernel), launch, begin, end);
        };
        compare(problem, expected, run(kernel, problem, runner), "whole");
        compare(problem, expected, run(kernel, problem, prepared_runner(*set, problem, kernel)),
                "prepared elsewhere");
        if (!kernel::can_split(kernel)) continue;
        std::vector<int64_t> cuts;
        for (int n = 0; n < 3; ++n) cuts.push_back(below(random, problem.extents[0] + 1));
        std::sort(cuts.begin(), cuts.end());
        compare(problem, expected, run(kernel, problem, runner, cuts), cat("cut at ", join(cuts)));
    }
    if (failures > 5) ADD_FAILURE() << failures << " failures of " << batch.problems.size();
}

}  // namespace croton::contract
