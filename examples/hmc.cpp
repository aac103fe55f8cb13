// Draws from a distribution by Hamiltonian Monte Carlo, written as a loop in a loop.
//
//     hmc [--draws 1000] [--chains 50] [--leaps 10] [--length 0.3] [--seed 1] [--output folder]
//
// Many chains run side by side; each step of the outer loop gives every chain a random push,
// follows its path for some steps of the inner loop, and accepts or refuses where it ended. Random
// numbers are drawn inside of the loop. The distribution is a normal one, so that mean and
// covariance are known. Draws a path and the spread into the output folder.
#include <cmath>
#include <numbers>

#include "examples/common.hpp"

using namespace croton;

namespace {

constexpr double means[] = {1.0, -2.0};
constexpr double covariance[] = {2.0, 0.8, 0.5};  // of the first, of both, of the second
constexpr double determinant = covariance[0] * covariance[2] - covariance[1] * covariance[1];

struct Settings {
    int64_t draws = 1000, chains = 50, leaps = 10;
    double length = 0.3;
    uint64_t seed = 1;
    std::string output = "output";
};

Settings read_settings(int argc, char** argv) {
    Settings s;
    examples::read_options(argc, argv,
                           {{"draws", &s.draws},
                            {"chains", &s.chains},
                            {"leaps", &s.leaps},
                            {"length", &s.length},
                            {"seed", &s.seed},
                            {"output", &s.output}});
    return s;
}

// Minus the logarithm of the density, up to a constant: one number a chain. Put your own here.
Variable energy(const Variable& places) {
    static const Array mean = Array::of<double>({means[0], means[1]});
    static const Array precision =
        Array::of<double>({covariance[2] / determinant, -covariance[1] / determinant,
                           -covariance[1] / determinant, covariance[0] / determinant})
            .reshape({2, 2});
    Variable away = places - mean;
    return 0.5 * sum(dot(away, precision) * away, {1});
}

Variable force(const Variable& places) { return -grad(sum(energy(places)), places); }

// Where the leapfrog method takes the chains, and how fast they are there.
Variables path(const Variable& places, const Variable& speeds, const Settings& s) {
    auto leap = [&](const Step& now) {
        Variable half = now.states[1] + 0.5 * s.length * force(now.states[0]);
        Variable next = now.states[0] + s.length * half;
        return Variables{next, half + 0.5 * s.length * force(next)};
    };
    auto made = scan(leap, {.outputs_info = {places, speeds}, .n_steps = s.leaps});
    return {at(made.outputs[0], {-1}), at(made.outputs[1], {-1})};
}

// Places (draw, chain, axis) and which of them were reached by an accepted path, and the updates.
ScanResult hamiltonian_monte_carlo(const Variable& start, const Variable& draws, const Settings& s,
                                   RandomStream& random) {
    auto total = [](const Variable& places, const Variable& speeds) -> Variable {
        return energy(places) + 0.5 * sum(sqr(speeds), {1});
    };
    auto step = [&](const Step& now) {
        const Variable& places = now.states[0];
        Variable speeds = random.normal(shape(places), 0.0, 1.0, DType::Float64);
        Variables there = path(places, speeds, s);
        Variable chance = exp(total(places, speeds) - total(there[0], there[1]));
        Variable accepted = random.uniform({size_of(places, 0)}, 0.0, 1.0, DType::Float64) < chance;
        return Variables{where(expand_dims(accepted, {1}), there[0], places), accepted};
    };
    return scan(step, {.outputs_info = {start, {}}, .n_steps = draws});
}

struct Moments {
    double mean[2] = {}, covariance[3] = {};
};

// Of places: pairs.
Moments moments(const double* places, int64_t count) {
    Moments m;
    auto n = static_cast<double>(count);
    for (int64_t i = 0; i < count; ++i)
        for (int k : {0, 1}) m.mean[k] += places[2 * i + k] / n;
    for (int64_t i = 0; i < count; ++i) {
        double a = places[2 * i] - m.mean[0], b = places[2 * i + 1] - m.mean[1];
        m.covariance[0] += a * a / n;
        m.covariance[1] += a * b / n;
        m.covariance[2] += b * b / n;
    }
    return m;
}

// How often the first axis falls into each of 60 classes, beside the true density.
std::vector<Series> spread(const double* places, int64_t count) {
    std::vector<double> middle, drawn(60), truth;
    for (int64_t i = 0; i < count; ++i) {
        double place = (places[2 * i] + 4) * 6;
        if (place >= 0 && place < 60)
            drawn[static_cast<size_t>(place)] += 6.0 / static_cast<double>(count);
    }
    for (int k = 0; k < 60; ++k) {
        double x = (k + 0.5) / 6 - 4, away = x - means[0];
        middle.push_back(x);
        truth.push_back(std::exp(-away * away / (2 * covariance[0])) /
                        std::sqrt(2 * std::numbers::pi * covariance[0]));
    }
    return {{"drawn", middle, drawn}, {"truth", middle, truth}};
}

void draw(const std::filesystem::path& folder, const std::vector<double>& chains, const Settings& s,
          int64_t skipped) {
    std::vector<Series> first = {{"first axis", {}}, {"second axis", {}}};
    for (int64_t i = 0; i < std::min<int64_t>(s.draws, 200); ++i)
        for (size_t k : {0, 1})
            first[k].y.push_back(chains[static_cast<size_t>(2 * i * s.chains) + k]);
    Figure figure(900, 420);
    figure.lines("The first chain", first, {.x_label = "draw", .y_label = "place"});
    figure.lines("First axis",
                 spread(chains.data() + 2 * s.chains * skipped, s.chains * (s.draws - skipped)),
                 {.x_label = "place", .y_label = "density"});
    for (const char* ending : {"png", "svg"}) figure.save(folder / cat("hmc.", ending));
}

void run(const Settings& s) {
    RandomStream random(s.seed);
    auto start = matrix<double>("start");
    auto draws = scalar<int64_t>("draws");
    ScanResult made = hamiltonian_monte_carlo(start, draws, s, random);
    Variable last = at(made.outputs[0], {-1});
    auto sample = function({start, draws}, {made.outputs[0], made.outputs[1], last},
                           {.updates = made.updates, .name = "sample"});

    examples::Clock clock;
    std::vector<double> chains;
    double accepted = 0;
    Array place = zeros<double>({s.chains, 2});
    Progress progress(s.draws, "draws");
    while (progress.done() < s.draws) {
        int64_t count = std::min<int64_t>(100, s.draws - progress.done());
        Results some = sample(place, Array::scalar(count));
        place = some[2];
        auto places = some[0].to_vector<double>();
        chains.insert(chains.end(), places.begin(), places.end());
        double hits = 0;
        for (double hit : some[1].to_vector<double>()) hits += hit;
        accepted += hits;
        double share = hits / static_cast<double>(count * s.chains);
        progress.advance(count, examples::text("%.0f %% accepted", 100 * share));
    }
    progress.finish();

    int64_t skipped = s.draws / 10;  // these depend on where the chains began
    Moments m = moments(chains.data() + 2 * s.chains * skipped, s.chains * (s.draws - skipped));
    std::printf("%d chains of %d draws, %d leaps each, in %.2f s: %.1f %% accepted\n",
                static_cast<int>(s.chains), static_cast<int>(s.draws), static_cast<int>(s.leaps),
                clock.seconds(), 100 * accepted / static_cast<double>(s.draws * s.chains));
    std::printf("  mean %.3f %.3f (in truth %g %g)\n", m.mean[0], m.mean[1], means[0], means[1]);
    std::printf("  covariance %.3f %.3f %.3f (in truth %g %g %g)\n", m.covariance[0],
                m.covariance[1], m.covariance[2], covariance[0], covariance[1], covariance[2]);

    auto folder = examples::folder(s.output);
    save_npz(folder / "hmc.npz",
             {{"chains", Array::of(chains, {s.draws, s.chains, 2})},
              {"mean", Array::of<double>({m.mean[0], m.mean[1]})},
              {"covariance", Array::of<double>({m.covariance[0], m.covariance[1], m.covariance[1],
                                                m.covariance[2]})
                                 .reshape({2, 2})}});
    draw(folder, chains, s, skipped);
}

}  // namespace

int main(int argc, char** argv) {
    return examples::guarded([&] { run(read_settings(argc, argv)); });
}
