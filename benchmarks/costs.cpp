// What an opcode costs an element, in additions: the table that fusion decides by, measured. Writes
// croton/kernel/costs.def anew, from the kernels that the back end makes on this machine.
//
//     ninja benchmarks && benchmarks/costs > croton/kernel/costs.def
//
// An opcode is measured on a row that lies in the first cache: four of it, on values that differ,
// beside the same kernel without them. Keeping an element is a store and a load of an array that
// has left the caches. Figures of the narrowest and the widest vectors are halfway between.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "croton/base/format.hpp"
#include "croton/base/settings.hpp"
#include "croton/kernel/kernel.hpp"
#include "croton/kernel/scalar.hpp"
#include "croton/runtime/backend.hpp"

namespace {
using namespace croton;

constexpr int copies = 4;

struct Terms {
    std::string dtype, op;
    size_t arguments = 1;
    double offset = 0.1;
};

// y = the sum over k of op(x + c_k), or of x + c_k without an op.
std::string kernel_text(const Terms& terms) {
    std::string text =
        cat("kernel cost rank 1 outer 0 {\n  in x: ", terms.dtype, "\n  out y: ", terms.dtype,
            "\n  map {\n    %0 = ", terms.dtype, " load x\n");
    int last = 0, sum = 0;
    auto line = [&](auto... parts) {
        text += cat("    %", ++last, " = ", terms.dtype, " ", parts..., "\n");
        return last;
    };
    for (int k = 0; k < copies; ++k) {
        bool real = terms.dtype[0] == 'f';
        int shift = line("constant ", real ? cat(terms.offset + 0.01 * k) : cat(3 + k));
        int shifted = line("add %0, %", shift), value = shifted;
        if (!terms.op.empty())
            value = line(terms.op, " %", shifted, terms.arguments == 2 ? cat(", %", shift) : "");
        sum = k == 0 ? value : line("add %", sum, ", %", value);
    }
    return text + cat("    ", terms.dtype, " store y %", sum, "\n  }\n}\n");
}

template <class T>
double nanoseconds(const std::string& text, int64_t count) {
    auto parsed = kernel::parse(text);
    auto set = runtime::backend("cpu").compile(std::vector{parsed}, nullptr);
    std::vector<T> x(static_cast<size_t>(count)), y(x.size());
    std::mt19937 random(7);
    for (T& value : x)
        value = static_cast<T>(std::uniform_real_distribution<double>(0, 0.6)(random) *
                               (std::is_integral_v<T> ? 1000 : 1));
    int64_t step = sizeof(T);
    void* pointers[] = {x.data(), y.data()};
    const int64_t* strides[] = {&step, &step};
    kernel::Launch launch{&count, pointers, strides, strides};
    auto seconds = [&](int64_t times) {
        auto start = std::chrono::steady_clock::now();
        for (int64_t i = 0; i < times; ++i) set->run(0, launch, 0, -1);
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    int64_t times = 1;
    while (seconds(times) < 2e-4) times *= 2;
    double best = 1e9;
    for (int i = 0; i < 60; ++i) best = std::min(best, seconds(times));
    return 1e9 * best / static_cast<double>(times * count);
}

constexpr int64_t short_row = 1024, large = 8 << 20;

template <class T>
double cost_of(const Terms& terms, double addition) {
    double with = nanoseconds<T>(kernel_text(terms), short_row);
    double without = nanoseconds<T>(kernel_text({terms.dtype, "", 1, terms.offset}), short_row);
    return (with - without) / copies / addition;
}

template <class T>
double addition(const std::string& dtype) {
    return cost_of<T>({dtype, "add", 2}, 1);
}

// Where a function is defined.
double offset_of(std::string_view op) { return op == "acosh" ? 1.1 : 0.1; }

struct Row {
    const char* name;
    kernel::OpCode op;
    int arguments;
    double single = 0, twice = 0, integer = 0;  ///< float32, float64, int64
};

bool measured(kernel::Typing typing) {
    return typing == kernel::Typing::same || typing == kernel::Typing::real;
}

struct Units {
    double single = addition<float>("f32"), twice = addition<double>("f64");
};

// A store and a load.
struct Keeping {
    double memory = 0, row = 0;
};

// Half of what two levels add up to.
void measure(std::vector<Row>& rows, Keeping& keeping) {
    const Units unit;
    for (Row& row : rows) {
        Terms terms{"f32", row.name, static_cast<size_t>(row.arguments), offset_of(row.name)};
        if (kernel::takes(row.op, DType::Float64)) {
            row.single += cost_of<float>(terms, unit.single) / 2;
            terms.dtype = "f64";
            row.twice += cost_of<double>(terms, unit.twice) / 2;
        }
        terms.dtype = "i64";
        if (kernel::takes(row.op, DType::Int64))
            row.integer += cost_of<int64_t>(terms, unit.twice) / 2;
    }
    const std::string copy =
        "kernel copy rank 1 outer 0 { in x: f64 out y: f64 map { %0 = f64 load x f64 store y %0 } "
        "}";
    keeping.memory += nanoseconds<double>(copy, large) / unit.twice / 2;
    keeping.row += nanoseconds<double>(copy, short_row) / unit.twice / 2;
}

long rounded(double cost) { return std::max(1L, std::lround(cost)); }

void print(const std::vector<Row>& rows, const Keeping& keeping) {
    std::printf(
        "// What an opcode costs an element, in additions of its dtype (integers: of float64), as\n"
        "// benchmarks/costs measured it: CROTON_COST(name, float32, float64, integers). What is "
        "not "
        "listed\n// costs one. Keeping an element is its store and its load: of an array that has "
        "left "
        "the caches,\n// and of a row that lies in the first of them.\n"
        "CROTON_COST_OF_KEEPING(%ld, %ld)\n",
        rounded(keeping.memory), rounded(keeping.row));
    for (const Row& row : rows) {
        long costs[] = {rounded(row.single), rounded(row.twice), rounded(row.integer)};
        if (*std::max_element(costs, costs + 3) > 1)
            std::printf("CROTON_COST(%s, %ld, %ld, %ld)\n", row.name, costs[0], costs[1], costs[2]);
    }
}

}  // namespace

int main() {
    std::vector<Row> rows;
#define CROTON_OPCODE(name, arguments, typing)             \
    if (arguments > 0 && measured(kernel::Typing::typing)) \
        rows.push_back({#name, kernel::OpCode::name##_, arguments});
#include "croton/kernel/opcodes.def"
    Keeping keeping;
    for (const char* level : {"avx2", "native"}) {
        settings().cpu_level = level;
        measure(rows, keeping);
    }
    print(rows, keeping);
    return 0;
}
