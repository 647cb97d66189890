/* Preloaded into the program by tests: lets one call on a file of a folder fail, or kills the process at it.

   FAULT_FOLDER  calls on files below are counted, from 1
   FAULT_LOG     every counted call is appended: NUMBER CALL PATH
   FAULT_AT      number of the call at which it happens, or "all"
   FAULT_CALL    only calls of this name are counted (default: all)
   FAULT_DO      kill, stop: SIGKILL or SIGSTOP before the call   hang: the call never comes back   EIO, ENOSPC, EDQUOT: the call fails   torn: half of a write, then SIGKILL
                 short: a write takes one byte   EINTR: fails once with EINTR, then works */

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
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_int counter;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_set(const char* variable, const char* value) {
  const char* found = getenv(variable);
  return found != NULL && strcmp(found, value) == 0;
}

static int is_below(const char* path) {
  const char* folder = getenv("FAULT_FOLDER");
  return folder != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static void path_of(int descriptor, char* path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t size = readlink(link, path, PATH_MAX - 1);
  path[size < 0 ? 0 : size] = '\0';
}

static void log_call(int number, const char* call, const char* path) {
  const char* log = getenv("FAULT_LOG");
  if (log == NULL) return;
  char line[PATH_MAX + 64];
  const int size = snprintf(line, sizeof line, "%d %s %s\n", number, call, path);
  const int descriptor = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0 || REAL(write)(descriptor, line, (size_t)size) != size) abort();
  REAL(close)(descriptor);
}

/* True where the fault of FAULT_DO is to happen to this call; does not come back from "kill". */
static int strikes(const char* call, const char* path) {
  if (!is_below(path)) return 0;
  const char* wanted = getenv("FAULT_CALL");
  if (wanted != NULL && strcmp(wanted, call) != 0) return 0;
  const int number = atomic_fetch_add(&counter, 1) + 1;
  log_call(number, call, path);
  const char* at = getenv("FAULT_AT");
  if (at == NULL || (strcmp(at, "all") != 0 && atoi(at) != number)) return 0;
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
  if (is_set("FAULT_DO", "EIO")) errno = EIO;
  else if (is_set("FAULT_DO", "ENOSPC")) errno = ENOSPC;
  else if (is_set("FAULT_DO", "EDQUOT")) errno = EDQUOT;
  else return 0;
  return 1;
}

static int fails(const char* call, const char* path) { return strikes(call, path) && gives_error(); }

ssize_t write(int descriptor, const void* bytes, size_t size) {
  char path[PATH_MAX];
  path_of(descriptor, path);
  if (!strikes("write", path)) return REAL(write)(descriptor, bytes, size);
  static _Thread_local int was_interrupted;
  was_interrupted = is_set("FAULT_DO", "EINTR") && !was_interrupted;
  if (was_interrupted) {
    errno = EINTR;
    return -1;
  }
  if (is_set("FAULT_DO", "torn")) {
    if (REAL(write)(descriptor, bytes, size / 2) >= 0) kill(getpid(), SIGKILL);
    pause();
  }
  if (gives_error()) return -1;
  return REAL(write)(descriptor, bytes, is_set("FAULT_DO", "short") && size > 1 ? 1 : size);
}

ssize_t read(int descriptor, void* bytes, size_t size) {
  char path[PATH_MAX];
  path_of(descriptor, path);
  return fails("read", path) ? -1 : REAL(read)(descriptor, bytes, size);
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
