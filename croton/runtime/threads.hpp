#pragma once
// The one owner of threads. Workers that find nothing for 50 us sleep; nobody waits for a thread
// that has no work yet.
#include <cstdint>
#include <functional>

namespace croton::runtime {

/// Threads a call may use: setting `threads`, or the number of cores.
int thread_count();

/// Runs body(begin, end) over pieces of [0, count) of nearly equal length: at most thread_count()
/// at once, each piece at least `grain` long, as many for each thread. A thread begins with pieces
/// at the same part of the range in every call, so that it finds in its caches what it wrote in the
/// call before. The caller works too and takes all pieces that no worker has begun, so a busy
/// machine costs nothing but the missing help: where workers lose their cores to other processes in
/// the middle of a piece, callers do without them for 10 to 160 ms. The pieces do not depend on
/// which thread runs them. Nested calls run in the calling thread. If pieces throw
/// (memory for them may run out), one of the exceptions is thrown on when no piece runs any more.
void parallel_for(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body);

/// Whether a worker looks for work just now: sharing a little with it costs less than to wake one.
bool worker_awake();
/// Wakes workers before there is work: they look for it as after any other.
void rouse_workers();

}  // namespace croton::runtime
