/* Preloaded into the program by tests: lets one call on a file of a folder fail, or kills the process at it.

   FAULT_FOLDER  calls on files below are counted, from 1
   FAULT_FILE    of these only calls on this very file or folder
   FAULT_LOG     every counted call is appended: NUMBER CALL PATH
   FAULT_AT      number of the call at which it happens, or "all"
   FAULT_CALL    only calls of this name are counted (default: all)
   FAULT_DO      kill, stop: SIGKILL or SIGSTOP before the call   hang: the call never comes back   EIO, ENOSPC, ...: the call fails   torn: half of a write, then SIGKILL
                 short: a read or write takes one byte   EINTR: fails once with EINTR, then works
   FAULT_BYTES   with FAULT_CALL=memory: requests for so many bytes and more are counted, and get none (hang: never come back)
   FAULT_ASKED   for every step of the model that begins pairs, their number is appended to this file
   FAULT_CLOCK   the time of day jumps to and fro whenever it is asked for */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static atomic_int counter;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_set(const char* variable, const char* value) {
  const char* found = getenv(variable);
  return found != NULL && strcmp(found, value) == 0;
}

static int is_below(const char* path) {
  const char* folder = getenv("FAULT_FOLDER");
  const char* file = getenv("FAULT_FILE");
  if (file != NULL && strcmp(path, file) != 0) return 0;
  return folder != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static void path_of(int descriptor, char* path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t size = readlink(link, path, PATH_MAX - 1);
  path[size < 0 ? 0 : size] = '\0';
}

static void append(const char* path, const char* line, size_t size) {
  const int descriptor = REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0 || REAL(write)(descriptor, line, size) != (ssize_t)size) abort();
  REAL(close)(descriptor);
}

static void log_call(int number, const char* call, const char* path) {
  const char* log = getenv("FAULT_LOG");
  if (log == NULL) return;
  char line[PATH_MAX + 64];
  append(log, line, (size_t)snprintf(line, sizeof line, "%d %s %s\n", number, call, path));
}

/* Counts a call. True for the one at which it happens. */
static int is_struck(const char* call, const char* path) {
  const int number = atomic_fetch_add(&counter, 1) + 1;
  log_call(number, call, path);
  const char* at = getenv("FAULT_AT");
  return at != NULL && (strcmp(at, "all") == 0 || atoi(at) == number);
}

/* True where the fault of FAULT_DO is to happen to this call; does not come back from "kill". */
static int strikes(const char* call, const char* path) {
  if (!is_below(path)) return 0;
  const char* wanted = getenv("FAULT_CALL");
  if (wanted != NULL && strcmp(wanted, call) != 0) return 0;
  if (!is_struck(call, path)) return 0;
  if (is_set("FAULT_DO", "kill")) {
    kill(getpid(), SIGKILL);
    pause();
  }
  if (is_set("FAULT_DO", "stop")) raise(SIGSTOP);
  while (is_set("FAULT_DO", "hang")) pause();
  return 1;
}

/* Sets errno; true where the call is to fail. */
static int gives_error(void) {
  static const struct { const char* name; int number; } kErrors[] = {
      {"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS}, {"ENOLCK", ENOLCK}};
  for (size_t i = 0; i < sizeof kErrors / sizeof kErrors[0]; ++i) {
    if (!is_set("FAULT_DO", kErrors[i].name)) continue;
    errno = kErrors[i].number;
    return 1;
  }
  return 0;
}

/* EINTR: true the first time, for each thread. */
static int is_interrupted(void) {
  static _Thread_local int was_interrupted;
  was_interrupted = is_set("FAULT_DO", "EINTR") && !was_interrupted;
  if (was_interrupted) errno = EINTR;
  return was_interrupted;
}

static size_t given(size_t size) { return is_set("FAULT_DO", "short") && size > 1 ? 1 : size; }

static int fails(const char* call, const char* path) { return strikes(call, path) && gives_error(); }

ssize_t write(int descriptor, const void* bytes, size_t size) {
  char path[PATH_MAX];
  path_of(descriptor, path);
  if (!strikes("write", path)) return REAL(write)(descriptor, bytes, size);
  if (is_interrupted()) return -1;
  if (is_set("FAULT_DO", "torn")) {
    if (REAL(write)(descriptor, bytes, size / 2) >= 0) kill(getpid(), SIGKILL);
    pause();
  }
  if (gives_error()) return -1;
  return REAL(write)(descriptor, bytes, given(size));
}

ssize_t read(int descriptor, void* bytes, size_t size) {
  char path[PATH_MAX];
  path_of(descriptor, path);
  if (!strikes("read", path)) return REAL(read)(descriptor, bytes, size);
  if (is_interrupted() || gives_error()) return -1;
  return REAL(read)(descriptor, bytes, given(size));
}

int flock(int descriptor, int operation) {
  char path[PATH_MAX];
  path_of(descriptor, path);
  return fails("flock", path) ? -1 : REAL(flock)(descriptor, operation);
}

#define ON_DESCRIPTOR(name)                       \
  int name(int descriptor) {                      \
    char path[PATH_MAX];                          \
    path_of(descriptor, path);                    \
    return fails(#name, path) ? -1 : REAL(name)(descriptor); \
  }
ON_DESCRIPTOR(fsync)
ON_DESCRIPTOR(fdatasync)
ON_DESCRIPTOR(close)

int ftruncate(int descriptor, off_t size) {
  char path[PATH_MAX];
  path_of(descriptor, path);
  return fails("ftruncate", path) ? -1 : REAL(ftruncate)(descriptor, size);
}

#define ON_PATH(name)                                            \
  int name(const char* path) {                                   \
    return fails(#name, path) ? -1 : REAL(name)(path);           \
  }
ON_PATH(unlink)
ON_PATH(remove)
ON_PATH(rmdir)

int mkdir(const char* path, mode_t mode) { return fails("mkdir", path) ? -1 : REAL(mkdir)(path, mode); }
int rename(const char* from, const char* to) { return fails("rename", to) ? -1 : REAL(rename)(from, to); }

static int open_mode(int flags, va_list more) { return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, int) : 0; }

#define OPEN(name)                                                            \
  int name(const char* path, int flags, ...) {                                \
    va_list more;                                                             \
    va_start(more, flags);                                                    \
    const int mode = open_mode(flags, more);                                  \
    va_end(more);                                                             \
    const int creates = (flags & O_CREAT) != 0;                               \
    return creates && fails("open", path) ? -1 : REAL(name)(path, flags, mode); \
  }
OPEN(open)
OPEN(open64)

/* --- memory: not through REAL, for dlsym asks for some itself --- */

void* __libc_malloc(size_t size);
void* __libc_memalign(size_t alignment, size_t size);

static int is_refused(size_t size) {
  if (size < 4096) return 0;  // getenv costs more than such a request
  const char* least = getenv("FAULT_BYTES");
  if (least == NULL || !is_set("FAULT_CALL", "memory") || size < strtoul(least, NULL, 10)) return 0;
  if (!is_struck("memory", "-")) return 0;
  while (is_set("FAULT_DO", "hang")) pause();
  errno = ENOMEM;
  return 1;
}

void* malloc(size_t size) { return is_refused(size) ? NULL : __libc_malloc(size); }

int posix_memalign(void** memory, size_t alignment, size_t size) {
  *memory = is_refused(size) ? NULL : __libc_memalign(alignment, size);
  return *memory == NULL ? ENOMEM : 0;
}

/* --- the model --- */

/* `Tensor at::_ops::stack::call(ArrayRef<Tensor> tensors, int64_t dimension)`, which makes one batch of the pictures of all
   pairs whose prompts run in a step, as the ABI of x86-64 passes it. The program is the only one that calls it through here. */
typedef void* StackCall(void* result, const void* tensors, size_t count, long dimension);
StackCall stack_pictures __asm__("_ZN2at4_ops5stack4callEN3c108ArrayRefINS_6TensorEEEl");

void* stack_pictures(void* result, const void* tensors, size_t count, long dimension) {
  const char* log = getenv("FAULT_ASKED");
  char line[32];
  if (log != NULL) append(log, line, (size_t)snprintf(line, sizeof line, "%zu\n", count));
  StackCall* real = (StackCall*)dlsym(RTLD_NEXT, "_ZN2at4_ops5stack4callEN3c108ArrayRefINS_6TensorEEEl");
  return real(result, tensors, count, dimension);
}

/* --- the time of day --- */

static time_t jump(void) {
  if (getenv("FAULT_CLOCK") == NULL) return 0;
  static atomic_int asked;
  const int number = atomic_fetch_add(&asked, 1);
  return number % 2 == 0 ? 86400 * (1 + number % 7) : -3600;  // days ahead, then an hour back as in autumn
}

int clock_gettime(clockid_t clock, struct timespec* now) {
  const int result = REAL(clock_gettime)(clock, now);
  if (clock == CLOCK_REALTIME) now->tv_sec += jump();
  return result;
}

int gettimeofday(struct timeval* restrict now, void* restrict zone) {
  const int result = REAL(gettimeofday)(now, zone);
  now->tv_sec += jump();
  return result;
}

time_t time(time_t* stored) {
  const time_t now = REAL(time)(NULL) + jump();
  if (stored != NULL) *stored = now;
  return now;
}
