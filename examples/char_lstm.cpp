// Trains an LSTM to write like the King James Bible, one character at a time.
//
//     char_lstm [--epochs 1] [--seconds 600] [--hidden 192] [--batch 32] [--steps 64]
//               [--report 200] [--seed 1] [--output folder] [--data file]
//
// Learns by truncated back-propagation through time: the text is cut into --batch streams that are
// read side by side, --steps characters at once, and the state at the end of one window is the
// state at the start of the next. Writes losses, parameters and a sample into the output folder.
#include <cmath>
#include <limits>

#include "examples/common.hpp"

using namespace croton;

namespace {

struct Settings : examples::FitSettings {
    int64_t hidden = 192, batch = 32, steps = 64, report = 200;
};

Settings read_settings(int argc, char** argv) {
    Settings s;
    s.read(
        argc, argv,
        {{"hidden", &s.hidden}, {"batch", &s.batch}, {"steps", &s.steps}, {"report", &s.report}});
    return s;
}

// What Debian's program prints: a verse a line, each behind its place ("Gen1:1 In the ...").
std::string read_bible() {
    FILE* pipe = popen("bible -f Gen1:1-Rev22:21 2>/dev/null", "r");
    if (!pipe) fail(ErrorKind::Io, "cannot start a program");
    std::string text;
    std::vector<char> part(1 << 16);
    bool in_place = true;
    while (size_t count = fread(part.data(), 1, part.size(), pipe))
        for (size_t i = 0; i < count; ++i) {
            if (!in_place) text += part[i];
            if (part[i] == ' ') in_place = false;
            if (part[i] == '\n') in_place = true;
        }
    if (pclose(pipe) != 0)
        fail(ErrorKind::Io,
             "The King James Bible is not installed: apt-get install bible-kjv bible-kjv-text\n"
             "(or name a text file of your own: --data FILE)");
    return text;
}

struct Text {
    std::string alphabet;        ///< the bytes that occur, in order
    std::vector<int64_t> codes;  ///< places in it
};

Text read_text(const std::string& path) {
    std::string bytes = path.empty() ? read_bible() : examples::file_bytes(path, "");
    std::array<int64_t, 256> code{};
    for (unsigned char c : bytes) code[c] = 1;
    Text text;
    for (size_t c = 0; c < code.size(); ++c)
        if (code[c]) {
            code[c] = static_cast<int64_t>(text.alphabet.size());
            text.alphabet += static_cast<char>(c);
        }
    for (unsigned char c : bytes) text.codes.push_back(code[c]);
    return text;
}

// Codes [first, last) cut into `batch` streams of equal lengths: a column each.
Array streams(const std::vector<int64_t>& codes, size_t first, size_t last, int64_t batch) {
    int64_t length = static_cast<int64_t>(last - first) / batch;
    Array result = Array::empty(DType::Int64, {length, batch});
    for (int64_t k = 0; k < batch; ++k)
        for (int64_t t = 0; t < length; ++t)
            result.data_as<int64_t>()[t * batch + k] =
                codes[first + static_cast<size_t>(k * length + t)];
    return result;
}

// Rows [first, first + count), in the same memory.
Array rows(const Array& data, int64_t first, int64_t count) {
    return Array::view(data.dtype(), {count, data.shape(1)}, data.strides(),
                       const_cast<int64_t*>(data.data_as<int64_t>()) + first * data.shape(1),
                       data.owner());
}

// Hochreiter and Schmidhuber's long short-term memory (1997), a softmax over characters on top.
struct Lstm {
    int64_t hidden;
    SharedVariable letters, recurrent, bias, out, out_bias;

    Lstm(int64_t alphabet, int64_t hidden, RandomStream& random) : hidden(hidden) {
        double limit = 1 / std::sqrt(static_cast<double>(hidden));
        auto uniform = [&](int64_t rows, int64_t columns, double most) {
            return eval(random.uniform({rows, columns}, -most, most, DType::Float32));
        };
        Array start = zeros<float>({4 * hidden});
        for (int64_t k = hidden; k < 2 * hidden; ++k)
            start.data_as<float>()[k] = 1;  // the forget gate starts open
        letters = shared(uniform(alphabet, 4 * hidden, 0.3), "letters");
        recurrent = shared(uniform(hidden, 4 * hidden, limit), "recurrent");
        bias = shared(start, "bias");
        out = shared(uniform(hidden, alphabet, limit), "out");
        out_bias = shared(zeros<float>({alphabet}), "out_bias");
    }

    std::vector<SharedVariable> parameters() const {
        return {letters, recurrent, bias, out, out_bias};
    }

    // One character further. Gradients that come back through h are clipped.
    Variables step(const Variable& letter, const Variable& h, const Variable& cell) const {
        Variable gates = take(letters, letter, 0) + dot(h, recurrent) + bias;
        auto gate = [&](int64_t k) {
            return at(gates, {everything, Slice(k * hidden, (k + 1) * hidden)});
        };
        Variable next = sigmoid(gate(1)) * cell + sigmoid(gate(0)) * tanh(gate(3));
        return {grad_clip(sigmoid(gate(2)) * tanh(next), -1, 1), next};
    }

    Variable scores(const Variable& h) const { return dot(h, out) + out_bias; }

    // Mean cross-entropy of the next characters y after x, (steps, batch); and the last states.
    Variables loss(const Variable& x, const Variable& y, const Variable& h,
                   const Variable& cell) const {
        auto body = [&](const Step& s) { return step(s.sequences[0], s.states[0], s.states[1]); };
        auto states = scan(body, {.sequences = {x}, .outputs_info = {h, cell}}).outputs;
        Variable guesses = softmax(scores(reshape(states[0], {-1, hidden})));
        return {mean(categorical_crossentropy(guesses, flatten(y))), at(states[0], {-1}),
                at(states[1], {-1})};
    }

    // A text of `count` characters, each drawn from what the network expects after those before it.
    ScanResult writer(const Variable& start, int64_t count, RandomStream& random,
                      float temperature = 0.7f) const {
        auto body = [&](const Step& s) {
            Variables next = step(s.states[0], s.states[1], s.states[2]);
            Variable letter = random.categorical(softmax(scores(next[0]) / temperature));
            return Variables{letter, next[0], next[1]};
        };
        Variable nothing = zeros({1, hidden}, DType::Float32);
        return scan(body, {.outputs_info = {start, nothing, nothing}, .n_steps = count});
    }
};

void run(const Settings& s) {
    Text text = read_text(s.data);
    size_t size = text.codes.size(), kept = size - size / 40;
    Array train = streams(text.codes, 0, kept, s.batch);
    Array test = streams(text.codes, kept, size, s.batch);
    int64_t windows = (train.shape(0) - 1) / s.steps, test_windows = (test.shape(0) - 1) / s.steps;
    if (test_windows < 1)
        fail(ErrorKind::Value, size, " characters are too few for ", s.batch, " streams of ",
             s.steps, " steps");
    std::cout << size << " characters, " << text.alphabet.size() << " different ones, the last "
              << size - kept << " held out\n";

    RandomStream random(s.seed);
    Lstm lstm(static_cast<int64_t>(text.alphabet.size()), s.hidden, random);
    Array nothing = zeros<float>({s.batch, s.hidden});
    auto h = shared(nothing, "h"), cell = shared(nothing, "cell");
    auto x = matrix<int64_t>("x"), y = matrix<int64_t>("y"), start = vector<int64_t>("start");
    Variables loss = lstm.loss(x, y, h, cell);
    Updates carry = {{h, loss[1]}, {cell, loss[2]}};
    Updates all = optimizers::adam(loss[0], lstm.parameters(), 0.01).updates;
    all.insert(all.end(), carry.begin(), carry.end());
    auto learn = function({x, y}, loss[0], {.updates = all, .name = "learn"});
    auto measure = function({x, y}, loss[0], {.updates = carry, .name = "measure"});
    ScanResult written = lstm.writer(start, 400, random);
    auto write = function({start}, flatten(written.outputs[0]),
                          {.updates = written.updates, .name = "write"});

    auto call = [&](const Function& f, const Array& data, int64_t i) {
        return f(rows(data, i * s.steps, s.steps), rows(data, i * s.steps + 1, s.steps))
            .item<double>();
    };
    auto restart = [&] {
        h.set_value(nothing);
        cell.set_value(nothing);
    };
    // Of the held-out text; training then goes on from where it was.
    auto perplexity = [&] {
        Array h_before = h.get_value(), cell_before = cell.get_value();
        restart();
        double total = 0;
        for (int64_t i = 0; i < test_windows; ++i) total += call(measure, test, i);
        h.set_value(h_before);
        cell.set_value(cell_before);
        return std::exp(total / static_cast<double>(test_windows));
    };

    examples::Clock clock;
    std::vector<double> losses;
    double reached = std::numeric_limits<double>::infinity();
    for (int epoch = 1; epoch <= s.epochs && clock.seconds() < s.seconds; ++epoch) {
        restart();
        Progress progress(windows, cat("epoch ", epoch));
        for (int64_t i = 0; i < windows; ++i) {
            losses.push_back(call(learn, train, i));
            progress.advance(
                1, examples::text("perplexity %.3f", std::exp(examples::mean_of_last(losses, 50))));
            bool late = clock.seconds() > s.seconds;
            if ((i + 1) % s.report == 0 || i + 1 == windows || late) {
                reached = perplexity();
                std::printf("%.0f s, window %d: held-out perplexity %.4f\n", clock.seconds(),
                            static_cast<int>(i + 1), reached);
            }
            if (late) break;
        }
        progress.finish();
    }

    auto folder = examples::folder(s.output);
    save_npz(folder / "char_lstm_losses.npz", {{"losses", examples::as_vector(losses)}});
    save_npz(folder / "char_lstm.npz", examples::values_of(lstm.parameters()));
    std::string sample;
    for (int64_t code : write(Array::of({int64_t{0}})).only().to_vector<int64_t>())
        sample += text.alphabet[static_cast<size_t>(code)];
    std::ofstream(folder / "char_lstm.txt") << sample;
    std::cout << "The network writes:\n" << sample << "\n";
    std::printf("trained in %.1f s: perplexity %.3f a character on held-out text\n",
                clock.seconds(), reached);
}

}  // namespace

int main(int argc, char** argv) {
    return examples::guarded([&] { run(read_settings(argc, argv)); });
}
