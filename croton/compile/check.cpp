#include "croton/compile/check.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "croton/compile/reference.hpp"
#include "croton/compile/translate.hpp"

namespace croton::compile {

using runtime::Frame;
using runtime::Program;

namespace {
double tolerance(DType dtype) {
    switch (real_dtype(dtype)) {
        case DType::Float64: return 1e-7;
        case DType::Float32: return 1e-3;
        default: return 5e-2;
    }
}

template <class T>
bool close(T expected, T found, double allowed) {
    auto finite = [](T x) { return std::isfinite(std::real(x)) && std::isfinite(std::imag(x)); };
    if (!finite(expected))
        return true;  // a stability rule may know better; an infinity is not judged
    if (!finite(found)) return false;
    return std::abs(expected - found) <= allowed * (1 + std::abs(expected));
}

template <class T>
bool all_close(const Array& expected, const Array& found, double relative) {
    auto a = expected.to_vector<T>(), b = found.to_vector<T>();
    double largest = 0;
    for (T x : a)
        if (std::isfinite(std::abs(x)))
            largest = std::max(largest, static_cast<double>(std::abs(x)));
    double allowed = relative * std::max(1.0, largest);
    for (size_t i = 0; i < a.size(); ++i)
        if (!close(a[i], b[i], allowed)) return false;
    return true;
}

bool all_agree(std::span<const Array> expected, std::span<const Array> found) {
    for (size_t i = 0; i < expected.size(); ++i)
        if (!agree(expected[i], found[i])) return false;
    return true;
}

class Inquest {
  public:
    Inquest(const BuildRequest& request, std::span<const Array> arguments)
        : request_(request), arguments_(arguments) {
        request_.updates.clear();
        request_.mode.check = false;
    }

    std::vector<Array> run(const BuildRequest& request) {
        Built built = build(request);
        auto program = built.assumptions_hold(arguments_) ? built.program : built.general();
        return Frame(*program).run(arguments_);
    }

    std::vector<Array> judge() {
        Program program = translate(request_.inputs, request_.outputs);
        generate(program, runtime::backend("interp"));
        return Frame(program).run(arguments_);
    }

    /// Rewriting up to so many steps, run by the judge's back end.
    bool right_after(int64_t steps, bool fuse, const std::vector<Array>& expected) {
        BuildRequest request = request_;
        request.mode.rule_limit = steps;
        request.mode.fuse = fuse;
        request.mode.backend = "interp";
        return all_agree(expected, run(request));
    }

    [[noreturn]] void name_the_guilty(const std::vector<Array>& expected) {
        for (bool fuse : {false, true}) {
            if (fuse && !request_.mode.fuse) continue;
            BuildRequest traced = request_;
            traced.mode.fuse = fuse;
            auto events = rewriting_events(traced, build(traced));
            int64_t steps = 0;
            for (const auto& event : events) steps = std::max<int64_t>(steps, event.number);
            if (right_after(steps, fuse, expected)) continue;
            if (auto guilty = first_wrong(events, steps, fuse, expected)) blame(*guilty);
            if (fuse)
                fail(ErrorKind::Compile,
                     "check mode: fusing kernels changes the values of function ", request_.name);
            fail(ErrorKind::Compile, "check mode: the values of function ", request_.name,
                 " are wrong without any rewriting");
        }
        Built built = build(request_);
        blame_kernel(*built.program);
    }

  private:
    // The step that makes values wrong; nothing if they are so without it. Of a program with fused
    // kernels only rows about loops are meant: rules are found without.
    std::optional<Event> first_wrong(const std::vector<Event>& events, int64_t steps, bool fuse,
                                     const std::vector<Array>& expected) {
        if (!right_after(0, fuse, expected)) return {};
        int64_t good = 0, bad = steps;
        while (bad - good > 1) {
            int64_t middle = (good + bad) / 2;
            (right_after(middle, fuse, expected) ? good : bad) = middle;
        }
        for (const auto& event : events)
            if (event.number == bad && (event.of_loops || !fuse)) return event;
        return {};
    }

    [[noreturn]] void blame(const Event& event) {
        fail(ErrorKind::Compile, "check mode: rewriting step ", event.number, " of function ",
             request_.name, " changes its values: ", event.of_loops ? "row" : "rule", " '",
             event.what, "' (", event.where, ") turned ", event.before, " into ", event.after,
             event.site.known()
                 ? cat(", made at ", event.site.text(), "    ", event.site.code_text())
                 : "");
    }

    // Runs the program with both back ends side by side, every value fresh, until one differs.
    [[noreturn]] void blame_kernel(const Program& program) {
        Program judged = program;
        generate(judged, runtime::backend("interp"));
        std::vector<std::vector<Array>> expected(program.steps.size());
        auto copies = [](const Program& p, size_t step, std::span<const TensorRef> refs) {
            std::vector<Array> result;
            for (auto id : p.steps[step].writes()) {
                const TensorRef& r = refs[static_cast<size_t>(id)];
                result.push_back(Array::view(r.dtype, r.shape, r.strides, r.data, nullptr).copy());
            }
            return result;
        };
        Frame first(judged);
        first.after_step = [&](size_t i, std::span<const TensorRef> refs) {
            expected[i] = copies(judged, i, refs);
        };
        first.run(arguments_);
        Frame second(program);
        second.after_step = [&](size_t i, std::span<const TensorRef> refs) {
            if (all_agree(expected[i], copies(program, i, refs))) return;
            const auto& step = program.steps[i];
            fail(ErrorKind::Compile, "check mode: step ", i, " (", step.label, ") of function ",
                 request_.name, " gives other values on back end ", request_.mode.backend,
                 " than the judge, made at ", step.site.text(), "    ", step.site.code_text());
        };
        second.run(arguments_);
        fail(ErrorKind::Compile, "check mode: function ", request_.name,
             " gave a wrong value that does not come back: memory of the call may have been "
             "written from outside");
    }

    BuildRequest request_;
    std::span<const Array> arguments_;
};
}  // namespace

bool agree(const Array& expected, const Array& found) {
    if (expected.dtype() != found.dtype() || !(expected.shape() == found.shape())) return false;
    if (is_complex(expected.dtype()))
        return all_close<std::complex<double>>(expected, found, tolerance(expected.dtype()));
    if (is_floating(expected.dtype()))
        return all_close<double>(expected, found, tolerance(expected.dtype()));
    return expected.identical(found);
}

void check_results(const BuildRequest& request, std::span<const Array> arguments,
                   std::span<const Array> results) {
    Inquest inquest(request, arguments);
    auto expected = inquest.judge();
    if (!all_agree(expected, results)) inquest.name_the_guilty(expected);
}

}  // namespace croton::compile
