// The conformance driver of the C++ interface (tests/conformance/runner,
// driver.go): requests become synap::Client::command.
#include <cstdio>
#include <memory>

#include "synap.hpp"

namespace {

using synap::Value;

Value parse(std::vector<std::uint8_t> &frame) {
    Value v;
    synap::detail::read(synap_parse(synap_buf{frame.data(), frame.size()}), v);
    return v;
}

void answer(const Value &v) {
    synap::detail::Writer w;
    synap::detail::write(w, v);
    const std::size_t len = w.raw().len;
    for (int i = 0; i < 4; i++)
        std::putchar(static_cast<int>(len >> (8 * i) & 0xff));
    std::fwrite(synap_writer_data(&w), 1, len, stdout);
    std::fflush(stdout);
}

bool read_all(std::uint8_t *data, std::size_t n) { return n == 0 || std::fread(data, 1, n, stdin) == n; }

const std::string &text(const Value &v) { return *v.get<std::string>(); }

} // namespace

int main() {
    std::unique_ptr<synap::Client> client;
    std::uint8_t size[4];
    while (read_all(size, 4)) {
        std::vector<std::uint8_t> frame(size[0] | std::size_t{size[1]} << 8 | std::size_t{size[2]} << 16 | std::size_t{size[3]} << 24);
        if (!read_all(frame.data(), frame.size()))
            return 1;
        const Value request = parse(frame);
        const Value::Array &parts = *request.get<Value::Array>();
        try {
            if (parts[0].get<std::string>() != nullptr) {
                client = std::make_unique<synap::Client>(text(parts[1]));
                answer(Value::Array{Value()});
            } else {
                answer(Value::Array{client->command(text(parts[1]), parts[2])});
            }
        } catch (const synap::Error &e) {
            const std::int64_t flags = (e.retryable() ? 1 : 0) + (e.maybe_applied() ? 2 : 0);
            answer(Value::Array{Value(), Value::Array{e.code(), e.status(), flags, std::string(e.what()), e.command(), e.transport()}});
        }
    }
    return 0;
}
