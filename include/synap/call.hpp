// How calls are carried out: at once, in a batch, or as a subscription.
#ifndef SYNAP_CALL_HPP
#define SYNAP_CALL_HPP

#include <chrono>
#include <memory>

#include "wire.hpp"

namespace synap {

template <typename T> class Subscription;
template <typename T> class Later;

namespace detail {

// The client handle, shared by a Client, its copies and its subscriptions.
class Core {
public:
    explicit Core(synap_client c) : c_(c) {}
    ~Core() { synap_close(c_, nullptr); }
    Core(const Core &) = delete;
    Core &operator=(const Core &) = delete;

    Reply call(Writer &w, std::chrono::milliseconds timeout) const {
        synap_error err = SYNAP_ERROR_INIT;
        synap_buf reply = SYNAP_BUF_INIT;
        check(synap_send(c_, &w, timeout.count(), &reply, &err), err);
        return Reply(reply);
    }
    synap_client handle() const { return c_; }

private:
    synap_client c_;
};

// How a family's methods are carried out: at once …
struct Direct {
    template <typename T> using Result = T;
    static constexpr bool batched = false;
    template <typename T> T run(Writer &w) const;
    template <typename T> Subscription<T> subscribe(Writer &w) const {
        return Subscription<T>(core, synap_value_int(core->call(w, timeout).value()));
    }
    std::shared_ptr<Core> core;
    std::chrono::milliseconds timeout{0};
};

// … or recorded, to run with others.
struct Recorded {
    Writer frames;
    std::size_t count = 0;
    bool ran = false;
    Reply reply;
    std::vector<synap_value> outcomes;
};

struct Recorder {
    template <typename T> using Result = Later<T>;
    static constexpr bool batched = true;
    template <typename T> Later<T> run(Writer &w) const;
    std::shared_ptr<Recorded> batch;
};

} // namespace detail

// A subscription: range-for over it, or call next. It survives broken
// connections; an item's lost says what was lost before it.
template <typename T> class Subscription {
public:
    Subscription(std::shared_ptr<detail::Core> core, std::int64_t id) : core_(std::move(core)), id_(id) {}
    ~Subscription() { close(); }
    Subscription(Subscription &&o) noexcept
        : core_(std::move(o.core_)), id_(std::exchange(o.id_, 0)), ready_(std::move(o.ready_)), at_(o.at_) {}
    Subscription(const Subscription &) = delete;
    Subscription &operator=(const Subscription &) = delete;

    // The next item, nothing if none comes in time.
    std::optional<T> next(std::chrono::milliseconds timeout) {
        if (at_ == ready_.size()) {
            detail::Writer w;
            synap_next_frame(&w, id_, batch);
            detail::Reply r = core_->call(w, timeout);
            ready_.clear();
            at_ = 0;
            detail::read(r.value(), ready_);
            if (ready_.empty())
                return std::nullopt;
        }
        return std::move(ready_[at_++]);
    }

    void close() noexcept {
        if (id_ != 0)
            synap_unsubscribe(core_->handle(), std::exchange(id_, 0), nullptr);
    }

    class iterator {
    public:
        explicit iterator(Subscription *s) : s_(s) {
            if (s_ != nullptr)
                ++*this;
        }
        const T &operator*() const { return *item_; }
        iterator &operator++() {
            while (!(item_ = s_->next(std::chrono::milliseconds(1000)))) {
            }
            return *this;
        }
        bool operator!=(const iterator &o) const { return s_ != o.s_; }

    private:
        Subscription *s_;
        std::optional<T> item_;
    };
    // Items without end; the loop ends with break, or an Error when the subscription fails.
    iterator begin() { return iterator(this); }
    iterator end() { return iterator(nullptr); }

private:
    static constexpr std::int64_t batch = 256;
    std::shared_ptr<detail::Core> core_;
    std::int64_t id_;
    std::vector<T> ready_;
    std::size_t at_ = 0;
};

// The result of a command of a batch, once the batch has run.
template <typename T> class Later {
public:
    Later(std::shared_ptr<detail::Recorded> batch, std::size_t place) : batch_(std::move(batch)), place_(place) {}

    // Throws the command's own Error if it failed.
    T get() const {
        if (!batch_->ran)
            throw Error(SYNAP_EINVALID_ARGUMENT, 0, 0, "the batch has not run yet");
        synap_value outcome = place_ < batch_->outcomes.size() ? batch_->outcomes[place_] : synap_value{};
        if (outcome.kind != SYNAP_ARRAY)
            throw Error(SYNAP_EPROTOCOL, 0, 0, "the batch has no outcome for this command");
        if (outcome.as.len > 1) {
            synap_value e = synap_value_at(outcome, 1);
            synap_failure f = synap_value_failure(e);
            throw Error(f.code, f.status, f.flags, detail::text(synap_value_at(e, 3)), detail::text(synap_value_at(e, 4)),
                        detail::text(synap_value_at(e, 5)));
        }
        if constexpr (!std::is_void_v<T>) {
            T out{};
            using detail::read; // and those of records
            read(synap_value_at(outcome, 0), out);
            return out;
        }
    }

private:
    std::shared_ptr<detail::Recorded> batch_;
    std::size_t place_;
};

namespace detail {

template <typename T> T Direct::run(Writer &w) const {
    Reply r = core->call(w, timeout);
    if constexpr (!std::is_void_v<T>) {
        T out{};
        read(r.value(), out);
        return out;
    }
}

template <typename T> Later<T> Recorder::run(Writer &w) const {
    if (batch->ran)
        throw Error(SYNAP_EINVALID_ARGUMENT, 0, 0, "the batch has run; make a new one");
    synap_write_value(&batch->frames, &w);
    return Later<T>(batch, batch->count++);
}

} // namespace detail

} // namespace synap

#endif
