// How values of C++ become requests, and replies values: no part of the interface.
#ifndef SYNAP_WIRE_HPP
#define SYNAP_WIRE_HPP

#include <map>
#include <optional>

#include "value.hpp"

namespace synap {

namespace detail {

// A frame being written.
class Writer {
public:
    Writer() { synap_writer_init(&w_); }
    ~Writer() { synap_writer_free(&w_); }
    Writer(const Writer &) = delete;
    Writer &operator=(const Writer &) = delete;
    synap_writer *operator&() { return &w_; }
    const synap_writer &raw() const { return w_; }

private:
    synap_writer w_;
};

inline synap_str str(std::string_view s) {
    synap_str r;
    r.data = s.data();
    r.len = s.size();
    return r;
}

inline void write(Writer &w, std::string_view s) { synap_write_str(&w, str(s)); }
inline void write(Writer &w, const Blob &b) { synap_write_blob(&w, b.view()); }
inline void write(Writer &w, BytesView b) { synap_write_bytes(&w, synap_bytes_of(b.data(), b.size())); }
inline void write(Writer &w, std::int64_t n) { synap_write_int(&w, n); }
inline void write(Writer &w, double f) { synap_write_float(&w, f); }
inline void write(Writer &w, bool b) { synap_write_bool(&w, b); }

inline void write(Writer &w, const std::vector<std::string> &list) {
    synap_write_array(&w, list.size());
    for (const auto &s : list)
        write(w, std::string_view(s));
}

inline void write(Writer &w, const std::vector<double> &list) {
    synap_write_array(&w, list.size());
    for (double f : list)
        write(w, f);
}

inline void write(Writer &w, const std::vector<Place> &list) {
    synap_write_array(&w, list.size());
    for (const Place &p : list) {
        synap_write_array(&w, 3);
        write(w, p.latitude);
        write(w, p.longitude);
        write(w, Blob(p.member));
    }
}

inline void write_blobs(Writer &w, const std::vector<std::string> &list) {
    synap_write_array(&w, list.size());
    for (const std::string &s : list)
        write(w, Blob(s));
}

inline void write(Writer &w, const std::vector<std::pair<std::string, std::string>> &pairs) {
    synap_write_array(&w, pairs.size());
    for (const auto &p : pairs) {
        synap_write_array(&w, 2);
        write(w, std::string_view(p.first));
        write(w, Blob(p.second));
    }
}

inline void write(Writer &w, const std::map<std::string, std::string> &m) {
    synap_write_map(&w, m.size());
    for (const auto &p : m) {
        write(w, std::string_view(p.first));
        write(w, std::string_view(p.second));
    }
}

inline void write(Writer &w, const Value &v) {
    if (auto b = v.get<bool>()) {
        synap_write_bool(&w, *b);
    } else if (auto n = v.get<std::int64_t>()) {
        synap_write_int(&w, *n);
    } else if (auto u = v.get<std::uint64_t>()) {
        synap_write_uint(&w, *u);
    } else if (auto f = v.get<double>()) {
        synap_write_float(&w, *f);
    } else if (auto s = v.get<std::string>()) {
        write(w, std::string_view(*s));
    } else if (auto raw = v.get<Value::Bytes>()) {
        synap_write_bytes(&w, synap_bytes_of(raw->data.data(), raw->data.size()));
    } else if (auto a = v.get<Value::Array>()) {
        synap_write_array(&w, a->size());
        for (const auto &e : *a)
            write(w, e);
    } else if (auto o = v.get<Value::Object>()) {
        synap_write_map(&w, o->size());
        for (const auto &member : *o) {
            write(w, std::string_view(member.first));
            write(w, member.second);
        }
    } else {
        synap_write_nil(&w);
    }
}

template <typename T> void write(Writer &w, const std::optional<T> &v) {
    if (v)
        write(w, *v);
    else
        synap_write_nil(&w);
}
inline void write(Writer &w, const std::optional<std::string> &v) {
    if (v)
        write(w, std::string_view(*v));
    else
        synap_write_nil(&w);
}

// The frame of a raw command.
inline void write_command(Writer &w, std::string_view name, const Value &payload) {
    synap_write_array(&w, 3);
    synap_write_int(&w, 1);
    write(w, name);
    write(w, payload);
}

// A received buffer.
class Reply {
public:
    Reply() = default;
    explicit Reply(synap_buf b) : b_(b) {}
    ~Reply() { synap_buf_free(&b_); }
    Reply(Reply &&o) noexcept : b_(std::exchange(o.b_, synap_buf{nullptr, 0})) {}
    Reply &operator=(Reply &&o) noexcept {
        std::swap(b_, o.b_);
        return *this;
    }
    synap_value value() const { return synap_parse(b_); }

private:
    synap_buf b_{nullptr, 0};
};

inline void check(std::int32_t code, synap_error &err) {
    if (code == SYNAP_OK)
        return;
    Error e(err.code, err.status, err.flags, err.message != nullptr ? err.message : "", err.command != nullptr ? err.command : "",
            err.transport != nullptr ? err.transport : "");
    synap_error_free(&err);
    throw e;
}

inline std::string text(synap_value v) {
    synap_bytes b = synap_value_bytes(v);
    return b.data == nullptr ? std::string() : std::string(static_cast<const char *>(b.data), b.len);
}

// Calls f with each element of an array.
template <typename F> void each(synap_value v, F f) {
    const std::uint8_t *p = v.data;
    std::size_t left = v.kind == SYNAP_ARRAY ? v.as.len : 0;
    while (left > 0)
        f(synap_element(&p, v.end, &left));
}

inline void read(synap_value v, bool &out) { out = synap_value_bool(v); }
inline void read(synap_value v, std::int64_t &out) { out = synap_value_int(v); }
inline void read(synap_value v, double &out) { out = synap_value_float(v); }
inline void read(synap_value v, std::string &out) { out = text(v); }

inline void read(synap_value v, Value &out) {
    switch (v.kind) {
    case SYNAP_BOOL: out = v.as.boolean; break;
    case SYNAP_INT: out = std::int64_t{v.as.integer}; break;
    case SYNAP_UINT: out = std::uint64_t{v.as.uinteger}; break;
    case SYNAP_FLOAT: out = v.as.number; break;
    case SYNAP_STR: out = text(v); break;
    case SYNAP_BYTES: out = Value::Bytes{text(v)}; break;
    case SYNAP_ARRAY: {
        Value::Array a;
        each(v, [&](synap_value e) {
            a.emplace_back();
            read(e, a.back());
        });
        out = std::move(a);
        break;
    }
    case SYNAP_MAP: {
        Value::Object o;
        const std::uint8_t *p = v.data;
        std::size_t left = 2 * v.as.len;
        while (left > 0) {
            std::string key = text(synap_element(&p, v.end, &left));
            o.emplace_back(std::move(key), Value());
            read(synap_element(&p, v.end, &left), o.back().second);
        }
        out = std::move(o);
        break;
    }
    default: out = Value();
    }
}

inline void read(synap_value v, std::vector<bool> &out) {
    each(v, [&](synap_value e) { out.push_back(synap_value_bool(e)); });
}

inline void read(synap_value v, std::map<std::string, std::string> &out) {
    const std::uint8_t *p = v.data;
    std::size_t left = v.kind == SYNAP_MAP ? 2 * v.as.len : 0;
    while (left > 0) {
        std::string key = text(synap_element(&p, v.end, &left));
        out[key] = text(synap_element(&p, v.end, &left));
    }
}

// The readers of records stand beside them, in namespace synap.
template <typename T> void read(synap_value v, std::optional<T> &out);

template <typename T> void read(synap_value v, std::vector<T> &out) {
    each(v, [&](synap_value e) {
        out.emplace_back();
        read(e, out.back());
    });
}

template <typename T> void read(synap_value v, std::optional<T> &out) {
    if (v.kind == SYNAP_NIL || v.kind == SYNAP_INVALID)
        return;
    out.emplace();
    read(v, *out);
}

} // namespace detail

} // namespace synap

#endif
