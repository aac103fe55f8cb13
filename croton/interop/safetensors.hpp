#pragma once
// The safetensors format (github.com/huggingface/safetensors, "Format"): named arrays that can be
// read without running code.
#include <filesystem>
#include <map>
#include <string>

#include "croton/type/array.hpp"

namespace croton {

struct Safetensors {
    std::map<std::string, Array> arrays;
    std::map<std::string, std::string> metadata;
};

/// Reads all arrays. Every rule of the format is checked: the header's length and place, its JSON
/// (no name twice), element types, sizes against offsets, and that the arrays fill the data without
/// holes or overlaps. Io error naming the file and the array otherwise; Unsupported error for
/// element types that Croton lacks (8-bit and smaller floats).
Safetensors load_safetensors(const std::filesystem::path& path);

/// Writes arrays and metadata; every dtype but complex128 (Unsupported error: the format lacks it).
/// Value error for names that are not UTF-8 or are "__metadata__". Arrays of wide elements come
/// first so that all are aligned; the same arrays give the same bytes. The file appears whole or
/// not at all.
void save_safetensors(const std::filesystem::path& path, const std::map<std::string, Array>& arrays,
                      const std::map<std::string, std::string>& metadata = {});

}  // namespace croton
