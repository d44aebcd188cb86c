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

void test_fidelity(const synap::Client &c, bool binary) {
    auto kv = c.kv();
    const std::vector<std::string> texts = {"123", "true", "null", "{}", "", "\xf0\x9f\x98\x80", std::string("a\0b", 3), std::string(1 << 20, 'x')};
    for (const auto &text : texts) {
        CHECK(kv.set("f", text));
        CHECK(kv.get("f") == text);
        CHECK(kv.get_bytes("f") == text);
    }
    const std::string bytes("\xde\xad\xbe\xef");
    if (binary) {
        CHECK(kv.set("f", bytes));
        CHECK(kv.get("f") == bytes);
    } else {
        CHECK(fails(SYNAP_EINVALID_ARGUMENT, [&] { kv.set("f", bytes); }));
    }
}

void test_kv(const synap::Client &c) {
    auto kv = c.kv();
    CHECK(kv.set("k", "v", synap::KVSetOptions().with_ttl(100)));
    CHECK(!kv.set("k", "w", synap::KVSetOptions().with_nx(true)));
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

void test_queue(const synap::Client &c) {
    auto queue = c.queue();
    queue.create("q");
    std::string id = queue.publish("q", std::vector<std::uint8_t>{0, 255, 128});
    auto m = queue.consume("q", "w");
    CHECK(m && m->message_id == id && m->payload == std::string("\0\xff\x80", 3) && m->max_retries == 3);
    queue.nack("q", m->message_id);
    for (const auto &followed : queue.follow("q", "w")) {
        CHECK(followed.retry_count == 1);
        queue.ack("q", followed.message_id);
        break;
    }
    CHECK(!queue.consume("q", "w"));
    CHECK(queue.stats("q").acked == 1 && queue.list().size() == 1 && queue.purge("q") == 0 && queue.del("q"));
    CHECK(fails(SYNAP_ENOT_FOUND, [&] { queue.consume("typo", "w"); }));
}

void test_stream(const synap::Client &c) {
    auto stream = c.stream();
    stream.create("r");
    CHECK(fails(SYNAP_EALREADY_EXISTS, [&] { stream.create("r"); }));
    CHECK(!stream.get_or_create("r") && stream.publish("r", "e", "123") == 0);
    auto events = stream.consume("r", "s", synap::StreamConsumeOptions().with_from_offset(0).with_limit(10));
    CHECK(events.size() == 1 && events[0].data == synap::Value("123"));
    auto followed = stream.follow("r", "s").next(std::chrono::seconds(5));
    CHECK(followed && followed->offset == 0 && followed->lost == 0);
    CHECK(stream.stats("r").message_count == 1 && stream.list().size() == 1);
    stream.del("r");
    CHECK(fails(SYNAP_ENOT_FOUND, [&] { stream.stats("r"); }));
}

void test_pubsub(const synap::Client &c) {
    auto pubsub = c.pubsub();
    auto messages = pubsub.subscribe({"t.exact"});
    CHECK(pubsub.publish("t.exact", 1, synap::PubSubPublishOptions().with_metadata({{"k", "v"}})).subscribers_matched == 1);
    auto m = messages.next(std::chrono::seconds(5));
    CHECK(m && m->message == synap::Value(1) && m->metadata["k"] == "v");
    CHECK(pubsub.topics().size() >= 1 && pubsub.info("t.exact").message_count == 1 && pubsub.stats().messages_published >= 1);
    CHECK(pubsub.unsubscribe("nobody") == 0);
    CHECK(fails(SYNAP_EINVALID_ARGUMENT, [&] { pubsub.subscribe({}); }));
    messages.close();
    CHECK(fails(SYNAP_ECLOSED, [&] { messages.next(std::chrono::milliseconds(10)); }));
}

void test_values() {
    using synap::Value;
    CHECK(Value(5) == Value(5u) && Value(5) == Value(std::int64_t{5}) && Value(5) == Value(5ULL) && Value(5) != Value(5.0));
    CHECK(Value(UINT64_MAX) != Value(-1) && *Value(UINT64_MAX).get<std::uint64_t>() == UINT64_MAX);
    CHECK(*Value(true).get<bool>() && *Value("x").get<std::string>() == "x" && Value().is_null() && Value(nullptr).is_null());
    static_assert(!std::is_constructible_v<Value, int *>, "a pointer is no boolean");
    Value object(Value::Object{{"a", Value::Array{1, "two", Value::Object{}}}});
    CHECK(object.find("a") != nullptr && object.find("b") == nullptr && Value(1).find("a") == nullptr);
}

void test_raw_and_batch(const synap::Client &c) {
    synap::Value reply = c.command("kv.set", synap::Value::Object{{"key", "raw"}, {"value", "1"}});
    CHECK(*reply.find("success") == synap::Value(true));
    CHECK(fails(SYNAP_EUNSUPPORTED, [&] { c.command("kv.nope"); }));

    synap::Batch batch = c.batch();
    auto number = batch.kv().incr("raw");
    auto created = batch.queue().create("batched");
    auto missing = batch.queue().stats("nope");
    auto text = batch.kv().get("raw");
    auto raw = batch.command("kv.get", synap::Value::Object{{"key", "raw"}});
    auto impossible = batch.kv().expire("raw", -1);
    CHECK(batch.size() == 6 && fails(SYNAP_EINVALID_ARGUMENT, [&] { number.get(); }));
    batch.run();
    created.get();
    CHECK(number.get() == 2 && text.get() == "2" && raw.get() == synap::Value("2"));
    CHECK(fails(SYNAP_EINVALID_ARGUMENT, [&] { impossible.get(); }));
    try {
        missing.get();
        CHECK(!"a missing queue has stats");
    } catch (const synap::Error &e) {
        CHECK(e.code() == SYNAP_ENOT_FOUND && e.command() == "queue.stats" && !e.transport().empty() && !e.maybe_applied());
    }
    CHECK(fails(SYNAP_EINVALID_ARGUMENT, [&] { batch.run(); }) && fails(SYNAP_EINVALID_ARGUMENT, [&] { batch.kv().incr("raw"); }));
    synap::Batch empty = c.batch();
    empty.run();
    CHECK(c.kv().get("raw") == "2");
}

void test_clients(const synap::Client &c) {
    CHECK(fails(SYNAP_EINVALID_ARGUMENT, [] { synap::Client("ftp://h"); }));
    CHECK(fails(SYNAP_EINVALID_ARGUMENT, [] { synap::Client("memory://", {{"nope", 1}}); }));
    synap::Client down("http://127.0.0.1:1", {{"max_retries", 0}});
    CHECK(fails(SYNAP_ECONNECTION, [&] { down.kv().get("k"); }));
    CHECK(fails(SYNAP_ECONNECTION, [&] {
        synap::Batch batch = down.batch();
        batch.kv().get("k");
        batch.kv().get("l");
        auto outcome = batch.kv().get("m");
        batch.run();
        outcome.get();
    }));
    CHECK(c.with_timeout(std::chrono::seconds(1)).kv().get("raw") == "2");
    synap::Client other("memory://"), copy(other);
    auto messages = copy.pubsub().subscribe({"t"});
    other.close();
    CHECK(fails(SYNAP_ECLOSED, [&] { copy.kv().get("k"); }) && fails(SYNAP_ECLOSED, [&] { messages.next(std::chrono::seconds(1)); }));
    other.close(); // harmless
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
        test_fidelity(c, !http);
        test_kv(c);
        test_queue(c);
        test_stream(c);
        test_pubsub(c);
        test_values();
        test_raw_and_batch(c);
        test_clients(c);
    } catch (const std::exception &e) {
        fail(__FILE__, __LINE__, std::string("unexpected: ") + e.what());
    }
    std::cout << "C++ API on " << argv[1] << ": " << checks << " checks\n";
    return 0;
}
