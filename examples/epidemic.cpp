// Fits a model of an epidemic (SEIR) to the cases of each day by maximum likelihood.
//
//     epidemic [--epochs 200] [--seconds 600] [--days 120] [--seed 1] [--output folder]
//              [--data file]
//
// People are susceptible, exposed, infectious, then recovered; the model runs in 1,200 steps of a
// tenth of a day, and the gradient of the likelihood comes back through all of them. Without --data
// (a text file with the number of cases of each day, a line each) the cases are drawn from the
// model itself, so that the fit can be compared with the truth. Draws the fit into the output
// folder.
#include <array>
#include <cmath>

#include "examples/common.hpp"

using namespace croton;

namespace {

constexpr double people = 1e6;
constexpr int64_t steps_a_day = 10;
using Four = std::array<double, 4>;
const std::array<const char*, 4> names = {"reproduction number", "days of incubation",
                                          "days infectious", "infectious at first"};
constexpr Four truth = {2.5, 4.0, 6.0, 50.0}, first_guess = {1.5, 2.0, 10.0, 10.0};

struct Settings : examples::FitSettings {
    int64_t days = 120;
    Settings() { epochs = 200; }
};

Settings read_settings(int argc, char** argv) {
    Settings s;
    s.read(argc, argv, {{"days", &s.days}});
    return s;
}

// Expected new cases of each day, given what `names` lists.
Variable cases_a_day(const Variable& parameters, const Variable& days) {
    auto parameter = [&](int k) { return at(parameters, {k}); };
    Variable reproduction = parameter(0), incubation = parameter(1);
    Variable recovery = 1.0 / parameter(2), first = parameter(3);
    double dt = 1.0 / steps_a_day;
    auto step = [&](const Step& now) {
        const auto &s = now.states[0], &e = now.states[1], &i = now.states[2];
        Variable infections = dt * reproduction * recovery * s * i / people;
        Variable onsets = dt * e / incubation;
        return Variables{s - infections, e + infections - onsets, i + onsets - dt * recovery * i,
                         onsets};
    };
    auto made = scan(step, {.outputs_info = {people - first, zeros_like(first), first, {}},
                            .n_steps = days * steps_a_day});
    return sum(reshape(made.outputs[3], {-1, steps_a_day}), {1});
}

Array vector_of(const Four& values) {
    return Array::of(std::vector<double>(values.begin(), values.end()), {4});
}
Four logarithms(Four values) {
    for (double& x : values) x = std::log(x);
    return values;
}
double dot4(const Four& a, const Four& b) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
}
Four moved(const Four& x, double length, const Four& direction) {
    Four result;
    for (size_t k = 0; k < 4; ++k) result[k] = x[k] + length * direction[k];
    return result;
}

struct Point {
    Four x;
    double value;
    Four slope;
};

// A guess of the inverse second derivatives, made of how the gradient has changed so far (BFGS).
struct Inverse {
    std::array<Four, 4> rows{};

    explicit Inverse(double scale) {
        for (size_t k = 0; k < 4; ++k) rows[k][k] = scale;
    }
    Four times(const Four& v) const {
        return {dot4(rows[0], v), dot4(rows[1], v), dot4(rows[2], v), dot4(rows[3], v)};
    }
    void learn(const Four& step, const Four& change) {
        double along = dot4(step, change);
        if (!(along > 0)) return;
        Four bent = times(change);
        double scale = (1 + dot4(change, bent) / along) / along;
        for (size_t i = 0; i < 4; ++i)
            for (size_t j = 0; j < 4; ++j)
                rows[i][j] +=
                    scale * step[i] * step[j] - (bent[i] * step[j] + step[i] * bent[j]) / along;
    }
};

// The best point, and the values on the way there. measure(x) gives a point.
template <class Measure>
std::pair<Four, std::vector<double>> minimise(Measure measure, const Four& start, int most,
                                              double seconds) {
    examples::Clock clock;
    Point best = measure(start);
    Inverse inverse(1 / std::sqrt(dot4(best.slope, best.slope)));
    std::vector<double> values = {best.value};
    while (static_cast<int>(values.size()) <= most && clock.seconds() < seconds) {
        Four direction = inverse.times(moved({}, -1, best.slope));
        double length = 1, fall = dot4(best.slope, direction);
        Point next = measure(moved(best.x, length, direction));
        while (!(next.value < best.value + 1e-4 * length * fall)) {  // too far: half of the way
            length /= 2;
            if (length < 1e-6) return {best.x, values};
            next = measure(moved(best.x, length, direction));
        }
        inverse.learn(moved(next.x, -1, best.x), moved(next.slope, -1, best.slope));
        best = next;
        values.push_back(best.value);
    }
    return {best.x, values};
}

void draw(const std::filesystem::path& folder, const std::vector<double>& seen,
          const std::vector<double>& fitted) {
    std::vector<double> day(seen.size());
    std::iota(day.begin(), day.end(), 1.0);
    Figure figure(900, 420);
    figure.lines("Cases of each day", {{"seen", day, seen, true}, {"fitted", day, fitted}},
                 {.x_label = "day", .y_label = "cases"});
    for (const char* ending : {"png", "svg"}) figure.save(folder / cat("epidemic.", ending));
}

void run(const Settings& s) {
    auto logs = vector<double>("logs"), seen = vector<double>("seen");
    auto days = scalar<int64_t>("days");
    auto expect = function({logs, days}, cases_a_day(exp(logs), days), {.name = "expect"});
    auto expected_of = [&](const Four& at, int64_t count) {
        return expect(vector_of(at), Array::scalar(count)).only();
    };
    Array cases;
    if (s.data.empty()) {
        RandomStream random(s.seed);
        Array expected = expected_of(logarithms(truth), s.days);
        cases = eval(random.poisson({s.days}, expected)).cast(DType::Float64);
    } else {
        cases = examples::as_vector(examples::file_numbers(s.data));
    }

    Variable expected = cases_a_day(exp(logs), size_of(seen, 0));
    // minus Poisson's log-likelihood, up to a constant
    Variable loss = mean(expected - seen * log(expected));
    auto slopes = function({logs, seen}, {loss, grad(loss, logs)}, {.name = "slopes"});

    examples::Clock clock;
    Progress progress(0, "fit");
    auto measure = [&](const Four& at) {
        Results results = slopes(vector_of(at), cases);
        Point point = {at, results[0].item<double>(), {}};
        std::copy_n(results[1].data_as<double>(), 4, point.slope.begin());
        progress.advance(1, examples::text("loss %.8g", point.value));
        return point;
    };
    auto [found, losses] = minimise(measure, logarithms(first_guess), s.epochs, s.seconds);
    progress.finish();
    std::printf("%d gradients through %d steps in %.2f s\n", static_cast<int>(progress.done()),
                static_cast<int>(cases.size() * steps_a_day), clock.seconds());
    for (size_t k = 0; k < 4; ++k) {
        std::printf("  %s: %.4f", names[k], std::exp(found[k]));
        if (s.data.empty()) std::printf(" (made with %g)", truth[k]);
        std::printf("\n");
    }

    auto folder = examples::folder(s.output);
    Four values = found;
    for (double& x : values) x = std::exp(x);
    save_npz(folder / "epidemic.npz",
             {{"losses", examples::as_vector(losses)}, {"found", vector_of(values)}});
    draw(folder, cases.to_vector<double>(), expected_of(found, cases.size()).to_vector<double>());
}

}  // namespace

int main(int argc, char** argv) {
    return examples::guarded([&] { run(read_settings(argc, argv)); });
}
