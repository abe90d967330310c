/**
 * A descriptor that another process sends over a socket (SCM_RIGHTS, unix(7)).
 *
 *     msghdr (56)                   cmsghdr (16) and its content
 *      0 name, 8 namelen             0 u64 cmsg_len
 *     16 iovec *iov                  8 i32 cmsg_level (SOL_SOCKET)
 *     24 u64 iovlen                 12 i32 cmsg_type (SCM_RIGHTS)
 *     32 void *control              16 i32 descriptor
 *     40 u64 controllen
 *     48 i32 flags                  iovec (16): 0 void *base, 8 u64 len
 */
import { lastErrno, libcFunction, nativeMemory } from './load.js'

const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SCM_RIGHTS = 1
const MSG_DONTWAIT = 0x40
const MSG_CMSG_CLOEXEC = 0x4000_0000
const CONTROL_BYTES = 24

/** Two connected sockets, or a negative errno. */
export function socketPair(): [number, number] | number {
  const pair = Buffer.alloc(8)
  const call: (domain: number, type: number, protocol: number, pair: Uint8Array) => number = libcFunction(
    'int socketpair(int domain, int type, int protocol, void *pair)',
  )
  if (call(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) return -lastErrno()
  return [pair.readInt32LE(0), pair.readInt32LE(4)]
}

/** The descriptor that was sent to `socket`; undefined when none was. Does not wait. */
export function receivedDescriptor(socket: number): number | undefined {
  const call: (socket: number, message: Uint8Array, flags: number) => number = libcFunction(
    'int64_t recvmsg(int socket, void *message, int flags)',
  )
  const memory = nativeMemory(8 + 16 + CONTROL_BYTES)
  const message = Buffer.alloc(56)
  memory.bytes.fill(0)
  memory.bytes.writeBigUInt64LE(memory.address, 8)
  memory.bytes.writeBigUInt64LE(8n, 16)
  message.writeBigUInt64LE(memory.address + 8n, 16)
  message.writeBigUInt64LE(1n, 24)
  message.writeBigUInt64LE(memory.address + 24n, 32)
  message.writeBigUInt64LE(BigInt(CONTROL_BYTES), 40)
  if (call(socket, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0) return undefined
  const control = memory.bytes.subarray(24)
  const isDescriptor = control.readInt32LE(8) === SOL_SOCKET && control.readInt32LE(12) === SCM_RIGHTS
  return isDescriptor && message.readBigUInt64LE(40) > 16n ? control.readInt32LE(16) : undefined
}
