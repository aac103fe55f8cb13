// Follows a wandering object with a Kalman filter whose noise is learned by gradient.
//
//     kalman [--epochs 400] [--seconds 600] [--measurements 500] [--seed 1] [--output folder]
//            [--data file]
//
// The object's velocity changes at random and its position is measured badly. The filter's
// likelihood depends on both deviations; Adam climbs it, with gradients through all steps of the
// filter. Draws measurements, estimate and track into the output folder. --data names a text file
// with the measurements, a line each.
#include <array>
#include <cmath>
#include <numbers>

#include "examples/common.hpp"

using namespace croton;

namespace {

const std::array<const char*, 2> names = {"deviation of the push", "deviation of a measurement"};
constexpr std::array<double, 2> truth = {0.1, 2.0};
// Position and velocity, one step on; and what a push changes of them.
const Array move = Array::of<double>({1.0, 1.0, 0.0, 1.0}).reshape({2, 2});
const Array push = Array::of<double>({0.5, 1.0});

struct Settings : examples::FitSettings {
    int64_t measurements = 500;
    Settings() { epochs = 400; }
};

Settings read_settings(int argc, char** argv) {
    Settings s;
    s.read(argc, argv, {{"measurements", &s.measurements}});
    return s;
}

// Positions of an object and what is measured of them.
Results wander(int64_t count, uint64_t seed) {
    RandomStream random(seed);
    auto step = [&](const Step& s) {
        auto normal = [&](double deviation) {
            return random.normal(Ints{}, 0.0, deviation, DType::Float64);
        };
        Variable state = dot(move, s.states[0]) + normal(truth[0]) * push;
        return Variables{state, at(state, {0}) + normal(truth[1])};
    };
    auto made = scan(step, {.outputs_info = {constant(zeros<double>({2})), {}}, .n_steps = count});
    Variable positions = at(made.outputs[0], {everything, 0});
    return function({}, {positions, made.outputs[1]}, {.updates = made.updates})();
}

struct Filtered {
    Variable positions;    ///< estimates after each measurement
    Variable log_density;  ///< of all measurements together
};

Filtered follow(const Variable& seen, const Variable& push_deviation, const Variable& blur) {
    Variable noise = sqr(push_deviation) * outer(push, push);
    auto step = [&](const Step& s) {
        Variable state = dot(move, s.states[0]);
        Variable spread = dot(dot(move, s.states[1]), transpose(constant(move))) + noise;
        Variable surprise = s.sequences[0] - at(state, {0});
        Variable variance = at(spread, {0, 0}) + sqr(blur);
        Variable gain = at(spread, {everything, 0}) / variance;
        Variable log_density =
            -0.5 * (log(2 * std::numbers::pi * variance) + sqr(surprise) / variance);
        return Variables{state + gain * surprise, spread - outer(gain, at(spread, {0})),
                         log_density};
    };
    Array spread = zeros<double>({2, 2});
    spread.data_as<double>()[0] = spread.data_as<double>()[3] = 100;
    auto made = scan(step, {.sequences = {seen},
                            .outputs_info = {constant(zeros<double>({2})), constant(spread), {}}});
    return {at(made.outputs[0], {everything, 0}), sum(made.outputs[2])};
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
    double total = 0;
    for (size_t i = 0; i < a.size(); ++i) total += (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(total / static_cast<double>(a.size()));
}

void run(const Settings& s) {
    std::vector<double> track, measured;
    if (s.data.empty()) {
        Results made = wander(s.measurements, s.seed);
        track = made[0].to_vector<double>();
        measured = made[1].to_vector<double>();
    } else {
        measured = examples::file_numbers(s.data);
    }
    Array measurements = examples::as_vector(measured);

    auto seen = vector<double>("seen");
    auto logs = shared(zeros<double>({2}), "logs");  // of the two deviations: both are positive
    Filtered filtered = follow(seen, exp(at(logs, {0})), exp(at(logs, {1})));
    Variable loss = -filtered.log_density / size_of(seen, 0);
    auto fit = function({seen}, loss,
                        {.updates = optimizers::adam(loss, {logs}, 0.05).updates, .name = "fit"});
    auto smooth = function({seen}, filtered.positions, {.name = "smooth"});

    examples::Clock clock;
    std::vector<double> losses;
    Progress progress(s.epochs, "fit");
    for (int i = 0; i < s.epochs && clock.seconds() < s.seconds; ++i) {
        losses.push_back(fit(measurements).item<double>());
        progress.advance(1, examples::text("loss %.6f", losses.back()));
    }
    progress.finish();
    std::printf("%d gradients through %d steps in %.2f s\n", static_cast<int>(losses.size()),
                static_cast<int>(measured.size()), clock.seconds());
    std::vector<double> found = logs.get_value().to_vector<double>();
    for (size_t k = 0; k < found.size(); ++k) {
        found[k] = std::exp(found[k]);
        std::printf("  %s: %.4f", names[k], found[k]);
        if (s.data.empty()) std::printf(" (made with %g)", truth[k]);
        std::printf("\n");
    }
    std::vector<double> estimated = smooth(measurements).only().to_vector<double>();
    std::vector<Series> series = {{"measured", measured}, {"filtered", estimated}};
    if (s.data.empty()) {
        std::printf("  distance from the track: %.3f as measured, %.3f as filtered\n",
                    distance(measured, track), distance(estimated, track));
        series.emplace_back("track", track);
    }

    auto folder = examples::folder(s.output);
    save_npz(folder / "kalman.npz",
             {{"losses", examples::as_vector(losses)}, {"found", examples::as_vector(found)}});
    Figure figure(900, 420);
    for (Series& line : series) line.y.resize(std::min<size_t>(line.y.size(), 80));
    figure.lines("Position, the first 80 steps", series,
                 {.x_label = "step", .y_label = "position"});
    for (const char* ending : {"png", "svg"}) figure.save(folder / cat("kalman.", ending));
}

}  // namespace

int main(int argc, char** argv) {
    return examples::guarded([&] { run(read_settings(argc, argv)); });
}
