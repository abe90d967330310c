/**
 * Extended attributes. A size of 0 asks for the length only.
 *
 *     SETXATTR     40 u32 size, 44 u32 flags, 48 u32 setxattr_flags, 52 padding, 56 name, value
 *                  (before Linux 5.13, or without SETXATTR_EXT: 40 u32 size, 44 u32 flags, 48 name, value)
 *     GETXATTR     40 u32 size, 44 padding, 48 name  -> the value, or 16 u32 size, 20 padding
 *     LISTXATTR    40 u32 size, 44 padding           -> the names, each NUL-terminated, or as GETXATTR
 *     REMOVEXATTR  40 name
 */
import { Errno } from '../../../errno.js'
import { malformed, type Exchange } from '../exchange.js'
import { emptyReply, reply, type Handler, type Result } from '../handler.js'
import { SETXATTR_ACL_KILL_SGID } from '../protocol.js'

export const setExtendedAttribute: Handler = (session, x) => {
  const size = x.u32(40)
  const clearSetgid = session.hasLongSetxattr && (x.u32(48) & SETXATTR_ACL_KILL_SGID) !== 0
  const nameStart = session.hasLongSetxattr ? 56 : 48
  const nameEnd = x.endOfString(nameStart)
  const valueStart = nameEnd + 1
  if (valueStart + size > x.length) throw malformed('a SETXATTR without all of its value')
  // A copy: the file system may keep it.
  const value = new Uint8Array(x.bytes.subarray(valueStart, valueStart + size))
  const name = x.nameBetween(nameStart, nameEnd)
  const { fileSystem } = session
  const set = fileSystem.setExtendedAttribute(x.nodeId, name, value, x.u32(44), x.caller, clearSetgid)
  return reply(session, x, set, emptyReply)
}

/**
 * `ls -l` asks for every file's SELinux label; told that there are none here it asks once per listing, which makes it three
 * times as fast. Labels that were stored are given back all the same.
 */
const SELINUX_LABEL = 'security.selinux'

export const getExtendedAttribute: Handler = (session, x) => {
  const name = x.name(48)
  const absent = name === SELINUX_LABEL ? Errno.EOPNOTSUPP : Errno.ENODATA
  return sizedReply(x, session.fileSystem.getExtendedAttribute(x.nodeId, name), absent)
}

export const listExtendedAttributes: Handler = (session, x) =>
  sizedReply(x, session.fileSystem.listExtendedAttributes(x.nodeId, x.caller), Errno.ENODATA)

function sizedReply(x: Exchange, answer: Value | Promise<Value>, absent: number): Result | Promise<Result> {
  const size = x.u32(40)
  if (answer instanceof Promise) return answer.then((value) => build(x, size, value, absent))
  return build(x, size, answer, absent)
}

type Value = Uint8Array | undefined

function build(x: Exchange, size: number, value: Value, absent: number): Result {
  // Hot: asked of each new file before its first write (security.capability).
  if (value === undefined) return -absent
  if (size === 0) {
    x.setU32(16, value.length)
    x.setU32(20, 0)
    return 24
  }
  if (value.length > size) return -Errno.ERANGE
  x.bytes.set(value, 16)
  return 16 + value.length
}

export const removeExtendedAttribute: Handler = (session, x) =>
  reply(session, x, session.fileSystem.removeExtendedAttribute(x.nodeId, x.name(40), x.caller), emptyReply)
