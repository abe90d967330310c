/**
 * The `-o` list of mount(8): what fstab and people's fingers know. Every option is known here or refused by its name; none
 * goes to the kernel unseen. Later options win over earlier ones.
 */
import { AteError } from '../engine/error.js'

export interface MountOptions {
  readOnly: boolean
  allowOther: boolean
  allowRoot: boolean
  /** For the kernel, as mount(2) knows them: nosuid, nodev, noexec, noatime, sync, ... */
  kernelOptions: string[]
  uid?: number
  gid?: number
  umask?: number
  fsName?: string
}

/** More than any real list; bounds the work on hostile input. */
const MAX_LIST_LENGTH = 4096
const MAX_ID = 0xffff_fffe

/** Each pair is one switch of the kernel's; [on, off]. */
const SWITCHES: readonly (readonly [string, string])[] = [
  ['nosuid', 'suid'],
  ['nodev', 'dev'],
  ['noexec', 'exec'],
  ['sync', 'async'],
  ['dirsync', ''],
]
const ACCESS_TIMES = new Set(['atime', 'noatime', 'relatime'])
/** For mount(8), systemd and fstab readers, not for us. `default_permissions` is always on. */
const IGNORED = new Set([
  'default_permissions',
  '_netdev',
  'nofail',
  'user',
  'nouser',
  'users',
  'owner',
  'group',
  'auto',
  'noauto',
  'defaults',
])

/** Parses `-o` values (each a comma separated list; a backslash keeps the next character). Fails with BAD_OPTION. */
export function parseMountOptions(lists: readonly string[]): MountOptions {
  const options: MountOptions = { readOnly: false, allowOther: false, allowRoot: false, kernelOptions: [] }
  // As libfuse: files of others can be in here, so neither setuid bits nor device nodes count unless asked for.
  const kernel = new Set(['nosuid', 'nodev'])
  for (const list of lists) for (const option of splitList(list)) apply(options, kernel, option)
  if (options.allowOther && options.allowRoot) {
    throw new AteError('BAD_OPTION', 'the options allow_other and allow_root exclude each other')
  }
  options.kernelOptions = [...kernel]
  return options
}

function splitList(list: string): string[] {
  if (list.length > MAX_LIST_LENGTH) {
    throw new AteError('BAD_OPTION', `the list of mount options is longer than ${MAX_LIST_LENGTH} characters`)
  }
  const options: string[] = []
  let current = ''
  for (let i = 0; i < list.length; i++) {
    const character = list.charAt(i)
    if (character === '\\' && i + 1 < list.length) current += list.charAt(++i)
    else if (character !== ',') current += character
    else {
      options.push(current)
      current = ''
    }
  }
  options.push(current)
  return options.filter((option) => option !== '')
}

function apply(options: MountOptions, kernel: Set<string>, option: string): void {
  const equals = option.indexOf('=')
  if (equals > 0 && !option.startsWith('x-')) {
    applyValue(options, option.slice(0, equals), option.slice(equals + 1))
  } else if (option === 'ro' || option === 'rw') {
    options.readOnly = option === 'ro'
  } else if (option === 'allow_other') {
    options.allowOther = true
  } else if (option === 'allow_root') {
    options.allowRoot = true
  } else if (ACCESS_TIMES.has(option)) {
    for (const other of ACCESS_TIMES) kernel.delete(other)
    if (option !== 'atime') kernel.add(option)
  } else if (!applySwitch(kernel, option) && !IGNORED.has(option) && !option.startsWith('x-')) {
    throw unknownOption(option)
  }
}

function applySwitch(kernel: Set<string>, option: string): boolean {
  for (const [on, off] of SWITCHES) {
    if (option === on) kernel.add(on)
    else if (option === off) kernel.delete(on)
    else continue
    return true
  }
  return false
}

function applyValue(options: MountOptions, name: string, value: string): void {
  if (name === 'uid') options.uid = parseId(name, value)
  else if (name === 'gid') options.gid = parseId(name, value)
  else if (name === 'umask') options.umask = parseUmask(value)
  else if (name === 'fsname') options.fsName = checkFsName(value)
  else if (name !== 'comment') throw unknownOption(name)
}

function unknownOption(name: string): AteError {
  return new AteError('BAD_OPTION', `unknown mount option '${printable(name)}'`, {
    hint: 'The options that are known are listed in docs/cli.md.',
  })
}

function parseId(name: string, value: string): number {
  const id = /^[0-9]{1,10}$/.test(value) ? Number(value) : NaN
  if (!(id <= MAX_ID))
    throw new AteError('BAD_OPTION', `the mount option ${name}= needs a number, got '${printable(value)}'`)
  return id
}

function parseUmask(value: string): number {
  if (!/^0?[0-7]{1,3}$/.test(value)) {
    throw new AteError(
      'BAD_OPTION',
      `the mount option umask= needs an octal number like 022, got '${printable(value)}'`,
    )
  }
  return Number.parseInt(value, 8)
}

/** Appears in /proc/mounts, which is lines of words: no control characters. */
function checkFsName(value: string): string {
  if (value === '' || value.length > 255 || printable(value) !== value) {
    throw new AteError('BAD_OPTION', 'the mount option fsname= needs 1 to 255 printable characters')
  }
  return value
}

function printable(text: string): string {
  return text.slice(0, 255).replace(/\p{Cc}/gu, '?')
}
