/*
 * crash-writer write SEED FIRST LOG: changes the current directory at random, one change per system call and per request
 * to the file system, and appends to LOG what was asked and answered. It ends at the first answer that says that the file
 * system is gone; that call is logged too: it may or may not have happened.
 *
 *     SEQUENCE BEFORE_NS AFTER_NS ERRNO OPERATION PATH PATH-OR-DASH NUMBER NUMBER
 *
 * crash-writer dump: prints the current directory, one line per entry:
 *
 *     PATH TYPE MODE LINKS INODE SIZE CRC-32 TARGET-OR-DASH ATTRIBUTE-OR-DASH
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define MAX_WRITE 100000
#define PAGE 4096
#define ATTRIBUTE "user.crash"

static uint64_t random_state;
static unsigned char data[MAX_WRITE];

static unsigned below(unsigned limit) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (unsigned)(random_state >> 20) % limit;
}

static long now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

/* One of 3 directories and 60 other names, 15 of them at the top. */
static void pick_path(char *path, int directory) {
  if (directory) sprintf(path, "d%u", below(3));
  else if (below(4) == 0) sprintf(path, "f%u", below(15));
  else sprintf(path, "d%u/f%u", below(3), below(15));
}

/*
 * The kernel sends a write that starts within a page and goes beyond it as two requests, and a crash may come between
 * them: such writes are made to start at the page, or to end with it.
 */
static long one_request_offset(long offset, long length) {
  return offset % PAGE + length > PAGE ? offset - offset % PAGE : offset;
}

static long one_request_length(const char *path, long length) {
  struct stat s;
  if (lstat(path, &s) < 0 || s.st_size % PAGE == 0) return length;
  long left = PAGE - s.st_size % PAGE;
  return length < left ? length : left;
}

static void fill(long sequence, long offset, long length) {
  for (long i = 0; i < length; i++) data[i] = (unsigned char)(sequence * 131 + (offset + i) * 7 + ((offset + i) >> 8));
}

/* Runs call with a descriptor of the file; errno of whichever fails. */
#define WITH_OPEN(path, flags, call) do { \
  int fd = open(path, (flags) | O_NOFOLLOW | O_CLOEXEC); \
  if (fd < 0) return errno; \
  long got = (call); \
  int error = got < 0 ? errno : 0; \
  close(fd); \
  return error; } while (0)

static const char *const OPERATIONS[] = {
  "write", "write", "write", "write", "append", "append", "truncate", "make", "make", "make", "make", "mkdir", "mkdir",
  "rmdir", "unlink", "unlink", "rename", "rename", "exchange", "link", "symlink", "chmod", "set", "set", "unset", "punch",
  "fsync", "fsync",
};

static int perform(const char *op, long sequence, const char *a, const char *b, long x, long y) {
  char text[64];
  sprintf(text, "%ld", sequence);
#define IS(name) (strcmp(op, name) == 0)
#define RESULT(call) return (call) < 0 ? errno : 0
  if (IS("write")) WITH_OPEN(a, O_WRONLY, (fill(sequence, x, y), pwrite(fd, data, y, x)));
  if (IS("append")) WITH_OPEN(a, O_WRONLY | O_APPEND, (fill(sequence, 0, y), write(fd, data, y)));
  if (IS("truncate")) WITH_OPEN(a, O_WRONLY, ftruncate(fd, x));
  if (IS("punch")) WITH_OPEN(a, O_WRONLY, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, x, y));
  if (IS("chmod")) WITH_OPEN(a, O_RDONLY, fchmod(fd, (mode_t)x));
  if (IS("fsync")) WITH_OPEN(a, O_RDONLY, y ? fdatasync(fd) : fsync(fd));
  if (IS("make")) RESULT(mknod(a, S_IFREG | (mode_t)x, 0));
  if (IS("mkdir")) RESULT(mkdir(a, (mode_t)x));
  if (IS("rmdir")) RESULT(rmdir(a));
  if (IS("unlink")) RESULT(unlink(a));
  if (IS("rename")) RESULT(rename(a, b));
  if (IS("exchange")) RESULT(renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE));
  if (IS("link")) RESULT(linkat(AT_FDCWD, a, AT_FDCWD, b, 0));
  if (IS("symlink")) RESULT(symlink(text, a));
  if (IS("set")) RESULT(lsetxattr(a, ATTRIBUTE, text, strlen(text), 0));
  if (IS("unset")) RESULT(lremovexattr(a, ATTRIBUTE));
  errx(2, "operation %s", op);
}

static int is_gone(int error) {
  return error == ENOTCONN || error == ECONNABORTED || error == EIO || error == ENODEV || error == ESTALE;
}

static int write_until_gone(long seed, long sequence, const char *log_path) {
  int log = open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (log < 0) err(2, "%s", log_path);
  random_state = (uint64_t)seed * 0x9E3779B97F4A7C15u | 1;
  for (int i = 0; i < 8; i++) below(1);
  umask(0);
  for (;; sequence++) {
    const char *op = OPERATIONS[below(sizeof OPERATIONS / sizeof *OPERATIONS)];
    char a[32], b[32] = "-", line[256];
    int on_directory = strstr(op, "dir") != NULL || (below(12) == 0 && (IS("rename") || IS("exchange") || IS("fsync")));
    pick_path(a, on_directory);
    if (IS("rename") || IS("exchange") || IS("link")) pick_path(b, on_directory);
    long x = 0, y = 0;
    if (IS("write") || IS("punch") || IS("append") || IS("truncate")) {
      x = IS("append") ? 0 : (long)(below(3) ? below(4096) : below(200000));
      y = below(4) ? 1 + below(5000) : 1 + below(MAX_WRITE);
      if (IS("write")) x = one_request_offset(x, y);
      if (IS("append")) y = one_request_length(a, y);
    } else if (IS("make") || IS("chmod")) x = 0600 + below(0200);
    else if (IS("mkdir")) x = 0700 + below(0100);
    else if (IS("fsync")) y = below(2);
    long before = now_ns();
    int error = perform(op, sequence, a, b, x, y);
    int length = sprintf(line, "%ld %ld %ld %d %s %s %s %ld %ld\n", sequence, before, now_ns(), error, op, a, b, x, y);
    if (write(log, line, length) != length) err(2, "log");
    if (is_gone(error)) return 0;
  }
}

static unsigned crc_of(int fd) {
  unsigned crc = ~0u;
  for (long got; (got = read(fd, data, sizeof data)) != 0;) {
    if (got < 0) err(2, "read");
    for (long i = 0; i < got; i++) {
      crc ^= data[i];
      for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
  }
  return ~crc;
}

static void dump(const char *path) {
  DIR *directory = opendir(path);
  if (directory == NULL) err(2, "%s", path);
  for (struct dirent *entry; (errno = 0, entry = readdir(directory)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    char full[512], target[64] = "-", attribute[64] = "-";
    const char *name = full;
    snprintf(full, sizeof full, "%s/%s", path, entry->d_name);
    if (strncmp(name, "./", 2) == 0) name += 2;
    struct stat s;
    if (lstat(name, &s) < 0) err(2, "%s", name);
    unsigned crc = 0;
    if (S_ISREG(s.st_mode)) {
      int fd = open(name, O_RDONLY);
      if (fd < 0) err(2, "%s", name);
      crc = crc_of(fd);
      close(fd);
    }
    if (S_ISLNK(s.st_mode)) {
      ssize_t length = readlink(name, target, sizeof target - 1);
      if (length < 0) err(2, "%s", name);
      target[length] = 0;
    } else {
      ssize_t length = lgetxattr(name, ATTRIBUTE, attribute, sizeof attribute - 1);
      if (length < 0 && errno != ENODATA) err(2, "%s", name);
      if (length >= 0) attribute[length] = 0;
    }
    long size = S_ISREG(s.st_mode) ? (long)s.st_size : 0;
    const char *type = S_ISREG(s.st_mode) ? "file" : S_ISDIR(s.st_mode) ? "directory" : "link";
    printf("%s %s %o %ld %ld %ld %u %s %s\n", name, type, s.st_mode & 07777, (long)s.st_nlink, (long)s.st_ino, size, crc,
           target, attribute);
    if (S_ISDIR(s.st_mode)) dump(name);
  }
  if (errno != 0) err(2, "readdir %s", path);
  closedir(directory);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "dump") == 0) return dump("."), 0;
  if (argc == 5 && strcmp(argv[1], "write") == 0) return write_until_gone(atol(argv[2]), atol(argv[3]), argv[4]);
  errx(2, "usage: crash-writer write SEED FIRST LOG | dump");
}
