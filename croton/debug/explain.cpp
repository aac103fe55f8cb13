#include "croton/debug/explain.hpp"

#include <algorithm>

namespace croton {

namespace {
std::string kernel_line(const runtime::Program& program, const runtime::Step& step) {
    const runtime::KernelStep& what = *step.kernel();
    const auto& kernel = program.kernels[static_cast<size_t>(what.kernel)];
    auto passes = std::count_if(
        kernel.sections.begin(), kernel.sections.end(),
        [](const auto& section) { return section.kind != kernel::SectionKind::Outer; });
    size_t inputs = what.operands.size() - static_cast<size_t>(what.outputs);
    std::string text = cat("  kernel k", what.kernel, "   ", step.label, "    rank ", kernel.rank,
                           ", ", inputs, inputs == 1 ? " input, " : " inputs, ", what.outputs,
                           what.outputs == 1 ? " output, " : " outputs, ", passes,
                           passes == 1 ? " pass" : " passes");
    std::vector<std::string> lines;
    for (const auto& site : kernel.sites)
        if (auto place = site.text(); std::find(lines.begin(), lines.end(), place) == lines.end())
            lines.push_back(place);
    return lines.empty() ? text : cat(text, "    ", join(lines, " "));
}
}  // namespace

std::string explain(const Function& function) {
    std::ostringstream out;
    const auto& program = function.program();
    out << "function " << function.name() << ", mode " << function.mode().name << "\n";
    out << function.trace().text() << "\n" << program.print() << "\n";
    for (const auto& step : program.steps)
        if (step.kernel()) out << kernel_line(program, step) << "\n";
    return out.str();
}

std::string kernels_text(const Function& function, bool listing) {
    std::ostringstream out;
    const auto& program = function.program();
    for (size_t i = 0; i < program.kernels.size(); ++i) {
        out << kernel::print(program.kernels[i]);
        if (listing) out << program.code->listing(static_cast<int>(i)) << "\n";
    }
    return out.str();
}

}  // namespace croton
