// The guide's quick start in C++, against the address in argv[1]. It prints nothing
// unless a step fails.
#include <iostream>

#include "synap.hpp"

namespace {

void check(bool ok, const char *step) {
    if (!ok)
        throw std::runtime_error(std::string(step) + ": unexpected result");
}

void key_value(const synap::Client &client) {
    client.kv().set("user:1", "John Doe", synap::KVSetOptions().with_ttl(3600));
    check(client.kv().get("user:1") == "John Doe", "kv.get");
    check(client.kv().del("user:1"), "kv.delete");
}

void queue(const synap::Client &client) {
    client.queue().create("jobs-cpp", synap::QueueCreateOptions().with_max_depth(1000));
    client.queue().publish("jobs-cpp", "Hello", synap::QueuePublishOptions().with_priority(5));
    auto message = client.queue().consume("jobs-cpp", "worker-1");
    check(message && message->payload == "Hello", "queue.consume");
    client.queue().ack("jobs-cpp", message->message_id);
}

void stream(const synap::Client &client) {
    client.stream().get_or_create("notifications-cpp");
    auto offset = client.stream().publish("notifications-cpp", "user.signup", "New user registered");
    auto events = client.stream().consume("notifications-cpp", "user-1", synap::StreamConsumeOptions().with_from_offset(offset).with_limit(10));
    check(events.size() == 1 && events[0].event == "user.signup" && events[0].data == synap::Value("New user registered"),
          "stream.consume");
}

void pubsub(const synap::Client &client) {
    auto messages = client.pubsub().subscribe({"notifications.*"});
    client.pubsub().publish("notifications.email", "New order received");
    for (const auto &message : messages) {
        check(message.topic == "notifications.email" && message.message == synap::Value("New order received"), "pubsub.subscribe");
        break;
    }
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 2) {
        std::cerr << "usage: quickstart ADDRESS\n";
        return 2;
    }
    try {
        synap::Client client(argv[1]);
        key_value(client);
        queue(client);
        stream(client);
        pubsub(client);
    } catch (const std::exception &e) {
        std::cerr << "quickstart (C++): " << e.what() << "\n";
        return 1;
    }
    return 0;
}
