// What is survived: caches that are broken or cannot be written, full disks, calls that fail
// midway.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "croton/base/file.hpp"
#include "croton/base/settings.hpp"
#include "croton/runtime/disk_cache.hpp"
#include "tests/errors/row.hpp"

namespace croton::test {
namespace {

namespace fs = std::filesystem;

// --- the cache ----------------------------------------------------------------------------------

/// Functions compiled inside use this folder as their cache.
class CacheIn {
  public:
    explicit CacheIn(const std::string& folder) : before_(get_setting("cache_dir")) {
        set_setting("cache_dir", folder);
        runtime::set_cache_warning([this](const std::string& line) { warnings.push_back(line); });
    }
    ~CacheIn() {
        set_setting("cache_dir", before_);
        runtime::set_cache_warning({});
    }
    std::vector<std::string> warnings;

  private:
    std::string before_;
};

struct Compiled {
    double value;
    int made, found;
};
// A function that no other test compiles; it dies here, and with it its code in memory.
Compiled compiled(double number) {
    auto x = vector<double>("x");
    auto f = function({x}, sum(exp(x * number) + 0.123456789));
    double value = f(Array::of<double>({0, 0})).item<double>();
    return {value, f.trace().compiled_kernels, f.trace().cached_kernels};
}
constexpr double right = 2.246913578;

std::vector<fs::path> files_in(const fs::path& folder) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file()) files.push_back(entry.path());
    return files;
}

TEST(Survival, AnEntryOfTheCacheThatWasChangedIsRebuiltNotBelieved) {
    Scratch scratch;
    CacheIn cache((scratch / "cache").string());
    auto first = compiled(1.5);
    ASSERT_GT(first.made, 0);
    auto again = compiled(1.5);
    ASSERT_EQ(again.made, 0) << "the cache is not used: the rest proves nothing";
    auto spoil = [&](auto change) {
        auto files = files_in(scratch / "cache");
        ASSERT_FALSE(files.empty());
        for (const auto& file : files) {
            std::string bytes = read_file(file);
            change(bytes);
            std::ofstream(file, std::ios::binary) << bytes;
        }
        auto rebuilt = compiled(1.5);
        EXPECT_NEAR(rebuilt.value, right, 1e-12);
        EXPECT_GT(rebuilt.made, 0);
        EXPECT_EQ(compiled(1.5).made, 0) << "the rebuilt entry is kept";
    };
    spoil([](std::string& bytes) { bytes[bytes.size() / 2] ^= 0x40; });
    spoil([](std::string& bytes) { bytes.resize(bytes.size() / 2); });
    spoil([](std::string& bytes) { bytes.clear(); });
    spoil([](std::string& bytes) { bytes = "nonsense"; });
    EXPECT_TRUE(cache.warnings.empty()) << cache.warnings[0];
}

TEST(Survival, AHomeThatCannotBeWrittenIsToldOnce) {
    Scratch scratch;
    std::ofstream(scratch / "home") << "a file, so that no folder can be made below it";
    CacheIn cache((scratch / "home" / "croton").string());
    for (double number : {2.5, 3.5, 4.5}) EXPECT_NEAR(compiled(number).value, right, 1e-12);
    ASSERT_EQ(cache.warnings.size(), 1u);
    EXPECT_NE(cache.warnings[0].find((scratch / "home").string()), std::string::npos)
        << cache.warnings[0];
}

// Runs a check in a process of its own in which no file can grow beyond `bytes`: a full disk.
template <class Check>
std::string on_a_full_disk(rlim_t bytes, Check check) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    pid_t child = ::fork();
    if (child == 0) {
        ::signal(SIGXFSZ, SIG_IGN);
        rlimit small{bytes, bytes};
        ::setrlimit(RLIMIT_FSIZE, &small);
        std::string said;
        try {
            said = check();
        } catch (const Error& error) {
            said = cat(error_name(error.kind()), ": ", error.what());
        } catch (...) {
            said = "an exception that is no croton::Error";
        }
        auto written = ::write(ends[1], said.data(), said.size());
        ::_exit(written == static_cast<ssize_t>(said.size()) ? 0 : 1);
    }
    ::close(ends[1]);
    std::string said;
    char buffer[4096];
    for (ssize_t got; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;)
        said.append(buffer, static_cast<size_t>(got));
    ::close(ends[0]);
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    return said;
}

TEST(Survival, AFullDiskUnderTheCacheIsToldOnce) {
    Scratch scratch;
    CacheIn cache((scratch / "cache").string());
    std::string said = on_a_full_disk(64, [&] {
        bool good = true;
        for (double number : {5.5, 6.5, 7.5})
            good = good && std::abs(compiled(number).value - right) < 1e-12;
        return cat(good ? "right" : "wrong", " ", cache.warnings.size(), " ",
                   cache.warnings.empty() ? "" : cache.warnings[0]);
    });
    EXPECT_EQ(said.substr(0, 8), "right 1 ") << said;
    EXPECT_NE(said.find((scratch / "cache").string()), std::string::npos) << said;
    EXPECT_TRUE(files_in(scratch / "cache").empty()) << "no half-written file is left";
}

TEST(Survival, AFullDiskLeavesTheOldFile) {
    Scratch scratch;
    auto old = counting({10});
    struct Format {
        const char* name;
        std::function<void(const fs::path&, const Array&)> save;
        std::function<Array(const fs::path&)> load;
    };
    const Format formats[] = {
        {"a.npy", save_npy, load_npy},
        {"a.npz", [](auto& path, auto& w) { save_npz(path, {{"w", w}}); },
         [](auto& path) { return load_npz(path).at("w"); }},
        {"a.safetensors", [](auto& path, auto& w) { save_safetensors(path, {{"w", w}}); },
         [](auto& path) { return load_safetensors(path).arrays.at("w"); }},
    };
    for (const auto& format : formats) {
        fs::path path = scratch / format.name;
        format.save(path, old);
        std::string said = on_a_full_disk(2000, [&] {
            format.save(path, counting({10000}));
            return std::string("nothing was wrong");
        });
        EXPECT_TRUE(said.starts_with("IoError: ")) << said;
        EXPECT_NE(said.find(path.string()), std::string::npos) << said;
        EXPECT_NE(said.find("File too large"), std::string::npos) << said;
        EXPECT_TRUE(format.load(path).identical(old)) << format.name;
    }
    EXPECT_EQ(files_in(scratch.path()).size(), 3u) << "no half-written file is left";
}

// --- calls that fail ----------------------------------------------------------------------------

/// Passes its argument on, unless an element is negative.
class Guard : public UserOp {
    std::string name() const override { return "Guard"; }
    std::vector<TensorType> types(std::span<const TensorType> inputs) const override {
        return {inputs[0]};
    }
    std::vector<Array> perform(std::span<const Array> inputs) const override {
        for (double x : inputs[0].to_vector<double>())
            if (x < 0) throw std::runtime_error("negative");
        return {inputs[0].copy()};
    }
};

struct Failure {
    std::string name;
    ErrorKind kind;
    std::function<Variable(const Variable& w, const Variable& x)> next;
    Array good, bad;  ///< arguments
};
std::vector<Failure> failures() {
    return {
        {"sizes", ErrorKind::Shape, [](auto& w, auto& x) { return w * 2.0 + x; }, counting({4}),
         counting({3})},
        {"index", ErrorKind::Index,
         [](auto& w, auto& x) { return inc_subtensor(take(w, cast(x, DType::Int64)), 1.0); },
         counting({4}), counting({6})},
        {"user op", ErrorKind::Value,
         [](auto& w, auto& x) { return w + user_op_one(std::make_shared<Guard>(), {x}); },
         counting({4}), Array::of<double>({1, 2, 3, -4})},
        {"assertion", ErrorKind::Value,
         [](auto& w, auto& x) { return w + assert_(x, gt(x, -1.0), "x is negative"); },
         counting({4}), Array::of<double>({1, 2, 3, -4})},
        {"nothing to reduce", ErrorKind::Value, [](auto& w, auto& x) { return w + max(x); },
         counting({4}), counting({0})},
    };
}

class FailingCall : public testing::TestWithParam<std::tuple<size_t, const char*>> {};

TEST_P(FailingCall, LeavesEverySharedVariableAsItWas) {
    auto row = failures()[std::get<0>(GetParam())];
    auto x = vector<double>("x");
    auto first = shared(counting({4}), "first"), second = shared(counting({4}), "second");
    auto third = shared(counting({2, 3}), "third");
    FunctionOptions options;
    options.mode = compile::mode_named(std::get<1>(GetParam()));
    options.updates = {{first, first + 1.0}, {second, row.next(second, x)}, {third, third * 2.0}};
    auto f = function({x}, sum(first) + sum(x), options);
    auto values = [&] {
        return std::vector<Array>{first.get_value(), second.get_value(), third.get_value()};
    };
    auto same = [&](const std::vector<Array>& a, const std::vector<Array>& b) {
        for (size_t i = 0; i < a.size(); ++i)
            if (!a[i].identical(b[i])) return false;
        return true;
    };
    for (int round = 0; round < 3; ++round) {
        auto before = values();
        try {
            f(row.bad);
            FAIL() << "the call did not fail";
        } catch (const Error& error) {
            EXPECT_EQ(error_name(error.kind()), error_name(row.kind)) << error.what();
        }
        EXPECT_TRUE(same(before, values())) << "round " << round;
        f(row.good);
        auto after = values();
        EXPECT_FALSE(same(before, after)) << "a right call works after one that failed";
        EXPECT_EQ(after[0].at<double>({1}), before[0].at<double>({1}) + 1);
        EXPECT_EQ(after[2].at<double>({1, 1}), before[2].at<double>({1, 1}) * 2);
    }
}

INSTANTIATE_TEST_SUITE_P(Table, FailingCall,
                         testing::Combine(testing::Range<size_t>(0, 5),
                                          testing::Values("quick", "fast", "check")),
                         [](const auto& info) {
                             std::string name = failures()[std::get<0>(info.param)].name;
                             std::replace(name.begin(), name.end(), ' ', '_');
                             return name + "_" + std::get<1>(info.param);
                         });

// --- what is let pass ---------------------------------------------------------------------------

TEST(Survival, UnusedInputsAreWarnedOfOrIgnored) {
    auto x = vector<double>("x"), y = vector<double>("y");
    auto run = [&](const char* action) {
        testing::internal::CaptureStderr();
        auto f = function({x, y}, sum(x), {.on_unused_input = action});
        EXPECT_EQ(f(counting({3}), counting({3})).item<double>(), 3);
        return testing::internal::GetCapturedStderr();
    };
    std::string warning = run("warn");
    EXPECT_NE(warning.find("'y'"), std::string::npos) << warning;
    EXPECT_NE(warning.find("test_survival.cpp:"), std::string::npos) << warning;
    EXPECT_EQ(run("ignore"), "");
}

TEST(Survival, DowncastsThatAreAllowedHappen) {
    auto x = vector<float>("x");
    auto f = function({x}, sum(x), {.allow_input_downcast = true});
    EXPECT_EQ(f(counting({3})).item<float>(), 3);
    auto s = scalar<float>("s");
    EXPECT_EQ(function({s}, s * 2)(1.5).item<float>(), 3) << "plain numbers need no permission";
}

TEST(Survival, DisconnectedVariablesMayHaveAGradientOfZero) {
    auto x = vector<double>("x"), y = vector<double>("y");
    auto cost = sum(sqr(x));
    testing::internal::CaptureStderr();
    auto g = grad(cost, y, {.disconnected = Disconnected::Warn});
    std::string warning = testing::internal::GetCapturedStderr();
    EXPECT_NE(warning.find("y"), std::string::npos);
    EXPECT_NE(warning.find("does not depend on"), std::string::npos) << warning;
    EXPECT_EQ(eval(g, {{y, counting({2})}}).to_vector<double>(), std::vector<double>({0, 0}));
    testing::internal::CaptureStderr();
    grad(cost, y, {.disconnected = Disconnected::Ignore});
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace croton::test
