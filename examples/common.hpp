#pragma once
// What the examples need beside Croton: command lines, text files, a clock. Nothing of interest is
// shown here.
#include <chrono>
#include <croton/croton.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <numeric>
#include <sstream>
#include <variant>

namespace examples {

struct Option {
    std::string name;
    std::variant<int*, int64_t*, uint64_t*, double*, std::string*> target;
};

/// Sets what an option is for.
inline void assign(const Option& option, const std::string& value) {
    auto parse = [&]<class T>(T* target) {
        if constexpr (std::is_same_v<T, std::string>) {
            *target = value;
        } else {
            std::istringstream in(value);
            if (!(in >> *target) || !in.eof())
                croton::fail(croton::ErrorKind::Usage, "option --", option.name,
                             " takes a number, not '", value, "'");
        }
    };
    std::visit(parse, option.target);
}

/// The option of that name, or of the only name that begins like it: --out for --output.
inline const Option& find(const std::vector<Option>& options, const std::string& given) {
    const Option* found = nullptr;
    std::string names;
    for (const auto& option : options) {
        names += " --" + option.name;
        if ("--" + option.name == given) return option;
        if (given.size() < 3 || !("--" + option.name).starts_with(given)) continue;
        if (found) croton::fail(croton::ErrorKind::Usage, "option ", given, " may mean several");
        found = &option;
    }
    if (!found)
        croton::fail(croton::ErrorKind::Usage, "unknown option ", given, "; there are", names);
    return *found;
}

/// Reads "--name value" pairs. Usage error naming the option that is unknown or has no such value.
inline void read_options(int argc, char** argv, const std::vector<Option>& options) {
    for (int i = 1; i < argc; i += 2) {
        const Option& option = find(options, argv[i]);
        if (i + 1 == argc)
            croton::fail(croton::ErrorKind::Usage, "option ", argv[i], " needs a value");
        assign(option, argv[i + 1]);
    }
}

/// What programs that fit a model are told; those with more to say derive from it.
struct FitSettings {
    int epochs = 1;
    double seconds = 600;
    uint64_t seed = 1;
    std::string output = "output", data;

    /// These and the program's own, from its arguments.
    void read(int argc, char** argv, std::vector<Option> own) {
        own.insert(own.end(), {{"epochs", &epochs},
                               {"seconds", &seconds},
                               {"seed", &seed},
                               {"output", &output},
                               {"data", &data}});
        read_options(argc, argv, own);
    }
};

/// The bytes of a file.
inline std::string file_bytes(const std::filesystem::path& path, const std::string& help) {
    std::ifstream in(path, std::ios::binary);
    if (!in) croton::fail(croton::ErrorKind::Io, "cannot read ", path.string(), help);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// The numbers of a text file.
inline std::vector<double> file_numbers(const std::filesystem::path& path) {
    std::istringstream in(file_bytes(path, ", which should hold one number a line"));
    std::vector<double> numbers{std::istream_iterator<double>(in), {}};
    if (!in.eof() || numbers.empty())
        croton::fail(croton::ErrorKind::Io, path.string(), " should hold one number a line");
    return numbers;
}

/// Seconds since it was made.
class Clock {
  public:
    double seconds() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }

  private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// A number as printf writes it: text("%.3f", x).
inline std::string text(const char* format, double value) {
    char result[64];
    std::snprintf(result, sizeof result, format, value);
    return result;
}

inline double mean_of_last(const std::vector<double>& values, size_t count) {
    auto first = values.end() - static_cast<std::ptrdiff_t>(std::min(count, values.size()));
    return std::accumulate(first, values.end(), 0.0) / static_cast<double>(values.end() - first);
}

inline croton::Array as_vector(const std::vector<double>& values) {
    return croton::Array::of(values, {static_cast<int64_t>(values.size())});
}

inline std::map<std::string, croton::Array> values_of(
    const std::vector<croton::SharedVariable>& parameters) {
    std::map<std::string, croton::Array> values;
    for (const auto& p : parameters) values.emplace(p.name(), p.get_value());
    return values;
}

/// A folder, made if it is not there.
inline std::filesystem::path folder(const std::string& name) {
    std::filesystem::create_directories(name);
    return name;
}

/// Runs a program; errors end it with one line that says what is wrong.
template <class Program>
int guarded(Program program) {
    try {
        program();
        return 0;
    } catch (const croton::Error& error) {
        std::cerr << croton::error_name(error.kind()) << ": " << error.what() << "\n";
        return 1;
    }
}

}  // namespace examples
