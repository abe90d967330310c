/*
 * One open file, and what is asked of it on standard input, a line each: lock, share or unlock KIND START LENGTH (KIND flock,
 * fcntl or ofd; wait and wait-shared do not give up), test START LENGTH, append TEXT, read, sync. Answers each with "ok", what
 * there is, or the name of an error. SIGUSR1 interrupts it.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static void on_signal(int number) { (void)number; }

static int change_lock(int fd, const char *kind, short type, int waits, long start, long length) {
  if (strcmp(kind, "flock") == 0) {
    int operation = type == F_UNLCK ? LOCK_UN : type == F_WRLCK ? LOCK_EX : LOCK_SH;
    return flock(fd, waits ? operation : operation | LOCK_NB);
  }
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
  int is_ofd = strcmp(kind, "ofd") == 0;
  return fcntl(fd, is_ofd ? (waits ? F_OFD_SETLKW : F_OFD_SETLK) : (waits ? F_SETLKW : F_SETLK), &lock);
}

static int test_lock(int fd, long start, long length) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
  if (fcntl(fd, F_GETLK, &lock) < 0) return -1;
  if (lock.l_type == F_UNLCK) puts("free");
  else printf("%s %ld %ld %s\n", lock.l_type == F_WRLCK ? "exclusive" : "shared", (long)lock.l_start, (long)lock.l_len,
              lock.l_pid > 0 ? "here" : "elsewhere");
  return 1;
}

static int read_all(int fd) {
  static char content[65536];
  ssize_t got = pread(fd, content, sizeof content - 1, 0);
  if (got < 0) return -1;
  content[got] = 0;
  for (char *c = content; *c; c++) if (*c == '\n') *c = ' ';
  puts(content);
  return 1;
}

static int serve(int fd, char *line) {
  char word[32] = "", kind[16] = "", text[256] = "";
  long start = 0, length = 0;
  sscanf(line, "%31s %15s %ld %ld", word, kind, &start, &length);
  if (strcmp(word, "lock") == 0) return change_lock(fd, kind, F_WRLCK, 0, start, length);
  if (strcmp(word, "share") == 0) return change_lock(fd, kind, F_RDLCK, 0, start, length);
  if (strcmp(word, "wait") == 0) return change_lock(fd, kind, F_WRLCK, 1, start, length);
  if (strcmp(word, "wait-shared") == 0) return change_lock(fd, kind, F_RDLCK, 1, start, length);
  if (strcmp(word, "unlock") == 0) return change_lock(fd, kind, F_UNLCK, 0, start, length);
  if (strcmp(word, "test") == 0) return test_lock(fd, atol(kind), start);
  if (strcmp(word, "read") == 0) return read_all(fd);
  if (strcmp(word, "sync") == 0) return fsync(fd);
  if (strcmp(word, "append") == 0 && sscanf(line, "append %255s", text) == 1) {
    strcat(text, "\n");
    return write(fd, text, strlen(text)) < 0 ? -1 : 0;
  }
  errno = ENOSYS;
  return -1;
}

int main(int argc, char **argv) {
  if (argc != 2) errx(2, "usage: locker FILE");
  struct sigaction action = {.sa_handler = on_signal};
  if (sigaction(SIGUSR1, &action, NULL) < 0) err(2, "sigaction");
  int fd = open(argv[1], O_RDWR | O_CREAT | O_APPEND, 0644);
  if (fd < 0) err(2, "open");
  setvbuf(stdout, NULL, _IOLBF, 0);
  puts("ready");
  static char line[512];
  while (fgets(line, sizeof line, stdin)) {
    int result = serve(fd, line);
    if (result < 0) puts(strerrorname_np(errno));
    else if (result == 0) puts("ok");
  }
  return 0;
}
