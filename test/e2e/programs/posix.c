/* What scripts cannot do: locks held by a process, shared maps, and system calls one by one. Prints what it found. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(call) do { if ((call) < 0) err(2, "%s", #call); } while (0)

static int open_file(const char *path, int flags) {
  int fd = open(path, flags | O_CLOEXEC, 0644);
  if (fd < 0) err(2, "open %s", path);
  return fd;
}

/* Takes a lock of the kind asked for without waiting; 0 or errno. */
static int take_lock(const char *kind, int fd, long start, long length) {
  if (strcmp(kind, "flock") == 0) return flock(fd, LOCK_EX | LOCK_NB) ? errno : 0;
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
  return fcntl(fd, strcmp(kind, "ofd") == 0 ? F_OFD_SETLK : F_SETLK, &lock) ? errno : 0;
}

/* hold KIND FILE START LENGTH: takes the lock, says whether, keeps it until killed or until its input ends. */
static int hold(char **a) {
  int fd = open_file(a[1], O_RDWR | O_CREAT);
  int error = take_lock(a[0], fd, atol(a[2]), atol(a[3]));
  printf(error ? "refused\n" : "held\n");
  fflush(stdout);
  char byte;
  while (!error && read(0, &byte, 1) > 0) {}
  return 0;
}

/* try KIND FILE START LENGTH: free or taken. */
static int try_lock(char **a) {
  int error = take_lock(a[0], open_file(a[1], O_RDWR | O_CREAT), atol(a[2]), atol(a[3]));
  if (error != 0 && error != EAGAIN && error != EACCES) errx(2, "lock: %s", strerror(error));
  puts(error ? "taken" : "free");
  return 0;
}

/* close-releases FILE: closing any descriptor of the file drops a process's fcntl locks (POSIX); the child tries. */
static int close_releases(char **a) {
  int locked = open_file(a[0], O_RDWR | O_CREAT);
  if (take_lock("fcntl", locked, 0, 0)) errx(2, "lock");
  CHECK(close(open_file(a[0], O_RDONLY)));
  pid_t child = fork();
  if (child == 0) _exit(take_lock("fcntl", open_file(a[0], O_RDWR), 0, 0));
  int status;
  CHECK(waitpid(child, &status, 0));
  puts(status == 0 ? "free" : "taken");
  return 0;
}

/* append FILE WRITER COUNT: records of 100 bytes, each by one write of an O_APPEND descriptor. */
static int append(char **a) {
  int fd = open_file(a[0], O_WRONLY | O_APPEND | O_CREAT);
  char record[160];
  for (int i = 0; i < atoi(a[2]); i++) {
    snprintf(record, sizeof record, "%s %06d %089d\n", a[1], i, i);
    size_t length = strlen(record);
    if (write(fd, record, length) != (ssize_t)length) err(2, "append");
  }
  return 0;
}

/* map-exchange FILE ROUNDS: two processes count in turn in one shared page, no call between them. */
static int map_exchange(char **a) {
  int rounds = atoi(a[1]), fd = open_file(a[0], O_RDWR | O_CREAT);
  CHECK(ftruncate(fd, 1 << 20));
  volatile int *counter = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (counter == MAP_FAILED) err(2, "mmap");
  pid_t child = fork();
  for (int mine = child == 0; mine < 2 * rounds; mine += 2) {
    while (*counter != mine) sched_yield();
    ((volatile char *)counter)[4096 + mine] = (char)mine;
    *counter = mine + 1;
  }
  if (child == 0) _exit(0);
  CHECK(waitpid(child, NULL, 0));
  while (*counter != 2 * rounds) sched_yield();
  int seen;
  if (pread(fd, &seen, sizeof seen, 0) != sizeof seen) err(2, "pread");
  printf("%d %d\n", *counter, seen);
  CHECK(msync((void *)counter, 1 << 20, MS_SYNC));
  return 0;
}

/* map-write FILE BYTES: fills a file through a map with a pattern that says where each word lies, and only unmaps. */
static int map_write(char **a) {
  long bytes = atol(a[1]);
  int fd = open_file(a[0], O_RDWR | O_CREAT);
  CHECK(ftruncate(fd, bytes));
  unsigned *words = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (words == MAP_FAILED) err(2, "mmap");
  for (long i = 0; i < bytes / 4; i++) words[i] = (unsigned)i * 2654435761u;
  CHECK(munmap(words, bytes));
  return 0;
}

/* map-check FILE BYTES: the pattern of map-write, through a private map and through read. */
static int map_check(char **a) {
  long bytes = atol(a[1]), wrong = 0;
  int fd = open_file(a[0], O_RDONLY);
  unsigned *words = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
  if (words == MAP_FAILED) err(2, "mmap");
  unsigned *copy = malloc(bytes);
  for (long at = 0; at < bytes;) {
    ssize_t got = pread(fd, (char *)copy + at, bytes - at, at);
    if (got <= 0) err(2, "pread");
    at += got;
  }
  for (long i = 0; i < bytes / 4; i++) {
    unsigned expected = (unsigned)i * 2654435761u;
    wrong += words[i] != expected || copy[i] != expected;
  }
  printf("%ld wrong\n", wrong);
  return 0;
}

/* unlinked FILE: a file that has no name any more is written, extended, read, stat'ed and truncated. */
static int unlinked(char **a) {
  int fd = open_file(a[0], O_RDWR | O_CREAT | O_EXCL);
  char block[65536], back[65536];
  memset(block, 'u', sizeof block);
  CHECK(write(fd, block, 1000));
  CHECK(unlink(a[0]));
  for (int i = 0; i < 64; i++)
    if (pwrite(fd, block, sizeof block, (off_t)i * sizeof block) != sizeof block) err(2, "pwrite");
  CHECK(fsync(fd));
  struct stat s;
  CHECK(fstat(fd, &s));
  if (pread(fd, back, sizeof back, 3000000) != sizeof back || memcmp(block, back, sizeof back)) errx(2, "read");
  CHECK(fchmod(fd, 0600));
  CHECK(ftruncate(fd, 5));
  if (pread(fd, back, sizeof back, 0) != 5) errx(2, "truncated read");
  printf("%ld links, %ld bytes, %s\n", (long)s.st_nlink, (long)s.st_size, access(a[0], F_OK) ? "no name" : "a name");
  return 0;
}

/* read-through FILE: opens, says so, and after a line of input reads the file to its end from that descriptor. */
static int read_through(char **a) {
  char block[4096];
  int fd = open_file(a[0], O_RDONLY);
  CHECK(read(fd, block, 1000));
  puts("open");
  fflush(stdout);
  if (read(0, block, sizeof block) <= 0) return 2;
  CHECK(lseek(fd, 0, SEEK_SET));
  for (ssize_t got; (got = read(fd, block, sizeof block)) != 0;) {
    if (got < 0) err(2, "read");
    if (write(1, block, got) != got) err(2, "write");
  }
  return 0;
}

static const struct { const char *name; int arguments; int (*run)(char **); } COMMANDS[] = {
  {"hold", 4, hold}, {"try", 4, try_lock}, {"close-releases", 1, close_releases}, {"append", 3, append},
  {"map-exchange", 2, map_exchange}, {"map-write", 2, map_write}, {"map-check", 2, map_check},
  {"unlinked", 1, unlinked}, {"read-through", 1, read_through},
};

int main(int argc, char **argv) {
  for (size_t i = 0; argc > 1 && i < sizeof COMMANDS / sizeof *COMMANDS; i++)
    if (strcmp(argv[1], COMMANDS[i].name) == 0 && argc - 2 == COMMANDS[i].arguments) return COMMANDS[i].run(argv + 2);
  errx(2, "usage: posix COMMAND ARGUMENTS");
}
