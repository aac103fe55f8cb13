// Texts that do not read: graphs, kernels, types, names of modes, dtypes and settings.
#include "croton/base/settings.hpp"
#include "croton/graph/attrs.hpp"
#include "croton/kernel/kernel.hpp"
#include "croton/ops/catalogue.hpp"
#include "tests/errors/row.hpp"

namespace croton::test {

using enum ErrorKind;

namespace {
void read_graph(std::string_view text) { parse_graph(text, {.find_op = find_op}); }

// A kernel with this body in its one section.
void read_kernel(std::string_view body) {
    kernel::verify(kernel::parse(cat(
        "kernel k rank 1 outer 0 {\n  in x: f32\n  out y: f32\n  map {\n", body, "\n  }\n}\n")));
}
}  // namespace

Rows text_rows() {
    return {
        {"an unknown mode",
         Usage,
         [] { compile::mode_named("turbo"); },
         {"'turbo'", "quick", "fast", "check", "FAST_RUN"}},
        {"an unknown mode in the settings",
         Value,
         [] { set_setting("mode", "turbo"); },
         {"mode", "turbo", "quick", "fast", "check"}},
        {"an unknown setting",
         Usage,
         [] { set_setting("speed", "11"); },
         {"'speed'", "floatX", "threads"}},
        {"a value that a setting does not take",
         Value,
         [] { set_setting("floatX", "float31"); },
         {"floatX", "float31", "float64", "float32"}},
        {"a number that is none",
         Value,
         [] { set_setting("threads", "many"); },
         {"threads", "many", "number"}},
        {"a negative number of threads",
         Value,
         [] { set_setting("threads", "-1"); },
         {"threads", "-1"}},
        {"a type with an unknown dtype", Value, [] { parse_type("f31[3]"); }, {"f31", "f32"}},
        {"a type without an end", Value, [] { parse_type("f32[3,"); }, {"f32[3,"}},
        {"a type with a negative size", Value, [] { parse_type("f32[-3]"); }, {"-3"}},
        {"a graph with an unknown op",
         Value,
         [] {
             read_graph("graph f(%0: f64[?] \"x\") {\n  %1 = expp(%0) : f64[?]\n  return %1\n}\n");
         },
         {"line 2", "column 8", "expp"}},
        {"a graph with a value that is not there",
         Value,
         [] {
             read_graph("graph f(%0: f64[?] \"x\") {\n  %1 = exp(%2) : f64[?]\n  return %1\n}\n");
         },
         {"line 2", "column 12", "%2"}},
        {"a graph that ends early",
         Value,
         [] { read_graph("graph f(%0: f64[?] \"x\") {\n  %1 = exp(%0) : f64[?]\n"); },
         {"line 3", "column 1"}},
        {"a graph with a wrong type",
         Value,
         [] {
             read_graph("graph f(%0: f64[?] \"x\") {\n  %1 = exp(%0) : f32[?]\n  return %1\n}\n");
         },
         {"line 2", "f64[?]", "f32[?]"}},
        {"a graph with an unknown attribute",
         Value,
         [] {
             read_graph(
                 "graph f(%0: f64[?] \"x\") {\n  %1 = sum(%0) {axis=[0]} : f64[]\n  return "
                 "%1\n}\n");
         },
         {"line 2", "axis", "axes"}},
        {"a graph with an attribute of the wrong sort",
         Value,
         [] {
             read_graph(
                 "graph f(%0: f64[?] \"x\") {\n  %1 = sum(%0) {axes=\"all\"}\n  return %1\n}\n");
         },
         {"line 2", "axes", "all"}},
        {"a graph that breaks a type rule",
         Shape,
         [] {
             read_graph(
                 "graph f(%0: f64[3] \"x\", %1: f64[4] \"y\") {\n  %2 = add(%0, %1)\n  return "
                 "%2\n}\n");
         },
         {"line 2", "3", "4", "f64[3]", "f64[4]"}},
        {"a graph with a value twice",
         Value,
         [] {
             read_graph("graph f(%0: f64[?] \"x\") {\n  %0 = exp(%0) : f64[?]\n  return %0\n}\n");
         },
         {"line 2", "%0"}},
        {"a graph with a number that is none",
         Value,
         [] {
             read_graph("graph f(%0: f64[?] \"x\") {\n  %1 = add(%0, f64[] abc)\n  return %1\n}\n");
         },
         {"line 2", "column", "abc"}},
        {"a graph with bytes that are none",
         Value,
         [] {
             read_graph("graph f() {\n  %1 = constant f64[2] base64 \"!!!!\"\n  return %1\n}\n");
         },
         {"line 2", "base64"}},
        {"a graph of no graph",
         Value,
         [] { read_graph("hello"); },
         {"line 1", "column 1", "hello"}},
        {"a kernel with an unknown opcode",
         Value,
         [] { read_kernel("    %0 = f32 load x\n    %1 = f32 expp %0\n    f32 store y %1"); },
         {"line 6", "column", "expp"}},
        {"a kernel with an unknown dtype",
         Value,
         [] { read_kernel("    %0 = f31 load x\n    f32 store y %0"); },
         {"line 5", "column", "f31"}},
        {"a kernel with an unknown operand",
         Value,
         [] { read_kernel("    %0 = f32 load z\n    f32 store y %0"); },
         {"line 5", "column", "z"}},
        {"a kernel that ends early",
         Value,
         [] { kernel::parse("kernel k rank 1 outer 0 {\n  in x: f32\n"); },
         {"line 3", "column"}},
        {"a kernel of too many loops",
         Value,
         [] { kernel::parse("kernel k rank 99999999999999999999 outer 0 {\n}\n"); },
         {"line 1", "column"}},
        {"an attribute that is no whole number",
         Value,
         [] { parse_attr("[1,x]"); },
         {"x", "whole number"}},
    };
}

}  // namespace croton::test
