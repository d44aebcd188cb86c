// What tests/c/calls_gen.cpp is written in: results are printed as JSON in the notation
// of tests/parity/calls, one step a line, for tests/parity/check to judge.
#include <cmath>
#include <cstdio>

#include "synap.hpp"

// One group of calls; each gets a client with an empty store.
struct calls_group {
    const char *family;
    int number; // in the file of its family
    void (*run)(const synap::Client &client);
};

namespace {

// Texts that later steps need.
[[maybe_unused]] std::map<std::string, std::string> saved;

bool first = true; // no comma before the next element
std::string line;

void begin_item() {
    if (!first)
        line += ',';
    first = false;
}
void begin_map() {
    line += '{';
    first = true;
}
void end_map() {
    line += '}';
    first = false;
}
[[maybe_unused]] void print_name(const char *name) {
    begin_item();
    line += '"' + std::string(name) + "\":";
}

void print(std::nullptr_t) { line += "null"; }
template <typename B, std::enable_if_t<std::is_same_v<B, bool>, int> = 0> void print(B b) { line += b ? "true" : "false"; }
void print(std::int64_t n) { line += std::to_string(n); }
[[maybe_unused]] void print(std::uint64_t n) { line += std::to_string(n); }

void print(double f) {
    char number[64];
    if (std::isnan(f))
        line += "{\"$float\":\"nan\"}";
    else if (std::isinf(f))
        line += f > 0 ? "{\"$float\":\"inf\"}" : "{\"$float\":\"-inf\"}";
    else if (std::snprintf(number, sizeof number, "%.17g", f) > 0)
        line += number;
}

void print_bytes(const std::string &bytes) {
    line += "{\"$bytes\":\"";
    for (unsigned char c : bytes) {
        char digits[3];
        std::snprintf(digits, sizeof digits, "%02x", c);
        line += digits;
    }
    line += "\"}";
}
[[maybe_unused]] void print_bytes(const std::optional<std::string> &bytes) {
    if (bytes)
        print_bytes(*bytes);
    else
        print(nullptr);
}

// Text, or bytes if it is none: the library's own way to tell.
void print(const std::string &s) {
    if (synap::Blob(s).view().is_bytes) {
        print_bytes(s);
        return;
    }
    line += '"';
    for (char c : s) {
        if (static_cast<unsigned char>(c) < ' ' || c == '"' || c == '\\') {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
            line += escape;
        } else {
            line += c;
        }
    }
    line += '"';
}

void print(const synap::Value &v) {
    if (auto b = v.get<bool>()) {
        print(*b);
    } else if (auto n = v.get<std::int64_t>()) {
        print(*n);
    } else if (auto u = v.get<std::uint64_t>()) {
        print(*u);
    } else if (auto f = v.get<double>()) {
        print(*f);
    } else if (auto s = v.get<std::string>()) {
        print(*s);
    } else if (auto raw = v.get<synap::Value::Bytes>()) {
        print_bytes(raw->data);
    } else if (auto a = v.get<synap::Value::Array>()) {
        line += '[';
        first = true;
        for (const auto &e : *a) {
            begin_item();
            print(e);
        }
        line += ']';
        first = false;
    } else if (auto o = v.get<synap::Value::Object>()) {
        begin_map();
        for (const auto &member : *o) {
            begin_item();
            print(member.first);
            line += ':';
            print(member.second);
        }
        end_map();
    } else {
        print(nullptr);
    }
}

} // namespace

// Prints elements. Functions for records are declared later, in the records' own
// namespace, where a template finds them.
template <typename T> void print_any(const T &v);

template <typename T> void print(const std::optional<T> &v) {
    if (v)
        print_any(*v);
    else
        print(nullptr);
}

template <typename T> void print(const std::vector<T> &list) {
    line += '[';
    first = true;
    for (const T &e : list) {
        begin_item();
        print_any(e);
    }
    line += ']';
    first = false;
}

template <typename K, typename T> void print(const std::map<K, T> &m) {
    begin_map();
    for (const auto &[k, e] : m) {
        begin_item();
        print(k);
        line += ':';
        print_any(e);
    }
    end_map();
}

template <typename T> void print_any(const T &v) { print(v); }

// Runs a step and prints its line.
template <typename F> void step(F run) {
    line = "{\"ok\":";
    first = true;
    try {
        run();
        line += "}";
    } catch (const synap::Error &e) {
        line = "{\"error\":" + std::to_string(e.code()) + ",\"message\":";
        print(std::string(e.what()));
        line += "}";
    }
    std::puts(line.c_str());
}

extern const calls_group calls_groups[];

int main() {
    for (const calls_group *g = calls_groups; g->family != nullptr; g++) {
        synap::Client client("memory://");
        std::printf("{\"family\":\"%s\",\"group\":%d}\n", g->family, g->number);
        g->run(client);
    }
    return std::fflush(stdout) == 0 ? 0 : 1;
}
