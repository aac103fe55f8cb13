// The lock that OpenBLAS's single-threaded build leaves out.
//
// Each product borrows a work buffer from OpenBLAS's table of buffers. Built for one thread
// (without its USE_LOCKING, as distributions ship it), OpenBLAS looks for a free row of that table
// and marks it without a lock: of two threads that look at once, one can be handed the buffer in
// which the other is packing its operands, and both products come out wrong without a word. Rare on
// an idle machine, every few thousand products on a busy one.
//
// The linker sends every call of the two functions through here (--wrap in cmake/foreign.cmake).
// Only the borrowing is serialised, tens of nanoseconds a product; the products run side by side.
#include <pthread.h>

#include <mutex>

// The names are the linker's.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" {
void* __real_blas_memory_alloc(int which);
void __real_blas_memory_free(void* buffer);
void* __wrap_blas_memory_alloc(int which);
void __wrap_blas_memory_free(void* buffer);
}

namespace {
// Held across a fork, so that the child never inherits a lock whose owner it does not have.
std::mutex& table_mutex() {
    static auto& mutex = *new std::mutex;
    static const int registered =
        pthread_atfork([] { table_mutex().lock(); }, [] { table_mutex().unlock(); },
                       [] { table_mutex().unlock(); });
    (void)registered;
    return mutex;
}
}  // namespace

void* __wrap_blas_memory_alloc(int which) {
    std::lock_guard lock(table_mutex());
    return __real_blas_memory_alloc(which);
}

void __wrap_blas_memory_free(void* buffer) {
    std::lock_guard lock(table_mutex());
    __real_blas_memory_free(buffer);
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
