import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { InitFlag, Opcode, SetAttributeFlag } from '../../../../src/fs/drivers/direct/protocol.js'

const HEADER = '/usr/include/linux/fuse.h'
const header = existsSync(HEADER) ? readFileSync(HEADER, 'latin1') : undefined
const skip = header === undefined ? `${HEADER} is not installed (Debian: linux-libc-dev)` : false

t.test('numbers are those of the kernel header', { skip }, (t) => {
  const text = header ?? ''
  for (const [name, value] of Object.entries(Opcode)) {
    // FUSE_STATX is of 7.39, later than some headers.
    if (name !== 'STATX') t.match(text, new RegExp(`\\sFUSE_${name}\\s*= ${value},`), name)
  }
  const flags = { ...prefixed('FUSE_', InitFlag), ...prefixed('FATTR_', SetAttributeFlag) }
  for (const [name, value] of Object.entries(flags)) {
    t.match(text, new RegExp(`#define ${name}\\s+\\(1 << ${Math.log2(value)}\\)`), name)
  }
  t.end()
})

function prefixed(prefix: string, numbers: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [prefix + name, value]))
}
