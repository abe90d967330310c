/* What a write through FUSE costs when nothing is done with it: a server that answers and forgets, to compare others with.
 *
 *     cc -O2 -o /tmp/floor bench/micro/floor.c && cc -O2 -o /tmp/load bench/load.c && mkdir -p /tmp/floor-mount
 *     taskset -c 1 /tmp/floor /tmp/floor-mount &
 *     taskset -c 1 /tmp/load /tmp/floor-mount random-write f 0 100000 1 1000     # prints operations and nanoseconds
 *     umount /tmp/floor-mount
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

enum { BUFFER = 2 << 20, FILE_NODE = 2, FILE_BYTES = 64 << 20, SECONDS = 3600 };

static char request[BUFFER], answer[BUFFER];
static int device;

static void reply(uint64_t unique, int error, size_t bytes) {
  struct fuse_out_header *head = (void *)answer;
  *head = (struct fuse_out_header){.len = (uint32_t)(sizeof *head + bytes), .error = error, .unique = unique};
  if (write(device, answer, head->len) < 0 && errno != ENOENT) perror("write");
}

static struct fuse_attr attributes(uint64_t node) {
  struct fuse_attr attr = {.ino = node, .nlink = 1, .mode = node == FILE_NODE ? 0100644 : 040755, .blksize = 4096};
  if (node == FILE_NODE) attr.size = FILE_BYTES;
  return attr;
}

static void serve(const struct fuse_in_header *head) {
  void *body = answer + sizeof(struct fuse_out_header);
  const void *arguments = head + 1;
  switch (head->opcode) {
  case FUSE_INIT: {
    const struct fuse_init_in *wanted = arguments;
    uint32_t flags = FUSE_BIG_WRITES | FUSE_MAX_PAGES | FUSE_HANDLE_KILLPRIV_V2 | FUSE_NO_OPEN_SUPPORT;
    struct fuse_init_out agreed = {.major = 7, .minor = 38, .max_readahead = 1 << 20, .flags = wanted->flags & flags,
                                   .max_background = 64, .congestion_threshold = 48, .max_write = 1 << 20, .max_pages = 256};
    memcpy(body, &agreed, sizeof agreed);
    return reply(head->unique, 0, sizeof agreed);
  }
  case FUSE_LOOKUP: {
    struct fuse_entry_out entry = {.nodeid = FILE_NODE, .entry_valid = SECONDS, .attr_valid = SECONDS, .attr = attributes(FILE_NODE)};
    memcpy(body, &entry, sizeof entry);
    return reply(head->unique, 0, sizeof entry);
  }
  case FUSE_GETATTR:
  case FUSE_SETATTR: {
    struct fuse_attr_out attr = {.attr_valid = SECONDS, .attr = attributes(head->nodeid)};
    memcpy(body, &attr, sizeof attr);
    return reply(head->unique, 0, sizeof attr);
  }
  case FUSE_WRITE: {
    struct fuse_write_out written = {.size = ((const struct fuse_write_in *)arguments)->size};
    memcpy(body, &written, sizeof written);
    return reply(head->unique, 0, sizeof written);
  }
  case FUSE_FORGET:
  case FUSE_BATCH_FORGET:
    return;
  default:
    return reply(head->unique, -ENOSYS, 0);
  }
}

int main(int argc, char **argv) {
  char options[100];
  device = open("/dev/fuse", O_RDWR);
  snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,default_permissions", device);
  if (argc != 2 || mount("floor", argv[1], "fuse.floor", MS_NOSUID | MS_NODEV, options)) return perror("mount"), 1;
  for (;;) {
    if (read(device, request, sizeof request) >= 0) serve((void *)request);
    else if (errno == ENODEV) return 0;
  }
}
