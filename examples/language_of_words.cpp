// Trains a bidirectional GRU to tell whether a word is English, French or German.
//
//     language_of_words [--epochs 3] [--seconds 600] [--words 40000] [--hidden 64] [--batch 128]
//                       [--seed 1] [--output folder] [--data folder]
//
// Reads Debian's word lists; words are sequences of bytes of different lengths, filled up with
// zeros that a mask tells from letters.
#include <cmath>
#include <cstring>
#include <set>

#include "examples/common.hpp"

using namespace croton;

namespace {

const std::vector<std::string> languages = {"English", "French", "German"};
const std::vector<std::string> files = {"american-english", "french", "ngerman"};
const char* const packages = "wamerican wfrench wngerman";

struct Settings : examples::FitSettings {
    int64_t words = 40000, hidden = 64, batch = 128;
    Settings() {
        epochs = 3;
        data = "/usr/share/dict";
    }
};

Settings read_settings(int argc, char** argv) {
    Settings s;
    s.read(argc, argv, {{"words", &s.words}, {"hidden", &s.hidden}, {"batch", &s.batch}});
    return s;
}

using Words = std::set<std::string>;

// The words of a list in small letters, without those that hold a mark such as an apostrophe.
Words read_words(const std::string& folder, const std::string& name) {
    std::istringstream lines(examples::file_bytes(std::filesystem::path(folder) / name,
                                                  cat(": apt-get install ", packages)));
    Words words;
    for (std::string word; std::getline(lines, word);) {
        bool plain = !word.empty();
        for (char& c : word) {
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
            plain = plain && (static_cast<unsigned char>(c) > 127 || (c >= 'a' && c <= 'z'));
        }
        if (plain) words.insert(word);
    }
    return words;
}

// Of each language `count` words that no other has: a word of two languages has no right answer.
std::vector<std::vector<std::string>> choose_words(const Settings& s) {
    std::vector<Words> lists;
    for (const auto& name : files) lists.push_back(read_words(s.data, name));
    std::vector<std::vector<std::string>> chosen;
    for (const Words& words : lists) {
        std::vector<std::string> own, some;
        for (const auto& word : words) {
            bool shared_word = false;
            for (const Words& other : lists)
                shared_word = shared_word || (&other != &words && other.count(word));
            if (!shared_word) own.push_back(word);
        }
        for (int64_t i : permutation(static_cast<int64_t>(own.size()), s.seed))
            if (static_cast<int64_t>(some.size()) < s.words)
                some.push_back(own[static_cast<size_t>(i)]);
        chosen.push_back(some);
    }
    return chosen;
}

struct Data {
    Array letters;   ///< (word, place), 0 behind a word's end
    Array language;  ///< of each word
};

// In a random order.
Data read_languages(const Settings& s) {
    std::vector<std::pair<std::string, int64_t>> all;
    size_t longest = 0;
    auto chosen = choose_words(s);
    for (size_t k = 0; k < chosen.size(); ++k)
        for (const auto& word : chosen[k]) {
            all.emplace_back(word, static_cast<int64_t>(k));
            longest = std::max(longest, word.size());
        }
    auto count = static_cast<int64_t>(all.size());
    Data data = {zeros<uint8_t>({count, static_cast<int64_t>(longest)}), zeros<int64_t>({count})};
    auto letters = data.letters.data_as<uint8_t>();
    auto language = data.language.data_as<int64_t>();
    for (int64_t i : permutation(count, s.seed + 1)) {
        const auto& [word, k] = all[static_cast<size_t>(i)];
        std::copy(word.begin(), word.end(), letters);
        letters += longest;
        *language++ = k;
    }
    return data;
}

// Rows [first, last), in the same memory.
Array rows(const Array& data, int64_t first, int64_t last) {
    Sizes sizes = data.shape();
    sizes[0] = last - first;
    return Array::view(data.dtype(), sizes, data.strides(),
                       static_cast<char*>(data.data()) + first * data.strides()[0], data.owner());
}

// (place, word), as long as the longest word of these.
Array places_first(const Array& words) {
    int64_t count = words.shape(0), width = words.shape(1), longest = 0;
    auto letters = words.data_as<uint8_t>();
    for (int64_t i = 0; i < count; ++i)
        while (longest < width && letters[i * width + longest]) ++longest;
    Array result = zeros<int64_t>({longest, count});
    for (int64_t t = 0; t < longest; ++t)
        for (int64_t i = 0; i < count; ++i)
            result.data_as<int64_t>()[t * count + i] = letters[i * width + t];
    return result;
}

// A layer of gated recurrent units (Cho et al. 2014) over letters.
struct Gru {
    int64_t hidden;
    SharedVariable letters, recurrent, bias;

    Gru(const std::string& name, int64_t hidden, RandomStream& random) : hidden(hidden) {
        double limit = 1 / std::sqrt(static_cast<double>(hidden));
        auto uniform = [&](int64_t rows, int64_t columns) {
            return eval(random.uniform({rows, columns}, -limit, limit, DType::Float32));
        };
        letters = shared(uniform(256, 3 * hidden), name + ".letters");
        recurrent = shared(uniform(hidden, 3 * hidden), name + ".recurrent");
        bias = shared(zeros<float>({3 * hidden}), name + ".bias");
    }

    // The state after a letter; where the mask is 0 the word has ended and the state stays.
    Variable step(const Variable& letter, const Variable& mask, const Variable& h) const {
        Variable x = take(letters, letter, 0) + bias, past = dot(h, recurrent);
        auto part = [&](const Variable& v, int64_t k) {
            return at(v, {everything, Slice(k * hidden, (k + 1) * hidden)});
        };
        Variable fresh = tanh(part(x, 2) + sigmoid(part(x, 0) + part(past, 0)) * part(past, 2));
        Variable keep = sigmoid(part(x, 1) + part(past, 1));
        return where(expand_dims(mask, {1}), keep * h + (1 - keep) * fresh, h);
    }

    // The state after all letters (place, word).
    Variable read(const Variable& letters, bool backwards) const {
        Variable start = croton::zeros({size_of(letters, 1), hidden}, DType::Float32);
        auto body = [&](const Step& s) {
            return step(s.sequences[0], s.sequences[1], s.states[0]);
        };
        auto states = scan(body, {.sequences = {letters, ne(letters, 0)},
                                  .outputs_info = {start},
                                  .go_backwards = backwards});
        return at(states.outputs[0], {-1});
    }
};

void run(const Settings& s) {
    auto [letters, language] = read_languages(s);
    int64_t all = letters.shape(0), held = all / 10;
    std::cout << all - held << " words to learn from, " << held << " held out, at most "
              << letters.shape(1) << " bytes long\n";

    RandomStream random(s.seed);
    Gru forth("forth", s.hidden, random), back("back", s.hidden, random);
    auto classes = static_cast<int64_t>(languages.size());
    auto weights = shared(zeros<float>({2 * s.hidden, classes}), "weights");
    auto bias = shared(zeros<float>({classes}), "bias");
    std::vector<SharedVariable> parameters = {
        forth.letters,  forth.recurrent, forth.bias, back.letters,
        back.recurrent, back.bias,       weights,    bias};
    auto x = matrix<int64_t>("letters");
    auto y = vector<int64_t>("language");
    Variable scores =
        dot(concatenate({forth.read(x, false), back.read(x, true)}, 1), weights) + bias;
    Variable loss = mean(categorical_crossentropy(softmax(scores), y));
    auto learn =
        function({x, y}, loss,
                 {.updates = optimizers::adam(loss, parameters, 0.003).updates, .name = "learn"});
    auto guess = function({x}, argmax(scores, {1}), {.name = "guess"});

    examples::Clock clock;
    std::vector<double> losses;
    std::vector<int64_t> truth = rows(language, 0, held).to_vector<int64_t>(), guesses;
    double right = 0;
    Batches batches({rows(letters, held, all), rows(language, held, all)}, s.batch, true);
    for (int epoch = 1; epoch <= s.epochs && clock.seconds() < s.seconds; ++epoch) {
        batches.shuffle(s.seed + static_cast<uint64_t>(epoch));
        Progress progress(batches.count(), cat("epoch ", epoch));
        for (int64_t i = 0; i < batches.count() && clock.seconds() < s.seconds; ++i) {
            auto batch = batches.get(i);
            losses.push_back(learn(places_first(batch[0]), batch[1]).item<double>());
            progress.advance(1, examples::text("loss %.4f", examples::mean_of_last(losses, 50)));
        }
        progress.finish();
        guesses = guess(places_first(rows(letters, 0, held))).only().to_vector<int64_t>();
        int64_t hits = 0;
        for (size_t i = 0; i < truth.size(); ++i) hits += guesses[i] == truth[i];
        right = 100 * static_cast<double>(hits) / static_cast<double>(held);
        std::printf("epoch %d: mean loss %.5f, %.2f %% of held-out words right\n", epoch,
                    examples::mean_of_last(losses, static_cast<size_t>(batches.count())), right);
    }

    auto folder = examples::folder(s.output);
    save_npz(folder / "language_of_words_losses.npz", {{"losses", examples::as_vector(losses)}});
    save_npz(folder / "language_of_words.npz", examples::values_of(parameters));
    for (size_t i = 0; i < std::min<size_t>(10, guesses.size()); ++i) {
        auto word = reinterpret_cast<const char*>(letters.data_as<uint8_t>()) +
                    static_cast<int64_t>(i) * letters.shape(1);
        std::string text(word, strnlen(word, static_cast<size_t>(letters.shape(1))));
        std::cout << "  " << text << ": " << languages[static_cast<size_t>(guesses[i])];
        if (guesses[i] != truth[i])
            std::cout << ", no, " << languages[static_cast<size_t>(truth[i])];
        std::cout << "\n";
    }
    std::printf("trained in %.1f s: %.2f %% of %d held-out words right\n", clock.seconds(), right,
                static_cast<int>(held));
}

}  // namespace

int main(int argc, char** argv) {
    return examples::guarded([&] { run(read_settings(argc, argv)); });
}
