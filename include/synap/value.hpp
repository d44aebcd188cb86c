// What goes into calls and comes out of them: values, bytes, errors.
#ifndef SYNAP_VALUE_HPP
#define SYNAP_VALUE_HPP

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "../synap.h"

namespace synap {

// What went wrong. code is a SYNAP_E… value.
class Error : public std::runtime_error {
public:
    Error(std::int32_t code, std::int32_t status, std::uint32_t flags, const std::string &message, std::string command = {}, std::string transport = {})
        : std::runtime_error(message), code_(code), status_(status), flags_(flags), command_(std::move(command)), transport_(std::move(transport)) {}

    std::int32_t code() const noexcept { return code_; }
    // The HTTP status, 0 where there is none.
    std::int32_t status() const noexcept { return status_; }
    // The same call may succeed later.
    bool retryable() const noexcept { return (flags_ & SYNAP_RETRYABLE) != 0; }
    // The command may have taken effect.
    bool maybe_applied() const noexcept { return (flags_ & SYNAP_MAYBE_APPLIED) != 0; }
    // The command that failed, and the scheme of the address.
    const std::string &command() const noexcept { return command_; }
    const std::string &transport() const noexcept { return transport_; }

private:
    std::int32_t code_, status_;
    std::uint32_t flags_;
    std::string command_, transport_;
};

// A JSON value, or a payload of Client::command. Objects keep their order.
class Value {
public:
    using Array = std::vector<Value>;
    using Object = std::vector<std::pair<std::string, Value>>;
    // Bytes, which only raw replies of binary wires hold.
    struct Bytes {
        std::string data;
        bool operator==(const Bytes &o) const { return data == o.data; }
    };

    Value() = default;
    Value(std::nullptr_t) {}
    // Of bool itself, so that no pointer becomes true.
    template <typename B, std::enable_if_t<std::is_same_v<B, bool>, int> = 0> Value(B b) : v_(b) {}
    template <typename N, std::enable_if_t<std::is_integral_v<N> && !std::is_same_v<N, bool>, int> = 0> Value(N n) {
        if (std::is_signed_v<N> || static_cast<std::uint64_t>(n) <= static_cast<std::uint64_t>(INT64_MAX))
            v_ = static_cast<std::int64_t>(n);
        else
            v_ = static_cast<std::uint64_t>(n);
    }
    Value(double f) : v_(f) {}
    Value(const char *s) : v_(std::string(s)) {}
    Value(std::string s) : v_(std::move(s)) {}
    Value(std::string_view s) : v_(std::string(s)) {}
    Value(Bytes b) : v_(std::move(b)) {}
    Value(Array a) : v_(std::move(a)) {}
    Value(Object o) : v_(std::move(o)) {}

    bool is_null() const { return std::holds_alternative<std::monostate>(v_); }
    // The value as T (bool, std::int64_t, std::uint64_t, double, std::string, Bytes, Array, Object),
    // nullptr if it is of another type.
    template <typename T> const T *get() const { return std::get_if<T>(&v_); }
    // A member of an object, nullptr if there is none.
    const Value *find(std::string_view key) const {
        if (const Object *o = get<Object>()) {
            for (const auto &member : *o) {
                if (member.first == key)
                    return &member.second;
            }
        }
        return nullptr;
    }
    bool operator==(const Value &o) const { return v_ == o.v_; }
    bool operator!=(const Value &o) const { return !(*this == o); }

private:
    std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Bytes, Array, Object> v_;
};

// Bytes given to a call.
class BytesView {
public:
    BytesView(std::string_view s) : data_(s.data()), size_(s.size()) {}
    BytesView(const std::string &s) : data_(s.data()), size_(s.size()) {}
    BytesView(const char *s) : BytesView(std::string_view(s)) {}
    BytesView(const std::vector<std::uint8_t> &v) : data_(v.data()), size_(v.size()) {}
    BytesView(const void *data, std::size_t size) : data_(data), size_(size) {}
    const void *data() const { return data_; }
    std::size_t size() const { return size_; }

private:
    const void *data_;
    std::size_t size_;
};

// A key-value value given to a call: text, or bytes if it is not valid UTF-8 or
// given as a vector of bytes.
class Blob {
public:
    Blob(std::string_view s) : data_(s.data()), size_(s.size()), bytes_(!is_utf8(s)) {}
    Blob(const std::string &s) : Blob(std::string_view(s)) {}
    Blob(const char *s) : Blob(std::string_view(s)) {}
    Blob(const std::vector<std::uint8_t> &v) : data_(v.data()), size_(v.size()), bytes_(true) {}
    synap_blob view() const {
        synap_blob b = bytes_ ? synap_binary(data_, size_) : synap_text_n(static_cast<const char *>(data_), size_);
        return b;
    }

private:
    static bool is_utf8(std::string_view s) {
        for (std::size_t i = 0; i < s.size();) {
            unsigned char c = static_cast<unsigned char>(s[i]);
            std::size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
            if (n == 0 || i + n > s.size())
                return false;
            for (std::size_t k = 1; k < n; k++) {
                if ((static_cast<unsigned char>(s[i + k]) & 0xc0) != 0x80)
                    return false;
            }
            unsigned char d = n > 1 ? static_cast<unsigned char>(s[i + 1]) : 0;
            if ((c == 0xe0 && d < 0xa0) || (c == 0xed && d > 0x9f) || (c == 0xf0 && d < 0x90) || (c == 0xf4 && d > 0x8f))
                return false;
            i += n;
        }
        return true;
    }
    const void *data_;
    std::size_t size_;
    bool bytes_;
};

// A place on earth under the name of a member.
struct Place {
    double latitude, longitude; // degrees
    std::string member;
};

} // namespace synap

#endif
