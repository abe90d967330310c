/**
 * Prints everything that a remount must bring back, one line for each entry below the current directory: path, inode
 * number, mode, owner, links, size, device, times, contents. Names are bytes, printed as latin1 in JSON. atime is left
 * out: reading changes it. Extended attributes are getfattr's business.
 */
import { createHash } from 'node:crypto'
import { closeSync, constants, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs'

const chunk = Buffer.alloc(1 << 20)

/** @param {Buffer} path */
function digest(path) {
  const hash = createHash('sha256')
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  for (let got; (got = readSync(fd, chunk)) > 0;) hash.update(chunk.subarray(0, got))
  closeSync(fd)
  return hash.digest('hex')
}

/** @param {Buffer} path @param {import('node:fs').BigIntStats} s */
function contents(path, s) {
  if (s.isSymbolicLink()) return readlinkSync(path, 'latin1')
  if (!s.isFile()) return ''
  // What may not be read has its size for its contents.
  return process.getuid?.() === 0 || (s.mode & 0o400n) !== 0n ? digest(path) : ''
}

/** @param {Buffer} path */
function print(path) {
  const s = lstatSync(path, { bigint: true })
  const size = s.isDirectory() ? 0n : s.size
  const fields = [s.ino, s.mode.toString(8), s.uid, s.gid, s.nlink, size, s.rdev, s.mtimeNs, s.ctimeNs, s.birthtimeNs]
  console.log(JSON.stringify([path.toString('latin1'), ...fields.map(String), contents(path, s)]))
  if (!s.isDirectory()) return
  const names = readdirSync(path, 'buffer').sort(Buffer.compare)
  for (const name of names) print(Buffer.concat([path, Buffer.from('/'), name]))
}

print(Buffer.from('.'))
