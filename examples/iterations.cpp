// Two iterations that stop by themselves: power iteration and Newton's method.
//
//     iterations [--size 200] [--tolerance 1e-10] [--steps 10000] [--seed 1] [--output folder]
//
// Loops end with `until`, their gradients run through as many steps as there were, and both
// gradients are compared with the known ones.
#include <cmath>

#include "examples/common.hpp"

using namespace croton;

namespace {

struct Settings {
    int64_t size = 200, steps = 10000;
    double tolerance = 1e-10;
    uint64_t seed = 1;
    std::string output = "output";
};

Settings read_settings(int argc, char** argv) {
    Settings s;
    examples::read_options(argc, argv,
                           {{"size", &s.size},
                            {"tolerance", &s.tolerance},
                            {"steps", &s.steps},
                            {"seed", &s.seed},
                            {"output", &s.output}});
    return s;
}

// Of a symmetric matrix: the largest eigenvalue, its vector, and how many steps it took.
Variables largest_eigenvalue(const Variable& matrix, const Variable& start, const Settings& s) {
    auto step = [&](const Step& now) {
        const Variable& v = now.states[0];
        Variable image = dot(matrix, v);
        image = image / sqrt(sum(sqr(image)));
        return StepResult({image}, {}, max(abs(image - v)) < s.tolerance);
    };
    Variable vectors = scan(step, {.outputs_info = {start}, .n_steps = s.steps}).outputs[0];
    Variable v = at(vectors, {-1});
    return {dot(v, dot(matrix, v)), v, size_of(vectors, 0)};
}

// The root of a function of one number by Newton's method, and how many steps it took.
Variables root(const std::function<Variable(const Variable&)>& f, const Variable& start,
               const Settings& s) {
    auto step = [&](const Step& now) {
        const Variable& x = now.states[0];
        Variable y = f(x), next = x - y / grad(y, x);
        return StepResult({next}, {}, abs(next - x) < s.tolerance);
    };
    Variable values = scan(step, {.outputs_info = {start}, .n_steps = s.steps}).outputs[0];
    return {at(values, {-1}), size_of(values, 0)};
}

std::map<std::string, Array> power_iteration(const Settings& s) {
    RandomStream random(s.seed);
    Variable numbers = random.uniform({s.size, s.size}, -0.4, 0.6, DType::Float64);
    Array symmetric = eval((numbers + transpose(numbers)) / 2);
    auto matrix = croton::matrix<double>("matrix");
    auto start = vector<double>("start");
    Variables made = largest_eigenvalue(matrix, start, s);
    auto run = function({matrix, start}, {made[0], made[1], made[2], grad(made[0], matrix)},
                        {.name = "power_iteration"});
    Results results =
        run(symmetric, full<double>({s.size}, 1 / std::sqrt(static_cast<double>(s.size))));
    auto value = results[0].item<double>();
    const Array &v = results[1], &slope = results[3];
    double rest = eval(max(abs(dot(symmetric, v) - value * v))).item<double>();
    double wrong = eval(max(abs(slope - outer(v, v)))).item<double>();  // d value / d matrix
    auto count = static_cast<int>(results[2].item<int64_t>());
    std::printf("power iteration, %d x %d: largest eigenvalue %.10f after %d steps\n",
                static_cast<int>(s.size), static_cast<int>(s.size), value, count);
    std::printf("  matrix times vector differs by %.1e, the gradient by %.1e from the known one\n",
                rest, wrong);
    return {{"value", results[0]}, {"vector", v}, {"count", results[2]}, {"slope", slope}};
}

// Where a planet is on its ellipse: E - eccentricity * sin(E) = time.
std::map<std::string, Array> kepler(const Settings& s) {
    auto now = scalar<double>("now");
    const double eccentricity = 0.8;
    Variables made = root(
        [&](const Variable& e) -> Variable { return e - eccentricity * sin(e) - now; }, now, s);
    auto run = function({now}, {made[0], made[1], grad(made[0], now)}, {.name = "kepler"});
    std::vector<double> angles, steps, speeds;
    std::printf("Newton's method, Kepler's equation with eccentricity 0.8:\n");
    for (int k = 1; k <= 12; ++k) {
        Results results = run(Array::scalar(0.25 * k));
        angles.push_back(results[0].item<double>());
        steps.push_back(results[1].item<double>());
        speeds.push_back(results[2].item<double>());
        double known = 1 / (1 - eccentricity * std::cos(angles.back()));
        std::printf(
            "  time %.2f: angle %.10f after %d steps, speed %.6f "
            "(%.0e from the known one)\n",
            0.25 * k, angles.back(), static_cast<int>(steps.back()), speeds.back(),
            std::abs(speeds.back() - known));
    }
    return {{"angles", examples::as_vector(angles)},
            {"steps", examples::as_vector(steps)},
            {"speeds", examples::as_vector(speeds)}};
}

void run(const Settings& s) {
    auto results = power_iteration(s);
    results.merge(kepler(s));
    save_npz(examples::folder(s.output) / "iterations.npz", results);
}

}  // namespace

int main(int argc, char** argv) {
    return examples::guarded([&] { run(read_settings(argc, argv)); });
}
