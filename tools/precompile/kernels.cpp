#include "tools/precompile/kernels.hpp"

#include <algorithm>
#include <future>
#include <thread>

#include "croton/api/function.hpp"
#include "croton/backend/cpu/code_store.hpp"
#include "croton/backend/cpu/key.hpp"
#include "croton/base/error.hpp"
#include "croton/base/settings.hpp"
#include "croton/runtime/backend.hpp"

namespace croton::precompile {

namespace {
class NothingToRun final : public runtime::KernelSet {
  public:
    kernel::Fault run(int, const kernel::Launch&, int64_t, int64_t) const override { return {}; }
    std::string listing(int) const override { return ""; }
};

/// Compiles nothing and notes what it was given.
class Collector final : public runtime::Backend {
  public:
    std::string_view name() const override { return "collector"; }
    std::shared_ptr<const runtime::KernelSet> compile(std::span<const kernel::Kernel> kernels,
                                                      runtime::CompileStats*) const override {
        found.insert(found.end(), kernels.begin(), kernels.end());
        return std::make_shared<NothingToRun>();
    }
    mutable std::vector<kernel::Kernel> found;
};

const Collector& collector() {
    static const bool registered = [] {
        runtime::register_backend(std::make_unique<Collector>());
        return true;
    }();
    (void)registered;
    return static_cast<const Collector&>(runtime::backend("collector"));
}

/// No disk cache for its lifetime: rewritten graphs are kept there, too.
struct NoCache {
    NoCache() { settings().cache_dir = "off"; }
    ~NoCache() { settings().cache_dir = before; }
    std::string before = settings().cache_dir;
};

// All parts of all forms.
std::vector<cpu::Plan> plans_of(const kernel::Kernel& kernel) {
    using cpu::Form;
    cpu::Plan plan = cpu::make_plan(kernel);
    if (!cpu::has_two_forms(plan)) return cpu::parts_of_form(kernel, plan, Form::Whole);
    auto result = cpu::parts_of_form(kernel, plan, Form::Rows);
    for (auto& part : cpu::parts_of_form(kernel, plan, Form::Columns))
        result.push_back(std::move(part));
    return result;
}

using Work = std::vector<std::pair<kernel::Kernel, const cpu::Level*>>;

std::map<std::string, std::string> compile_share(const Work& work, size_t first, size_t step) {
    std::map<std::string, std::string> result;
    for (size_t n = first; n < work.size(); n += step) {
        const auto& [kernel, level] = work[n];
        for (const cpu::Plan& plan : plans_of(kernel)) {
            cpu::Source source{&kernel, &plan};
            std::string key = cpu::code_key(kernel, plan, *level);
            result[key] = cpu::packed_code(cpu::compile_object({&source, 1}, *level));
        }
    }
    return result;
}
}  // namespace

std::vector<kernel::Kernel> kernels_of(const Graph& graph) {
    NoCache off;
    collector().found.clear();
    FunctionOptions options;
    options.mode = compile::mode_named("fast");
    options.mode->backend = "collector";
    options.on_unused_input = "ignore";
    try {
        function({graph.inputs.begin(), graph.inputs.end()},
                 {graph.outputs.begin(), graph.outputs.end()}, options);
    } catch (const Error&) {  // an op that cannot be computed: nothing to compile
        return {};
    }
    return std::move(collector().found);
}

std::map<std::string, std::string> compiled(std::span<const kernel::Kernel> kernels,
                                            std::span<const cpu::Level> levels) {
    std::map<std::string, kernel::Kernel> forms;
    for (const auto& kernel : kernels) {
        kernel::Kernel form = cpu::code_form(kernel);
        std::string bytes = cpu::kernel_bytes(form);
        forms.emplace(std::move(bytes), std::move(form));
    }
    Work work;
    for (const auto& [bytes, form] : forms)
        for (const auto& level : levels) work.emplace_back(form, &level);
    size_t threads = std::max(1U, std::thread::hardware_concurrency());
    std::vector<std::future<std::map<std::string, std::string>>> shares;
    for (size_t t = 0; t < threads; ++t)
        shares.push_back(
            std::async(std::launch::async, compile_share, std::cref(work), t, threads));
    std::map<std::string, std::string> result;
    for (auto& share : shares) result.merge(share.get());
    return result;
}

}  // namespace croton::precompile
