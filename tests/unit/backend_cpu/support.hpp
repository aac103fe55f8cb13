#pragma once
// What tests of the cpu back end share.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "croton/backend/cpu/cpu.hpp"
#include "croton/base/error.hpp"
#include "croton/base/settings.hpp"

namespace croton::cpu {

/// Sets cpu_level and cache_dir for one test.
class Cpu : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "croton-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        settings().cache_dir = folder_;
    }
    void TearDown() override {
        settings().cache_dir = before_.cache_dir;
        settings().cpu_level = before_.cpu_level;
        std::filesystem::remove_all(folder_);
    }
    std::shared_ptr<const runtime::KernelSet> compile(std::vector<kernel::Kernel> kernels) {
        stats_ = {};
        return backend_->compile(kernels, &stats_);
    }
    std::vector<std::filesystem::path> files() const {
        std::vector<std::filesystem::path> result;
        for (const auto& entry : std::filesystem::directory_iterator(folder_))
            result.push_back(entry.path());
        return result;
    }

    Settings before_ = settings();
    std::string folder_;
    std::unique_ptr<runtime::Backend> backend_ = make_cpu_backend();
    runtime::CompileStats stats_;
};

inline kernel::Fault run(const runtime::KernelSet& set, int index, std::vector<int64_t> extents,
                         std::vector<void*> pointers, std::vector<std::vector<int64_t>> strides,
                         int64_t begin = 0, int64_t end = -1) {
    std::vector<const int64_t*> rows;
    for (const auto& row : strides) rows.push_back(row.data());
    return set.run(index, {extents.data(), pointers.data(), rows.data(), rows.data()}, begin, end);
}

inline std::vector<const char*> levels_of_this_machine() {
    std::vector<const char*> levels;
    for (const char* level : {"sse2", "avx2", "avx512"}) try {
            find_level(level);
            levels.push_back(level);
        } catch (const Error&) {
        }
    return levels;
}

}  // namespace croton::cpu
