#include "croton/runtime/threads.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "croton/base/settings.hpp"

namespace croton::runtime {

namespace {
using Clock = std::chrono::steady_clock;

// A thread that is about to sleep looks for a while first: to be woken takes some 60 us on a
// virtual machine, and programs of many short steps would pay it at each.
constexpr auto looking_time = std::chrono::microseconds(50);

void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    std::this_thread::yield();
#endif
}

// Whether `ready()` came true while looking.
template <class Ready>
bool look_for(const Ready& ready) {
    const auto end = Clock::now() + looking_time;
    do {
        for (int i = 0; i < 16; ++i) {
            if (ready()) return true;
            relax();
        }
    } while (Clock::now() < end);
    return false;
}

// Pieces that follow one another are one thread's, which takes those of others when its own are
// done: what it wrote in one step is then in its own caches in the next. Cores need not share any.
struct Job {
    struct alignas(64) Lane {
        std::atomic<int64_t> next{0};
        int64_t end = 0;
    };
    static constexpr int64_t most_lanes = 16;

    const std::function<void(int64_t, int64_t)>* body;
    int64_t count, pieces, lane_count;
    std::array<Lane, most_lanes> lanes;
    std::atomic<int64_t> finished{0};
    std::mutex mutex;
    std::condition_variable done;
    std::exception_ptr failure;  // of the first piece that threw; guarded by mutex

    Job(int64_t count, int64_t pieces, int64_t threads,
        const std::function<void(int64_t, int64_t)>& body)
        : body(&body),
          count(count),
          pieces(pieces),
          lane_count(std::min({threads, pieces, most_lanes})) {
        for (int64_t i = 0; i < lane_count; ++i) {
            lanes[static_cast<size_t>(i)].next = pieces * i / lane_count;
            lanes[static_cast<size_t>(i)].end = pieces * (i + 1) / lane_count;
        }
    }
    int64_t begin_of(int64_t piece) const { return count * piece / pieces; }

    void run(int64_t i) noexcept {
        try {
            (*body)(begin_of(i), begin_of(i + 1));
        } catch (...) {
            std::lock_guard lock(mutex);
            if (!failure) failure = std::current_exception();
        }
    }
    // Takes pieces until none is left. What a piece throws is for the caller, when all have ended.
    void work(int64_t thread) {
        int64_t mine = 0;
        if (thread >= lane_count)
            thread = 1 + (thread - 1) % (lane_count - 1);  // 0 is the caller's
        for (int64_t k = 0; k < lane_count; ++k) {
            Lane& lane = lanes[static_cast<size_t>((thread + k) % lane_count)];
            for (int64_t i = lane.next++; i < lane.end; i = lane.next++, ++mine) run(i);
        }
        if (mine == 0 || finished.fetch_add(mine) + mine < pieces) return;
        std::lock_guard lock(mutex);
        done.notify_all();
    }
    bool complete() const { return finished.load() == pieces; }
    void wait() {
        if (look_for([this] { return complete(); })) return;
        std::unique_lock lock(mutex);
        done.wait(lock, [this] { return complete(); });
    }
};

thread_local bool inside = false;

// Workers live as long as the process; after a fork the child makes its own pool.
class Pool {
  public:
    void offer(const std::shared_ptr<Job>& job, int helpers) {
        bool wake;
        {
            std::lock_guard lock(mutex_);
            have_workers(helpers);
            for (int i = 0; i < helpers; ++i) queue_.push_back(job);
            offered_ = static_cast<int>(queue_.size());
            wake = sleeping_ > 0;
        }
        if (wake && helpers == 1)
            wake_.notify_one();
        else if (wake)
            wake_.notify_all();
    }

    void rouse(int helpers) {
        {
            std::lock_guard lock(mutex_);
            have_workers(helpers);
            if (sleeping_ == 0) return;
            ++roused_;
        }
        wake_.notify_all();
    }
    bool looking() const { return looking_.load(std::memory_order_relaxed) > 0; }

  private:
    void have_workers(int count) {
        while (workers_ < count) {
            ++workers_;
            std::thread([this, number = workers_] { serve(number); }).detach();
        }
    }
    void serve(int number) {
        inside = true;
        while (true) {
            ++looking_;
            look_for([this] { return offered_.load(std::memory_order_relaxed) > 0; });
            --looking_;
            if (auto job = take()) job->work(number);
        }
    }
    // Null where somebody only wants workers to be awake.
    std::shared_ptr<Job> take() {
        std::unique_lock lock(mutex_);
        ++sleeping_;
        wake_.wait(lock, [this, before = roused_] { return !queue_.empty() || roused_ != before; });
        --sleeping_;
        if (queue_.empty()) return nullptr;
        auto job = std::move(queue_.front());
        queue_.pop_front();
        offered_ = static_cast<int>(queue_.size());
        return job;
    }
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::shared_ptr<Job>> queue_;
    std::atomic<int> offered_{0};  // size of the queue, for those who look
    std::atomic<int> looking_{0};
    int workers_ = 0, sleeping_ = 0;
    int64_t roused_ = 0;
};

// Remembers that workers kept their callers waiting. On a machine whose cores are taken by other
// processes a worker can lose its core in the middle of a piece, for milliseconds; whoever has
// waited much longer than it worked works alone for a while, twice as long each time.
class Patience {
  public:
    bool lost() const { return Clock::now().time_since_epoch().count() < until_.load(); }
    void note(Clock::duration worked, Clock::duration waited) {
        const bool late = waited > shortest && waited > worked;
        if (late) return lose();
        if (pause_ == 0) return;  // the usual case writes nothing
        good_ += (worked + waited).count();
        if (good_ < pause_) return;
        good_ = 0;
        const int64_t pause = pause_ / 2;
        pause_ = pause < first ? 0 : pause;
    }

  private:
    void lose() {
        const int64_t pause = std::clamp(2 * pause_.load(), first, longest);
        pause_ = pause;
        good_ = 0;
        until_ = Clock::now().time_since_epoch().count() + pause;
    }

    static constexpr Clock::duration shortest = std::chrono::microseconds(500);
    static constexpr int64_t first = Clock::duration(std::chrono::milliseconds(10)).count();
    static constexpr int64_t longest = Clock::duration(std::chrono::milliseconds(160)).count();
    std::atomic<int64_t> until_{0}, pause_{0};
    /// Time in which nobody was late, since it was last asked for: a thread that shares its core
    /// has it for some milliseconds at a time, which says nothing of the next ones.
    std::atomic<int64_t> good_{0};
};
Patience patience;

// Guards which pool there is. Held across a fork, so that the child never inherits it locked.
std::mutex& choice_mutex() {
    static auto& mutex = *new std::mutex;
    static const int registered =
        ::pthread_atfork([] { choice_mutex().lock(); }, [] { choice_mutex().unlock(); },
                         [] { choice_mutex().unlock(); });
    (void)registered;
    return mutex;
}

Pool& pool() {
    static Pool* current = nullptr;
    static pid_t owner = 0;
    std::lock_guard lock(choice_mutex());
    if (!current || owner != getpid()) {
        current = new Pool;  // kept for the process's life: its threads are detached
        owner = getpid();
    }
    return *current;
}
}  // namespace

int thread_count() {
    int64_t wanted = settings().threads;
    if (wanted > 0) return static_cast<int>(wanted);
    static const int cores = std::max(1u, std::thread::hardware_concurrency());
    return cores;
}

void rouse_workers() {
    if (int threads = thread_count(); threads > 1 && !inside) pool().rouse(threads - 1);
}

bool worker_awake() { return !inside && thread_count() > 1 && pool().looking(); }

void parallel_for(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
    if (count <= 0) return;
    int64_t threads = thread_count();
    int64_t pieces = std::min<int64_t>(count / std::max<int64_t>(grain, 1), threads * 4);
    if (pieces > threads) pieces -= pieces % threads;  // as many for each
    if (inside || threads == 1 || pieces < 2) {
        body(0, count);
        return;
    }
    auto job = std::make_shared<Job>(count, pieces, threads, body);
    if (patience.lost()) {
        for (int64_t i = 0; i < pieces; ++i) body(job->begin_of(i), job->begin_of(i + 1));
        return;
    }
    const auto start = Clock::now();
    pool().offer(job, static_cast<int>(std::min(threads, job->pieces)) - 1);
    inside = true;
    job->work(0);
    inside = false;
    const auto worked = Clock::now();
    job->wait();
    patience.note(worked - start, Clock::now() - worked);
    if (job->failure) std::rethrow_exception(job->failure);
}

}  // namespace croton::runtime
