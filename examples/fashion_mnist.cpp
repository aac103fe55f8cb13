// Trains a classifier of the 60,000 images of Fashion-MNIST, and shows what it learned.
//
//     fashion_mnist [--model mlp|logistic] [--optimizer adam|momentum] [--epochs 8] [--batch 128]
//                   [--seed 1] [--output folder] [--data folder]
//
// Writes parameters (.npz and .safetensors) and drawings into the output folder.
#include <cmath>
#include <croton/croton.hpp>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "examples/common.hpp"

using namespace croton;

namespace {

struct Settings {
    std::string model = "mlp", optimizer = "adam", output = "output", data;
    int epochs = 8, batch = 128;
    uint64_t seed = 1;
};

Settings read_settings(int argc, char** argv) {
    Settings s;
    examples::read_options(argc, argv,
                           {{"model", &s.model},
                            {"optimizer", &s.optimizer},
                            {"epochs", &s.epochs},
                            {"batch", &s.batch},
                            {"seed", &s.seed},
                            {"output", &s.output},
                            {"data", &s.data}});
    return s;
}

struct Layer {
    SharedVariable weights, bias;
};

// Glorot and Bengio's uniform initialisation (2010).
Layer make_layer(int64_t inputs, int64_t outputs, const std::string& name, RandomStream& random) {
    double limit = std::sqrt(6.0 / static_cast<double>(inputs + outputs));
    Array start = eval(random.uniform({inputs, outputs}, -limit, limit, DType::Float32));
    return {shared(start, name + ".weights"), shared(zeros<float>({outputs}), name + ".bias")};
}

struct Network {
    std::vector<Layer> layers;
    Variable scores(const Variable& images) const {
        Variable x = images;
        for (size_t i = 0; i < layers.size(); ++i) {
            x = dot(x, layers[i].weights) + layers[i].bias;
            if (i + 1 < layers.size()) x = relu(x);
        }
        return x;
    }
    std::vector<SharedVariable> parameters() const {
        std::vector<SharedVariable> all;
        for (const auto& layer : layers) all.insert(all.end(), {layer.weights, layer.bias});
        return all;
    }
};

Network make_network(const std::string& model, uint64_t seed) {
    std::vector<int64_t> sizes;
    if (model == "mlp")
        sizes = {784, 500, 500, 10};
    else if (model == "logistic")
        sizes = {784, 10};
    else
        fail(ErrorKind::Usage, "model is mlp or logistic, not ", model);
    RandomStream random(seed);
    Network network;
    for (size_t i = 0; i + 1 < sizes.size(); ++i)
        network.layers.push_back(make_layer(sizes[i], sizes[i + 1], cat("layer", i), random));
    return network;
}

optimizers::Steps make_steps(const std::string& name, const Variable& loss,
                             const Network& network) {
    if (name == "momentum") return optimizers::momentum(loss, network.parameters(), 0.03, 0.9);
    if (name == "adam") return optimizers::adam(loss, network.parameters(), 0.001);
    fail(ErrorKind::Usage, "optimizer is momentum or adam, not ", name);
}

// Pixels 0..255 to one row of numbers 0..1 an image.
Array prepare(const Array& images) {
    Array rows = images.reshape({-1, 784}).cast(DType::Float32);
    for (float *p = rows.data_as<float>(), *end = p + rows.size(); p != end; ++p) *p /= 255.0f;
    return rows;
}

std::map<std::string, Array> values_of(const std::vector<SharedVariable>& parameters) {
    std::map<std::string, Array> values;
    for (const auto& p : parameters) values.emplace(p.name(), p.get_value());
    return values;
}

void restore(const std::vector<SharedVariable>& parameters,
             const std::map<std::string, Array>& values) {
    for (const auto& p : parameters) p.set_value(values.at(p.name()));
}

// Losses, first-layer weights as images, and predictions (wrong ones in red).
void draw(const Settings& s, const std::vector<double>& losses, const Network& network,
          const Array& images, const Array& labels, const Array& guesses) {
    Array weights = network.layers[0].weights.get_value();
    int64_t shown = std::min<int64_t>(weights.shape(1), 40);
    Array columns = Array::empty(DType::Float32, {shown, 28, 28});
    for (int64_t k = 0; k < shown; ++k)
        for (int64_t pixel = 0; pixel < 784; ++pixel)
            columns.data_as<float>()[k * 784 + pixel] = weights.at<float>({pixel, k});
    std::vector<std::string> captions;
    std::vector<bool> wrong;
    for (int64_t i = 0; i < 40; ++i) {
        auto guess = guesses.at<int64_t>({i});
        captions.push_back(fashion_mnist_classes()[static_cast<size_t>(guess)]);
        wrong.push_back(guess != labels.at<int64_t>({i}));
    }
    Array first =
        Array::view(images.dtype(), {40, 28, 28}, images.strides(), images.data(), images.owner());
    Figure figure(1200, 900, 2);
    figure.lines("Loss of each batch", {{"loss", losses}},
                 {.x_label = "batch", .y_label = "cross-entropy", .y_log = true});
    figure.images("First-layer weights", columns, 8, {},
                  {.colours = drawing::ColourMap::Diverging, .marked = {}});
    figure.images("Predictions on held-out images", first, 8, captions, {.marked = wrong});
    for (const char* ending : {"png", "svg"})
        figure.save(std::filesystem::path(s.output) / cat("fashion_mnist.", ending));
}

int run(const Settings& s) {
    auto [train_images, train_labels] = fashion_mnist("train", s.data);
    auto [test_images, test_labels] = fashion_mnist("test", s.data);
    Array train = prepare(train_images), test = prepare(test_images);
    Array targets = train_labels.cast(DType::Int64), truth = test_labels.cast(DType::Int64);
    std::cout << "Fashion-MNIST: " << train.shape(0) << " training and " << test.shape(0)
              << " test images\n";

    auto x = matrix<float>("images");
    auto y = vector<int64_t>("labels");
    Network network = make_network(s.model, s.seed);
    Variable scores = network.scores(x);
    Variable loss = mean(categorical_crossentropy(softmax(scores), y));
    Variable guess = argmax(scores, {1});
    auto steps = make_steps(s.optimizer, loss, network);
    auto step = function({x, y}, loss, {.updates = steps.updates, .name = "step"});
    auto predict = function({x}, guess, {.name = "predict"});
    auto accuracy = [&] {
        Array guesses = predict(test);
        int64_t right = 0;
        for (int64_t i = 0; i < truth.size(); ++i)
            right += guesses.at<int64_t>({i}) == truth.at<int64_t>({i});
        return static_cast<double>(right) / static_cast<double>(truth.size());
    };

    const examples::Clock clock;
    std::vector<double> losses;
    Batches batches({train, targets}, s.batch, true);
    double reached = 0;
    for (int epoch = 1; epoch <= s.epochs; ++epoch) {
        batches.shuffle(s.seed + static_cast<uint64_t>(epoch));
        Progress progress(batches.count(), cat("epoch ", epoch));
        double total = 0;
        for (int64_t i = 0; i < batches.count(); ++i) {
            auto batch = batches.get(i);
            losses.push_back(step(batch[0], batch[1]).item<double>());
            total += losses.back();
            progress.advance(
                1, cat("loss ", number_text(static_cast<float>(
                                    std::round(total / static_cast<double>(i + 1) * 1e4) / 1e4))));
        }
        progress.finish();
        reached = accuracy();
        std::printf("epoch %d: mean loss %.17g, test accuracy %.2f %%\n", epoch,
                    total / static_cast<double>(batches.count()), 100 * reached);
    }
    double seconds = clock.seconds();

    std::filesystem::create_directories(s.output);
    auto folder = std::filesystem::path(s.output);
    save_npz(folder / "parameters.npz", values_of(network.parameters()));
    save_safetensors(folder / "parameters.safetensors", values_of(network.parameters()),
                     {{"model", s.model}});
    restore(network.parameters(), load_npz(folder / "parameters.npz"));
    restore(network.parameters(), load_safetensors(folder / "parameters.safetensors").arrays);
    double again = accuracy();
    if (again != reached)
        fail(ErrorKind::Internal, "the restored network has accuracy ", again, ", not ", reached);
    draw(s, losses, network, test_images, truth, predict(test));
    std::printf(
        "trained %s with %s in %.1f s: test accuracy %.2f %%; parameters and drawings are in %s\n",
        s.model.c_str(), s.optimizer.c_str(), seconds, 100 * reached, s.output.c_str());
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(read_settings(argc, argv));
    } catch (const Error& error) {
        std::cerr << error_name(error.kind()) << ": " << error.what() << "\n";
        return 1;
    }
}
