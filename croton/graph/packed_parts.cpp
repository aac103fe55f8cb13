#include "croton/graph/packed_parts.hpp"

#include <algorithm>

#include "croton/base/format.hpp"

namespace croton::packed {

// --- writing ------------------------------------------------------------------------------------

void PartsWriter::write_op(const OpRecord& op) {
    auto [number, added] = ops_[&op];
    out_.number(number);
    if (!added) return;
    tellable_ &= options_.find_op(op.name) == &op;
    out_.text(op.name);
}

void PartsWriter::write_attribute(const AttrValue& value) {
    out_.byte(static_cast<uint8_t>(value.index()));
    if (auto flag = std::get_if<bool>(&value))
        out_.byte(*flag);
    else if (auto whole = std::get_if<int64_t>(&value))
        out_.whole(*whole);
    else if (auto number = std::get_if<double>(&value))
        out_.real(*number);
    else if (auto text = std::get_if<std::string>(&value))
        out_.text(*text);
    else if (auto dtype = std::get_if<DType>(&value))
        out_.byte(static_cast<uint8_t>(*dtype));
    else if (auto ints = std::get_if<Ints>(&value))
        write_ints(*ints);
    else if (auto opaque = std::get_if<std::shared_ptr<const Opaque>>(&value); opaque && !*opaque)
        out_.number(0);
    else
        write_opaque(value);
}

void PartsWriter::write_opaque(const AttrValue&) { tellable_ = false; }

void PartsWriter::write_ints(const Ints& values) {
    out_.number(values.size());
    for (int64_t value : values) out_.whole(value);
}

void PartsWriter::write_type(const TensorType& type) {
    if (type_seen_ && type == last_type_) return out_.number(last_number_);
    auto [number, added] = types_[type];
    out_.number(number);
    if (added) {
        out_.byte(static_cast<uint8_t>(type.dtype));
        out_.number(type.dims.size());
        for (Dim dim : type.dims) write_dim(dim);
    }
    type_seen_ = true;
    last_type_ = type;
    last_number_ = number;
}

void PartsWriter::write_dim(Dim dim) {
    if (dim.known() || dim.unknown()) return out_.whole(dim.known() ? dim.size() : -1);
    auto [number, added] = symbols_[dim.code()];
    out_.whole(-2 - static_cast<int64_t>(number));
    if (!added) return;
    std::string name = dim.text();
    out_.text(name == cat("n", -dim.code()) ? "" : name);
}

void PartsWriter::write_site(const Site& site) {
    out_.number(site.line);
    if (site.line == 0) return;
    if (site.file == last_file_) return out_.number(last_file_number_);
    auto [number, added] = files_[site.file];  // equal names may lie in several places
    out_.number(number);
    if (added) out_.text(site.file);
    last_file_ = site.file;
    last_file_number_ = number;
}

void PartsWriter::write_elements(const Array& array) {
    constant_bytes_ += array.nbytes();
    tellable_ &= constant_bytes_ <= options_.most_constant_bytes;
    if (!tellable_) return;
    const Array value = array.contiguous() ? array : array.contiguous_copy();
    out_.bytes(value.data(), static_cast<size_t>(value.nbytes()));
}

// --- reading ------------------------------------------------------------------------------------

namespace {
template <class T>
constexpr size_t index_of = place_in<T, AttrValue>;
}  // namespace

const OpRecord* PartsReader::read_op() {
    uint64_t number = in_.number();
    require(number <= ops_.size());
    if (number == ops_.size()) {
        ops_.push_back(options_.find_op(in_.text()));
        require(ops_.back() != nullptr);
    }
    return ops_[number];
}

bool PartsReader::fit(const Attrs& attrs, const OpRecord& op) {
    return std::equal(attrs.values.begin(), attrs.values.end(), op.attributes.begin(),
                      op.attributes.end(), [](const AttrValue& value, const AttrSpec& spec) {
                          return value.index() == spec.default_value.index();
                      });
}

AttrValue PartsReader::read_attribute() {
    switch (in_.byte()) {
        case index_of<bool>: return in_.byte() != 0;
        case index_of<int64_t>: return in_.whole();
        case index_of<double>: return in_.real();
        case index_of<std::string>: return std::string(in_.text());
        case index_of<DType>: return read_dtype();
        case index_of<Ints>: return read_ints();
        case index_of<std::shared_ptr<const Opaque>>: return read_opaque();
        default: throw NotReadable();
    }
}

std::shared_ptr<const Opaque> PartsReader::read_opaque() {
    require(in_.number() == 0);
    return nullptr;
}

Ints PartsReader::read_ints() {
    Ints values;
    for (size_t count = in_.count(); count > 0; --count) values.push_back(in_.whole());
    return values;
}

TensorType PartsReader::read_type() {
    uint64_t number = in_.number();
    require(number <= types_.size());
    if (number == types_.size()) {
        TensorType type{read_dtype(), {}};
        for (size_t count = in_.count(); count > 0; --count) type.dims.push_back(read_dim());
        types_.push_back(std::move(type));
    }
    return types_[number];
}

Dim PartsReader::read_dim() {
    int64_t code = in_.whole();
    if (code == -1) return Dim();
    if (code >= 0) return Dim(code);
    uint64_t number = static_cast<uint64_t>(-2 - code);
    require(number <= symbols_.size());
    if (number == symbols_.size()) {
        auto name = in_.text();
        symbols_.push_back(name.empty() ? Dim::fresh() : Dim::symbol(name));
    }
    return symbols_[number];
}

Site PartsReader::read_site() {
    uint64_t line = in_.number();
    if (line == 0) return {};
    uint64_t number = in_.number();
    require(line <= UINT32_MAX && number <= files_.size());
    if (number == files_.size()) files_.push_back(intern(in_.text()));
    return {files_[number], static_cast<uint32_t>(line), ""};
}

Array PartsReader::read_elements(const TensorType& type) {
    Sizes shape;
    for (Dim dim : type.dims) {
        require(dim.known());
        shape.push_back(dim.size());
    }
    auto content = in_.bytes(static_cast<size_t>(byte_count(type.dtype, shape)));
    Array value = Array::empty(type.dtype, shape);
    if (!content.empty()) std::memcpy(value.data(), content.data(), content.size());
    return value;
}

}  // namespace croton::packed
