// synap.hpp: the C++17 interface of libsynap, header only, over synap.h.
//
//     synap::Client client("memory://");
//     client.kv().set("user:1", "John Doe");
//     std::optional<std::string> name = client.kv().get("user:1");
//
// Options are structs of optional members: chain their setters, as in
// KVSetOptions().with_ttl(3600), assign members, or in C++20 write {.ttl = 3600}.
//
// Failures are exceptions of class synap::Error; nothing else is thrown but
// std::bad_alloc. Strings hold any bytes: one that is valid UTF-8 travels as text,
// any other as bytes. A Client may be shared between threads; a Subscription is
// read by one thread at a time.
#ifndef SYNAP_HPP
#define SYNAP_HPP

#include "synap/families_gen.hpp"

namespace synap {

// Commands that travel together: they run in order, in as few round trips as possible.
//
//     synap::Batch batch = client.batch();
//     auto visits = batch.kv().incr("visits");
//     auto name = batch.kv().get("user:1");
//     batch.run();
//     std::cout << visits.get() << name.get().value_or("?"); // get throws if that command failed
class Batch : public Families<detail::Recorder> {
public:
    explicit Batch(detail::Direct how) : Families(detail::Recorder{std::make_shared<detail::Recorded>()}), direct_(std::move(how)) {}

    // A raw command, as Client::command.
    Later<Value> command(std::string_view name, const Value &payload = Value(Value::Object{})) const {
        detail::Writer w;
        detail::write_command(w, name, payload);
        return how_.run<Value>(w);
    }

    std::size_t size() const noexcept { return how_.batch->count; }

    // Runs the commands. An Error means that the batch as a whole got no answer; get says
    // what became of each.
    void run() {
        if (how_.batch->ran)
            throw Error(SYNAP_EINVALID_ARGUMENT, 0, 0, "the batch has run; make a new one");
        detail::Writer w;
        synap_batch_frame(&w, how_.batch->count);
        if (how_.batch->count > 0)
            synap_write_value(&w, &how_.batch->frames);
        how_.batch->reply = direct_.core->call(w, direct_.timeout);
        detail::each(how_.batch->reply.value(), [&](synap_value outcome) { how_.batch->outcomes.push_back(outcome); });
        how_.batch->ran = true;
    }

private:
    detail::Direct direct_;
};

// A client for one address: memory://[name], http://, https://, synap://, synaps://,
// resp3:// or resp3s://.
class Client : public Families<detail::Direct> {
public:
    // Options are those of synap_open, by name: {"timeout", 2.5}, {"api_key", "sk_…"}.
    explicit Client(std::string_view address, const Value::Object &options = {}) {
        detail::Writer w;
        detail::write(w, Value(options));
        synap_client c = 0;
        synap_error err = SYNAP_ERROR_INIT;
        detail::check(synap_open(address.data(), address.size(), synap_writer_data(&w), w.raw().len, &c, &err), err);
        how_.core = std::make_shared<detail::Core>(c);
    }

    // The same client with another deadline for its calls.
    Client with_timeout(std::chrono::milliseconds timeout) const {
        Client c(*this);
        c.how_.timeout = timeout;
        return c;
    }

    // Ends this client and its copies and subscriptions, also those that other threads use: calls in
    // flight fail with SYNAP_ECLOSED. Without it the client ends with the last of them.
    void close() noexcept { synap_close(how_.core->handle(), nullptr); }

    Batch batch() const { return Batch(how_); }

    // Runs any command by the server's own name, with the payload and reply of the command envelope.
    Value command(std::string_view name, const Value &payload = Value(Value::Object{})) const {
        detail::Writer w;
        detail::write_command(w, name, payload);
        return how_.run<Value>(w);
    }
};

// A test server on the embedded engine, for tests and demos only.
class TestServer {
public:
    explicit TestServer(const Value::Object &options = {}) {
        detail::Writer w;
        detail::write(w, Value(options));
        synap_error err = SYNAP_ERROR_INIT;
        synap_buf info = SYNAP_BUF_INIT;
        detail::check(synap_testserver_start(synap_writer_data(&w), w.raw().len, &server_, &info, &err), err);
        detail::Reply r(info);
        url_ = detail::text(synap_value_get(r.value(), "http"));
        for (const auto &option : options) {
            if (option.first == "rpc") rpc_url_ = detail::text(synap_value_get(r.value(), "rpc"));
            if (option.first == "resp3") resp3_url_ = detail::text(synap_value_get(r.value(), "resp3"));
        }
    }
    ~TestServer() { synap_testserver_stop(server_, nullptr); }
    TestServer(const TestServer &) = delete;
    TestServer &operator=(const TestServer &) = delete;
    const std::string &url() const { return url_; }
    // Of the native wires; empty unless options named an address for them.
    const std::string &rpc_url() const { return rpc_url_; }
    const std::string &resp3_url() const { return resp3_url_; }

private:
    std::uint64_t server_ = 0;
    std::string url_, rpc_url_, resp3_url_;
};

} // namespace synap

#endif
