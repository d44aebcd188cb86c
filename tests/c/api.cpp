// Every method of synap.hpp, fidelity and bad input, on the address in argv[1]
// ("memory://" or "http" for a test server).
#include <functional>
#include <iostream>

#include "synap.hpp"

namespace {

int checks = 0;

void fail(const char *file, int line, const std::string &what) {
    std::cerr << file << ":" << line << ": " << what << "\n";
    std::exit(1);
}

#define CHECK(x)                                   \
    do {                                           \
        checks++;                                  \
        if (!(x))                                  \
            fail(__FILE__, __LINE__, #x " failed"); \
    } while (0)

// The call fails with a code.
template <typename F> bool fails(std::int32_t code, F f) {
    try {
        f();
    } catch (const synap::Error &e) {
        return e.code() == code && e.what()[0] != '\0';
    }
    return false;
}

void fidelity(const synap::Client &c, bool binary) {
    const std::vector<std::string> texts = {"123", "true", "null", "{}", "", "\xf0\x9f\x98\x80", std::string("a\0b", 3), std::string(1 << 20, 'x')};
    for (const auto &text : texts) {
        CHECK(c.kv().set("f", text));
        CHECK(c.kv().get("f") == text);
        CHECK(c.kv().get_bytes("f") == text);
    }
    const std::string bytes("\xde\xad\xbe\xef");
    if (binary) {
        CHECK(c.kv().set("f", bytes));
        CHECK(c.kv().get("f") == bytes);
    } else {
        CHECK(fails(SYNAP_EINVALID_ARGUMENT, [&] { c.kv().set("f", bytes); }));
    }
}

void key_value(const synap::Client &c) {
    auto kv = c.kv();
    synap::KVSetOptions options;
    options.ttl = 100;
    CHECK(kv.set("k", "v", options));
    CHECK(kv.ttl("k").value_or(0) > 90);
    CHECK(kv.persist("k") && !kv.ttl("k"));
    CHECK(kv.expire("k", 50) && kv.exists("k"));
    CHECK(!kv.get("missing"));
    CHECK(kv.append("k", "alue") == 5 && kv.getrange("k", 1, 2) == "al");
    CHECK(kv.setrange("k", 1, "AL") == 5 && kv.strlen("k") == 5 && kv.getset("k", "new") == "vALue");
    CHECK(kv.incr("c") == 1 && kv.incrby("c", 10) == 11 && kv.decr("c") == 10 && kv.decrby("c", 3) == 7);
    kv.mset({{"m1", "x"}, {"m2", "5"}});
    auto got = kv.mget({"m1", "none", "m2"});
    CHECK(got.size() == 3 && got[0] == "x" && !got[1] && got[2] == "5");
    CHECK(!kv.msetnx({{"m1", "y"}}) && kv.mdel({"m1", "m2"}) == 2);
    synap::Value object(synap::Value::Object{{"n", std::int64_t{INT64_MIN}}, {"a", synap::Value::Array{1.5, nullptr, true}}});
    CHECK(kv.set_json("j", object) && kv.get_json("j") == object);
    synap::KVScanOptions scan;
    scan.prefix = "j";
    CHECK(kv.scan(scan) == std::vector<std::string>{"j"});
    CHECK(kv.keys().size() >= 3 && kv.dbsize() >= 1 && kv.stats().sets > 0);
    CHECK(kv.del("k") && !kv.del("k"));
    auto events = kv.watch({"w:*"});
    kv.set("w:1", "v");
    auto event = events.next(std::chrono::seconds(5));
    CHECK(event && event->key == "w:1" && event->value == "v" && event->version == 1);
    CHECK(!events.next(std::chrono::milliseconds(20)));
    kv.flushdb();
    kv.flushall();
}

void queue(const synap::Client &c) {
    auto q = c.queue();
    q.create("q");
    std::string id = q.publish("q", std::vector<std::uint8_t>{0, 255, 128});
    auto m = q.consume("q", "w");
    CHECK(m && m->message_id == id && m->payload == std::string("\0\xff\x80", 3) && m->max_retries == 3);
    q.nack("q", m->message_id);
    for (const auto &followed : q.follow("q", "w")) {
        CHECK(followed.retry_count == 1);
        q.ack("q", followed.message_id);
        break;
    }
    CHECK(!q.consume("q", "w"));
    CHECK(q.stats("q").acked == 1 && q.list().size() == 1 && q.purge("q") == 0 && q.del("q"));
    CHECK(fails(SYNAP_ENOT_FOUND, [&] { q.consume("typo", "w"); }));
}

void stream(const synap::Client &c) {
    auto s = c.stream();
    s.create("r");
    CHECK(fails(SYNAP_EALREADY_EXISTS, [&] { s.create("r"); }));
    CHECK(!s.get_or_create("r") && s.publish("r", "e", synap::Value("123")) == 0);
    auto events = s.consume("r", "s");
    CHECK(events.size() == 1 && events[0].data == synap::Value("123"));
    auto followed = s.follow("r", "s").next(std::chrono::seconds(5));
    CHECK(followed && followed->offset == 0 && followed->lost == 0);
    CHECK(s.stats("r").message_count == 1 && s.list().size() == 1);
    s.del("r");
    CHECK(fails(SYNAP_ENOT_FOUND, [&] { s.stats("r"); }));
}

void pubsub(const synap::Client &c) {
    auto p = c.pubsub();
    auto messages = p.subscribe({"t.exact"});
    synap::PubSubPublishOptions options;
    options.metadata.emplace();
    (*options.metadata)["k"] = "v";
    CHECK(p.publish("t.exact", synap::Value(1), options).subscribers_matched == 1);
    auto m = messages.next(std::chrono::seconds(5));
    CHECK(m && m->message == synap::Value(1) && m->metadata["k"] == "v");
    CHECK(p.topics().size() >= 1 && p.info("t.exact").message_count == 1 && p.stats().messages_published >= 1);
    CHECK(p.unsubscribe("nobody") == 0);
    CHECK(fails(SYNAP_EINVALID_ARGUMENT, [&] { p.subscribe({}); }));
}

void rest(const synap::Client &c) {
    synap::Value reply = c.command("kv.set", synap::Value::Object{{"key", "raw"}, {"value", "1"}});
    CHECK(*reply.find("success") == synap::Value(true));
    CHECK(fails(SYNAP_EUNSUPPORTED, [&] { c.command("kv.nope"); }));
    auto outcomes = c.batch({{"kv.incr", synap::Value::Object{{"key", "raw"}}}, {"queue.stats", synap::Value::Object{{"queue", "nope"}}}});
    CHECK(outcomes.size() == 2 && !outcomes[0].error && outcomes[1].error && outcomes[1].error->code() == SYNAP_ENOT_FOUND);
    CHECK(fails(SYNAP_EINVALID_ARGUMENT, [] { synap::Client("ftp://h"); }));
    synap::Client down("http://127.0.0.1:1", {{"max_retries", 0}});
    CHECK(fails(SYNAP_ECONNECTION, [&] { down.kv().get("k"); }));
    CHECK(c.with_timeout(std::chrono::seconds(1)).kv().get("raw") == "2");
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    bool http = std::string(argv[1]) == "http";
    std::optional<synap::TestServer> server;
    if (http)
        server.emplace();
    try {
        synap::Client c(http ? server->url() : argv[1]);
        fidelity(c, !http);
        key_value(c);
        queue(c);
        stream(c);
        pubsub(c);
        rest(c);
    } catch (const std::exception &e) {
        fail(__FILE__, __LINE__, std::string("unexpected: ") + e.what());
    }
    std::cout << "C++ API on " << argv[1] << ": " << checks << " checks\n";
    return 0;
}
