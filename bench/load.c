/* The load generator of the benchmark: raw system calls in a tight loop, timed around the loop only.
 *
 * It is C because some rows cost 1-3 us per operation; a loop in JavaScript adds 3-8 us to each and would hide the
 * differences. Only the benchmark compiles it (cc); nothing that is installed depends on it.
 * Every command prints one line: operations, nanoseconds, bytes, and nanoseconds of CPU the load itself took. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PER_DIRECTORY = 100, BLOCK = 4096, CHUNK = 128 << 10 };

static char buffer[CHUNK];

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static uint64_t cpu_ns(int who) {
  struct rusage u;
  getrusage(who, &u);
  return ((uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000u + (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec)) * 1000u;
}

static uint64_t cpu_at_start;
static uint64_t start_clock(void) {
  cpu_at_start = cpu_ns(RUSAGE_SELF);
  return now_ns();
}

static void report(long operations, uint64_t start, uint64_t bytes) {
  unsigned long long ns = now_ns() - start, cpu = cpu_ns(RUSAGE_SELF) - cpu_at_start + cpu_ns(RUSAGE_CHILDREN);
  printf("%ld %llu %llu %llu\n", operations, ns, (unsigned long long)bytes, cpu);
}

/* xorshift64*: the same sequence for the same seed everywhere. */
static uint64_t state;
static uint64_t next_random(void) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 2685821657736338717u;
}

static void fill_random(uint64_t seed) {
  state = seed * 2654435761u + 88172645463325252u;
  for (size_t i = 0; i < sizeof buffer; i += 8) {
    uint64_t r = next_random();
    memcpy(buffer + i, &r, 8);
  }
}

/* "d0012/f0001234", relative to the working directory; made by hand because snprintf costs 0.2 us. */
static char *file_name(long i, char first) {
  static char name[32];
  long d = i / PER_DIRECTORY, f = i;
  memcpy(name, "d0000/f0000000", 15);
  name[6] = first;
  for (char *p = name + 4; d; d /= 10) *p-- = '0' + d % 10;
  for (char *p = name + 13; f; f /= 10) *p-- = '0' + f % 10;
  return name;
}

static void make_directories(long n) {
  for (long d = 0; d * PER_DIRECTORY < n; d++) {
    char name[8];
    memcpy(name, file_name(d * PER_DIRECTORY, 'f'), 5);
    name[5] = 0;
    if (mkdir(name, 0755) && errno != EEXIST) die("mkdir");
  }
}

static int expired(long i, uint64_t start, long cap_ms) {
  return cap_ms && (i & 15) == 0 && now_ns() - start > (uint64_t)cap_ms * 1000000u;
}

/* `stride`: of so many files only the first is made; with as many as a directory has, each lies in one of its own. */
static void create_files(long n, long size, long cap_ms, long stride) {
  make_directories(n * stride);
  fill_random((uint64_t)n);
  uint64_t start = start_clock();
  long i = 0;
  for (; i < n && !expired(i, start, cap_ms); i++) {
    memcpy(buffer, &i, sizeof i); /* no two files alike */
    int fd = open(file_name(i * stride, 'f'), O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (fd < 0) die("create");
    if (write(fd, buffer, (size_t)size) != size) die("write");
    if (close(fd)) die("close");
  }
  report(i, start, (uint64_t)(i * size));
}

static void stat_file(long i) {
  struct stat s;
  if (lstat(file_name(i, 'f'), &s)) die("stat");
}

static void read_file(long i) {
  int fd = open(file_name(i, 'f'), O_RDONLY);
  if (fd < 0) die("open");
  if (read(fd, buffer, BLOCK) <= 0) die("read");
  close(fd);
}

/* One pass when cap_ms is 0 (cold); else an untimed pass, a pause, and passes until the cap (warm). */
static void passes(void (*visit)(long), long n, long cap_ms, long pause_ms) {
  if (cap_ms)
    for (long i = 0; i < n; i++) visit(i);
  if (pause_ms) usleep((useconds_t)pause_ms * 1000);
  uint64_t start = start_clock();
  long done = 0;
  do
    for (long i = 0; i < n; i++, done++) visit(i);
  while (now_ns() - start < (uint64_t)cap_ms * 1000000u);
  report(done, start, 0);
}

static long gcd(long a, long b) { return b ? gcd(b, a % b) : a; }

/* `count` of the n files, none twice: from places far apart, `run` neighbours at each (100: a walk; 1: at random). */
static void sample(void (*visit)(long), long n, long count, long run, long seed, long stride) {
  long places = n / run, place = seed * 7919 % places, step = (long)(0.618 * (double)places) | 1;
  while (gcd(step, places) != 1) step += 2;
  uint64_t start = start_clock();
  long done = 0;
  for (; done < count; place = (place + step) % places)
    for (long i = place * run; i < (place + 1) * run && done < count; i++, done++) visit(i * stride);
  report(done, start, 0);
}

static void rename_files(long n, long cap_ms) {
  uint64_t start = start_clock();
  long i = 0;
  for (; i < n && !expired(i, start, cap_ms); i++) {
    char from[32];
    memcpy(from, file_name(i, 'f'), sizeof from);
    if (rename(from, file_name(i, 'g'))) die("rename");
  }
  report(i, start, 0);
}

static void unlink_files(long n, long cap_ms) {
  uint64_t start = start_clock();
  long i = 0;
  for (; i < n && !expired(i, start, cap_ms); i++)
    if (unlink(file_name(i, 'f'))) die("unlink");
  report(i, start, 0);
}

static void mkdir_wide(long n, long cap_ms) {
  uint64_t start = start_clock();
  long i = 0;
  char name[32];
  for (; i < n && !expired(i, start, cap_ms); i++) {
    snprintf(name, sizeof name, "w%07ld", i);
    if (mkdir(name, 0755)) die("mkdir");
  }
  report(i, start, 0);
}

/* Chains of `depth` directories, each made by its full path as mkdir -p does. */
static void mkdir_deep(long n, long depth, long cap_ms) {
  uint64_t start = start_clock();
  long i = 0;
  char path[4096];
  size_t length = 0;
  for (; i < n && !expired(i, start, cap_ms); i++) {
    if (i % depth == 0) length = (size_t)snprintf(path, sizeof path, "c%ld", i / depth);
    else length += (size_t)snprintf(path + length, sizeof path - length, "/d%ld", i % depth);
    if (mkdir(path, 0755)) die("mkdir");
  }
  report(i, start, 0);
}

static int open_file(const char *path, int flags) {
  int fd = open(path, flags, 0644);
  if (fd < 0) die(path);
  return fd;
}

static void sequential_write(const char *path, uint64_t bytes) {
  fill_random(bytes);
  uint64_t start = start_clock();
  int fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
  for (uint64_t at = 0; at < bytes; at += CHUNK) {
    memcpy(buffer, &at, sizeof at);
    if (write(fd, buffer, CHUNK) != CHUNK) die("write");
  }
  if (fsync(fd)) die("fsync");
  close(fd);
  report(1, start, bytes);
}

static void sequential_read(const char *path, int warm) {
  uint64_t start = 0, total = 0;
  for (int pass = warm ? 0 : 1; pass < 2; pass++) {
    start = start_clock();
    total = 0;
    int fd = open_file(path, O_RDONLY);
    for (ssize_t n; (n = read(fd, buffer, CHUNK)) != 0; total += (uint64_t)n)
      if (n < 0) die("read");
    close(fd);
  }
  report(1, start, total);
}

static void random_io(const char *path, int writing, int sync_at_end, long n, uint64_t seed, long cap_ms) {
  struct stat s;
  fill_random(seed);
  int fd = open_file(path, writing ? O_RDWR : O_RDONLY);
  if (fstat(fd, &s)) die("fstat");
  uint64_t blocks = (uint64_t)s.st_size / BLOCK, start = start_clock();
  state = seed * 0x9e3779b97f4a7c15u + 1;
  long i = 0;
  for (; i < n && !expired(i, start, cap_ms); i++) {
    off_t at = (off_t)(next_random() % blocks) * BLOCK;
    memcpy(buffer, &i, sizeof i);
    ssize_t done = writing ? pwrite(fd, buffer, BLOCK, at) : pread(fd, buffer, BLOCK, at);
    if (done != BLOCK) die("random io");
  }
  if (sync_at_end && fsync(fd)) die("fsync");
  close(fd);
  report(i, start, (uint64_t)i * BLOCK);
}

static void append_fsync(const char *path, long n, long size, long cap_ms) {
  fill_random((uint64_t)n);
  int fd = open_file(path, O_WRONLY | O_CREAT | O_APPEND);
  uint64_t start = start_clock();
  long i = 0;
  for (; i < n && (i == 0 || now_ns() - start < (uint64_t)cap_ms * 1000000u); i++) {
    if (write(fd, buffer, (size_t)size) != size) die("append");
    if (fsync(fd)) die("fsync");
  }
  close(fd);
  report(i, start, (uint64_t)(i * size));
}

/* Everything so far is durable: fsync in the mount (a FUSE server is not reached by syncfs), then syncfs of the disk. */
static void settle(const char *disk) {
  uint64_t start = start_clock();
  int fd = open_file(".settle", O_WRONLY | O_CREAT);
  if (write(fd, "x", 1) != 1 || fsync(fd)) die("settle");
  close(fd);
  fd = open_file(disk, O_RDONLY | O_DIRECTORY);
  if (syncfs(fd)) die("syncfs");
  close(fd);
  report(1, start, 0);
}

static void run_program(char **command) {
  uint64_t start = start_clock();
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) {
    int null = open("/dev/null", O_WRONLY);
    if (null < 0 || dup2(null, 1) < 0) die("/dev/null");
    execvp(command[0], command);
    die(command[0]);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) {
    fprintf(stderr, "load: %s failed (%d)\n", command[0], status);
    exit(1);
  }
  report(1, start, 0);
}

/* load DIRECTORY COMMAND [ARGUMENT...]: runs in DIRECTORY. */
int main(int argc, char **argv) {
  if (argc < 3 || chdir(argv[1])) die("usage: load DIRECTORY COMMAND [ARGUMENT...]");
  const char *command = argv[2];
  if (!strcmp(command, "exec")) return run_program(argv + 3), 0;
  const char *path = argc > 3 ? argv[3] : "";
  long a[5] = {0};
  for (int i = 0; i < 5 && 3 + i < argc; i++) a[i] = atol(argv[3 + i]);
  if (!strcmp(command, "create")) create_files(a[0], a[1], a[2], a[3] ? a[3] : 1);
  else if (!strcmp(command, "stat")) passes(stat_file, a[0], a[1], a[2]);
  else if (!strcmp(command, "read")) passes(read_file, a[0], a[1], a[2]);
  else if (!strcmp(command, "stat-sample")) sample(stat_file, a[0], a[1], a[2], a[3], a[4] ? a[4] : 1);
  else if (!strcmp(command, "read-sample")) sample(read_file, a[0], a[1], a[2], a[3], a[4] ? a[4] : 1);
  else if (!strcmp(command, "rename")) rename_files(a[0], a[1]);
  else if (!strcmp(command, "unlink")) unlink_files(a[0], a[1]);
  else if (!strcmp(command, "mkdir-wide")) mkdir_wide(a[0], a[1]);
  else if (!strcmp(command, "mkdir-deep")) mkdir_deep(a[0], a[1], a[2]);
  else if (!strcmp(command, "sequential-write")) sequential_write(path, (uint64_t)a[1] << 20);
  else if (!strcmp(command, "sequential-read")) sequential_read(path, (int)a[1]);
  else if (!strcmp(command, "random-write")) random_io(path, 1, (int)a[1], a[2], (uint64_t)a[3], a[4]);
  else if (!strcmp(command, "random-read")) random_io(path, 0, 0, a[1], (uint64_t)a[2], a[3]);
  else if (!strcmp(command, "append")) append_fsync(path, a[1], a[2], a[3]);
  else if (!strcmp(command, "settle")) settle(path);
  else die("unknown command");
  return 0;
}
