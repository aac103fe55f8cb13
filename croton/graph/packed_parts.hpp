#pragma once
// What packed graphs and packed programs are made of: op names, attributes, types, files. Each is
// written in full where it occurs first, and by its number after that.
#include <memory>
#include <unordered_map>
#include <vector>

#include "croton/base/bytes.hpp"
#include "croton/graph/packed.hpp"

namespace croton::packed {

constexpr int most_nesting = 32;

/// What follows in the list of a graph's nodes.
enum class Tag : uint8_t { End, Leaf, Constant, Apply, Attrs };

/// The place of a type among the alternatives of a variant.
template <class T, class... All>
constexpr size_t place_among(const std::variant<All...>*) {
    size_t place = 0;
    static_cast<void>(((std::is_same_v<T, All> ? false : (++place, true)) && ...));
    return place;
}
template <class T, class Variant>
constexpr size_t place_in = place_among<T>(static_cast<const Variant*>(nullptr));

/// Numbers of things by the order of their first use.
template <class Key, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>>
class Numbered {
  public:
    /// The number, and whether it is new.
    std::pair<size_t, bool> operator[](const Key& key) {
        auto [place, added] = numbers_.try_emplace(key, numbers_.size());
        return {place->second, added};
    }

  private:
    std::unordered_map<Key, size_t, Hash, Equal> numbers_;
};

class PartsWriter {
  public:
    explicit PartsWriter(const PackOptions& options) : options_(options) {}

  protected:
    ~PartsWriter() = default;

    void write_op(const OpRecord& op);
    void write_attribute(const AttrValue& value);
    /// An attribute that is neither number nor text: not tellable, unless somebody knows better.
    virtual void write_opaque(const AttrValue& value);
    void write_ints(const Ints& values);
    void write_type(const TensorType& type);
    void write_site(const Site& site);
    /// The elements; dtype and sizes are the reader's business.
    void write_elements(const Array& array);

    const PackOptions& options_;
    ByteWriter out_;
    bool tellable_ = true;

  private:
    struct TypeHash {
        size_t operator()(const TensorType& type) const { return type.hash(); }
    };
    void write_dim(Dim dim);

    int64_t constant_bytes_ = 0;
    Numbered<const OpRecord*> ops_;
    Numbered<TensorType, TypeHash> types_;
    Numbered<int64_t> symbols_;
    Numbered<std::string_view> files_;
    TensorType last_type_;
    bool type_seen_ = false;
    size_t last_number_ = 0, last_file_number_ = 0;
    const char* last_file_ = nullptr;
};

/// Throws NotReadable, or an Error for sizes that no array can have.
class PartsReader {
  public:
    PartsReader(std::string_view bytes, const PackOptions& options)
        : in_(bytes), options_(options) {}

  protected:
    ~PartsReader() = default;

    static void require(bool condition) { ByteReader::require(condition); }
    const OpRecord* read_op();
    AttrValue read_attribute();
    virtual std::shared_ptr<const Opaque> read_opaque();
    Ints read_ints();
    DType read_dtype() { return in_.one_of<DType>(dtype_count); }
    TensorType read_type();
    Site read_site();
    Array read_elements(const TensorType& type);
    /// The attributes have the forms that the op's record wants.
    static bool fit(const Attrs& attrs, const OpRecord& op);

    ByteReader in_;
    const PackOptions& options_;

  private:
    Dim read_dim();

    std::vector<const OpRecord*> ops_;
    std::vector<TensorType> types_;
    std::vector<Dim> symbols_;
    std::vector<const char*> files_;
};

}  // namespace croton::packed
