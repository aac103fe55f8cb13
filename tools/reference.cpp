// Writes the reference of all ops from the catalogue: croton_reference FILE.md
#include <cstdio>

#include "croton/base/file.hpp"
#include "croton/base/format.hpp"
#include "croton/grad/grad.hpp"
#include "croton/graph/listing.hpp"
#include "croton/ops/catalogue.hpp"

namespace croton {
namespace {

std::string_view accepts_text(Accepts accepts) {
    switch (accepts) {
        case Accepts::Any: return "any dtype";
        case Accepts::Numeric: return "numbers";
        case Accepts::Real: return "real numbers";
        case Accepts::Continuous: return "floating or complex";
        case Accepts::Floating: return "floating";
        case Accepts::Integer: return "integers";
        case Accepts::Bool: return "bool";
    }
    return "";
}

std::string_view kind_text(const OpRecord& op) {
    if (op.elementwise()) return "elementwise";
    if (op.kind<ReduceCompute>()) return "reduction";
    if (op.kind<ViewCompute>()) return "view: no element is copied";
    if (op.kind<IndexedCompute>()) return "each element from any elements of the arguments";
    if (op.kind<ContractCompute>()) return "matrix product";
    if (op.kind<ExternCompute>()) return "host code on whole arrays";
    if (op.kind<InnerCompute>()) return "holds graphs";
    return "made of other ops";
}

std::string signature(const OpRecord& op) {
    std::vector<std::string> parts;
    for (const auto& argument : op.arguments)
        parts.push_back(cat(argument.variadic ? "*" : "", argument.name));
    for (const auto& attribute : op.attributes)
        parts.push_back(attribute.required
                            ? cat(attribute.name)
                            : cat(attribute.name, "=", attr_text(attribute.default_value)));
    return cat(op.name, "(", join(parts), ")");
}

// What the gradient of the result becomes for each argument, as formulas of scalars; "" where the
// op does not take floating scalars alone.
std::string formulas(const OpRecord& op) {
    for (const auto& attribute : op.attributes)
        if (attribute.required) return "";
    Variables inputs;
    for (const auto& argument : op.arguments) {
        if (argument.variadic) return "";
        inputs.push_back(input({DType::Float64, {}}, std::string(argument.name)));
    }
    try {
        Variable seed = input({DType::Float64, {}}, "g");
        Variables outputs = apply(op, inputs);
        if (outputs.size() != 1 || outputs[0].dtype() != DType::Float64) return "";
        Variables gradients =
            vjp(outputs, inputs, {seed},
                {.disconnected = Disconnected::Ignore, .null_if_disconnected = true});
        std::string text;
        for (size_t i = 0; i < gradients.size(); ++i)
            text += cat("    d", inputs[i].name(), " = ",
                        gradients[i] ? pp(gradients[i]) : std::string("0"), "\n");
        return text;
    } catch (const Error&) {
        return "";  // not an op of floating scalars
    }
}

std::string_view derivative_text(const OpRecord& op) {
    if (op.facts.not_differentiable) return "none: asking for it is an error";
    if (op.facts.disconnected) return "none: the result counts as independent of the arguments";
    if (op.pullback) return "its own";
    if (op.kind<ExpandCompute>()) return "that of the ops it is made of";
    return "none";
}

std::string section(const OpRecord& op) {
    std::string text = cat("### ", op.name, "\n\n    ", signature(op), "\n\n", op.doc, "\n\n");
    for (const auto& argument : op.arguments)
        text += cat("- ", argument.name, argument.variadic ? " (any number)" : "", ": ",
                    accepts_text(argument.accepts), "\n");
    for (const auto& attribute : op.attributes)
        text += cat("- ", attribute.name, ": ", attribute.doc, "\n");
    std::string shown = formulas(op);
    text += cat("\nComputed: ", kind_text(op), ". Derivative: ", derivative_text(op), ".\n");
    if (!shown.empty()) text += cat("Of scalars, with g the gradient of the result:\n\n", shown);
    if (!op.onnx.empty()) text += cat("\nONNX: ", op.onnx, "\n");
    return text + "\n";
}

std::string page() {
    std::string text = "# Reference of ops\n\nWritten from the catalogue by croton_reference.\n\n";
    size_t count = 0;
    for (const auto& [family, records] : catalogue()) {
        text += cat("## ", family, "\n\n");
        for (const auto* record : records) text += section(*record), ++count;
    }
    return text + cat(count, " ops.\n");
}

}  // namespace
}  // namespace croton

int main(int count, char** arguments) {
    if (count != 2) {
        std::fprintf(stderr, "usage: croton_reference FILE.md\n");
        return 2;
    }
    try {
        croton::write_file(arguments[1], croton::page());
    } catch (const croton::Error& error) {
        std::fprintf(stderr, "croton_reference: %s\n", error.what());
        return 1;
    }
}
