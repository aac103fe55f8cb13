#include "croton/runtime/threads.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "croton/base/settings.hpp"

namespace croton::runtime {

namespace {
struct Job {
    const std::function<void(int64_t, int64_t)>* body;
    int64_t count, piece, pieces;
    std::atomic<int64_t> next{0};
    int64_t finished = 0;  // guarded by mutex
    std::mutex mutex;
    std::condition_variable done;

    // Takes pieces until none is left.
    void work() {
        int64_t mine = 0;
        for (int64_t i = next++; i < pieces; i = next++, ++mine)
            (*body)(i* piece, std::min(count, (i + 1) * piece));
        if (mine == 0) return;
        std::lock_guard lock(mutex);
        finished += mine;
        if (finished == pieces) done.notify_all();
    }
    void wait() {
        std::unique_lock lock(mutex);
        done.wait(lock, [this] { return finished == pieces; });
    }
};

thread_local bool inside = false;

// Workers live as long as the process; after a fork the child makes its own pool.
class Pool {
  public:
    void offer(const std::shared_ptr<Job>& job, int helpers) {
        {
            std::lock_guard lock(mutex_);
            while (static_cast<int>(workers_) < helpers) {
                std::thread([this] { serve(); }).detach();
                ++workers_;
            }
            for (int i = 0; i < helpers; ++i) queue_.push_back(job);
        }
        if (helpers == 1)
            wake_.notify_one();
        else
            wake_.notify_all();
    }

  private:
    void serve() {
        inside = true;
        while (true) {
            std::shared_ptr<Job> job;
            {
                std::unique_lock lock(mutex_);
                wake_.wait(lock, [this] { return !queue_.empty(); });
                job = std::move(queue_.front());
                queue_.pop_front();
            }
            job->work();
        }
    }
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::shared_ptr<Job>> queue_;
    int workers_ = 0;
};

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

void parallel_for(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
    if (count <= 0) return;
    int64_t threads = thread_count();
    int64_t pieces = std::min<int64_t>(count / std::max<int64_t>(grain, 1), threads * 4);
    if (inside || threads == 1 || pieces < 2) {
        body(0, count);
        return;
    }
    auto job = std::make_shared<Job>();
    job->body = &body;
    job->count = count;
    job->piece = (count + pieces - 1) / pieces;
    job->pieces = (count + job->piece - 1) / job->piece;
    pool().offer(job, static_cast<int>(std::min(threads, job->pieces)) - 1);
    inside = true;
    job->work();
    inside = false;
    job->wait();
}

}  // namespace croton::runtime
