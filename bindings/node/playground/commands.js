// What the buttons do. args reads the arguments, named as in the command table;
// run makes the call; said puts the reply in a sentence. A feed has no said: it
// runs a subscription, whose items row puts in cells.
import { show, times } from "./format.js";

/** Those members of args that are given, as the options of a method. */
function options(args, ...names) {
  const members = {};
  for (const name of names) {
    if (args[name] !== undefined) members[name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())] = args[name];
  }
  return members;
}

const clock = (seconds) => new Date(Number(seconds) * 1000).toLocaleTimeString();

export const calls = {
  "kv.set": {
    args: (f) => ({ key: f.text("key"), value: f.text("value"), ...f.optionalInteger("ttl") }),
    run: (client, a) => client.kv.set(a.key, a.value, options(a, "ttl")),
    said: () => "The key is set.",
  },
  "kv.get": {
    args: (f) => ({ key: f.text("key") }),
    run: (client, a) => client.kv.get(a.key),
    said: (value) => (value === null || value === undefined ? "There is no such key." : ""),
  },
  "kv.delete": {
    args: (f) => ({ key: f.text("key") }),
    run: (client, a) => client.kv.delete(a.key),
    said: (existed) => (existed ? "The key is deleted." : "There was no such key."),
  },
  "kv.incr": {
    args: (f) => ({ key: f.text("key") }),
    run: (client, a) => client.kv.incr(a.key),
    said: () => "",
  },
  "kv.scan": {
    args: (f) => f.optionalText("prefix"),
    run: (client, a) => client.kv.scan(options(a, "prefix")),
    said: (keys) => (keys.length === 100 ? "The first 100 keys, in no order." : times(keys.length, "key") + "."),
  },

  "queue.create": {
    args: (f) => ({ name: f.text("queue"), ...f.optionalInteger("max_depth"), ...f.optionalInteger("ack_deadline_secs") }),
    run: (client, a) => client.queue.create(a.name, options(a, "max_depth", "ack_deadline_secs")),
    said: () => "The queue exists. If it did before, its first settings stay.",
  },
  "queue.publish": {
    args: (f) => ({ queue: f.text("queue"), payload: f.text("payload"), ...f.optionalInteger("priority") }),
    run: (client, a) => client.queue.publish(a.queue, new TextEncoder().encode(a.payload), options(a, "priority")),
    said: () => "The message's id:",
  },
  "queue.consume": {
    args: (f) => ({ queue: f.text("queue"), consumer_id: f.text("consumer_id") }),
    run: (client, a) => client.queue.consume(a.queue, a.consumer_id),
    said: (message) => (message ? "Ack it when it is done, Nack it to have it delivered again." : "No message waits."),
  },
  "queue.ack": {
    run: (client, a) => client.queue.ack(a.queue, a.message_id),
    said: () => "The message is done.",
  },
  "queue.nack": {
    run: (client, a) => client.queue.nack(a.queue, a.message_id),
    said: () => "The message goes back, or is dead-lettered once its retries are used up.",
  },
  "queue.stats": {
    args: (f) => ({ queue: f.text("queue") }),
    run: (client, a) => client.queue.stats(a.queue),
    said: () => "",
  },

  "stream.get_or_create": {
    args: (f) => ({ room: f.text("room") }),
    run: (client, a) => client.stream.getOrCreate(a.room),
    said: (created) => (created ? "The room is created." : "The room was there."),
  },
  "stream.publish": {
    args: (f) => ({ room: f.text("room"), event: f.text("event"), data: f.json("data") }),
    run: (client, a) => client.stream.publish(a.room, a.event, a.data),
    said: () => "The event's offset:",
  },
  "stream.consume": {
    args: (f) => ({ room: f.text("room"), subscriber_id: f.text("subscriber_id"), ...f.optionalInteger("from_offset") }),
    run: (client, a) => client.stream.consume(a.room, a.subscriber_id, options(a, "from_offset")),
    said: (events) => times(events.length, "event") + ".",
  },

  "pubsub.publish": {
    args: (f) => ({ topic: f.text("topic"), message: f.json("message") }),
    run: (client, a) => client.pubsub.publish(a.topic, a.message),
    said: (published) => `It went to ${times(published.subscribersMatched, "subscriber")}.`,
  },
};

export const feeds = {
  "kv.watch": {
    args: (f) => ({ keys: f.list("patterns") }),
    run: (client, a) => client.kv.watch(a.keys),
    row: (item) => [item.key, item.event, item.truncated ? "(value left out: read the key)" : item.value == null ? "" : show(item.value)],
  },
  "stream.follow": {
    args: calls["stream.consume"].args,
    run: (client, a) => client.stream.follow(a.room, a.subscriber_id, options(a, "from_offset")),
    row: (item) => [`#${item.offset}`, item.event, show(item.data), clock(item.timestamp)],
  },
  "pubsub.subscribe": {
    args: (f) => ({ topics: f.list("patterns") }),
    run: (client, a) => client.pubsub.subscribe(a.topics),
    row: (item) => [item.topic, show(item.message), clock(item.timestamp)],
  },
};
