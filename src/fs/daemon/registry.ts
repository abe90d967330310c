/**
 * Who has mounted what: one small file per daemon in the runtime directory, `PID.json`, beside its socket `PID.sock`. A
 * daemon that was killed leaves both behind; they are recognised by the process being gone, and removed by who meets them.
 */
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isAteError } from '../../engine/error.js'
import { numberField, optionalNumber, optionalText, parseJsonObject, textField } from './json-fields.js'

export interface ProcessIdentity {
  pid: number
  /** When the process started, in clock ticks since boot (proc(5), stat field 22): a pid is used again, this pair is not. */
  processStart: string
}

export interface MountRecord extends ProcessIdentity {
  mountpoint: string
  /** The chain's directory. */
  directory: string
  /** A directory that lives as long as the mount (`--temp`). */
  temporaryDirectory?: string | undefined
  /** It has ended, with everything durable up to this batch: `atefs umount`, which may come later, says so. */
  endedWith?: number | undefined
}

/** Names of `--temp` directories begin so. */
export const TEMPORARY_PREFIX = 'atefs-temporary-'

/** By the chain's directory: for when the record of a mount is gone. */
export function isTemporaryChain(directory: string): boolean {
  return basename(dirname(directory)).startsWith(TEMPORARY_PREFIX)
}

const MAX_RECORD_BYTES = 64 * 1024
/** Whoever asks how a mount has ended asks soon. */
const ENDED_KEPT_MS = 600_000

export function socketOf(runtime: string, pid: number): string {
  return join(runtime, `${pid}.sock`)
}

/** Writes this process's record; at once whole. */
export function registerMount(runtime: string, record: Omit<MountRecord, 'pid' | 'processStart'>): void {
  takeEnded(runtime, record.mountpoint)
  writeRecord(runtime, record)
}

/** This process has ended a mount that was unmounted from outside: what is left of its record is for `takeEnded`. */
export function markEnded(
  runtime: string,
  record: Omit<MountRecord, 'pid' | 'processStart' | 'endedWith'>,
  endedWith: number,
): void {
  writeRecord(runtime, { ...record, endedWith })
}

/** The mount at that place which has ended well, told once. */
export function takeEnded(runtime: string, mountpoint: string): MountRecord | undefined {
  let taken: MountRecord | undefined
  for (const name of listNames(runtime)) {
    const record = name.endsWith('.json') ? readRecord(join(runtime, name)) : undefined
    if (record?.endedWith === undefined || record.mountpoint !== mountpoint) continue
    removeRemains(runtime, record)
    taken = record
  }
  return taken
}

function writeRecord(runtime: string, record: Omit<MountRecord, 'pid' | 'processStart'>): void {
  const whole: MountRecord = { pid: process.pid, processStart: processStart(process.pid) ?? '', ...record }
  const path = recordPath(runtime, process.pid)
  writeFileSync(`${path}.new`, `${JSON.stringify(whole)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

export function unregisterMount(runtime: string): void {
  rmSync(recordPath(runtime, process.pid), { force: true })
}

/** The daemons that live, oldest first. What dead ones left behind is removed, and told. */
export function listMounts(runtime: string, onDead: (record: MountRecord) => void = () => {}): MountRecord[] {
  const alive: MountRecord[] = []
  for (const name of listNames(runtime)) {
    const record = name.endsWith('.json') ? readRecord(join(runtime, name)) : undefined
    if (record === undefined) continue
    if (record.endedWith !== undefined) {
      if (isOld(join(runtime, name))) removeRemains(runtime, record)
      continue
    }
    if (isAlive(record)) {
      alive.push(record)
      continue
    }
    removeRemains(runtime, record)
    onDead(record)
  }
  return alive.sort((a, b) => Number(a.processStart) - Number(b.processStart))
}

function isOld(path: string): boolean {
  try {
    return Date.now() - statSync(path).mtimeMs > ENDED_KEPT_MS
  } catch {
    return false
  }
}

/** True while exactly that process lives, zombies excepted. */
export function isAlive(process: ProcessIdentity): boolean {
  return processStart(process.pid) === process.processStart
}

function removeRemains(runtime: string, record: MountRecord): void {
  rmSync(socketOf(runtime, record.pid), { force: true })
  const { temporaryDirectory } = record
  // The name is checked, so that no record, whatever it says, can make us remove anything else.
  if (temporaryDirectory !== undefined && basename(temporaryDirectory).startsWith(TEMPORARY_PREFIX)) {
    rmSync(temporaryDirectory, { recursive: true, force: true })
  }
  rmSync(recordPath(runtime, record.pid), { force: true })
}

function recordPath(runtime: string, pid: number): string {
  return join(runtime, `${pid}.json`)
}

function listNames(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

/** Undefined for what is gone or not one of ours. */
function readRecord(path: string): MountRecord | undefined {
  try {
    if (statSync(path).size > MAX_RECORD_BYTES) return undefined
    const fields = parseJsonObject(readFileSync(path, 'utf8'))
    return {
      pid: numberField(fields, 'pid'),
      processStart: textField(fields, 'processStart'),
      mountpoint: textField(fields, 'mountpoint'),
      directory: textField(fields, 'directory'),
      temporaryDirectory: optionalText(fields, 'temporaryDirectory'),
      endedWith: optionalNumber(fields, 'endedWith'),
    }
  } catch (error) {
    if (isAteError(error) || isSystemError(error)) return undefined
    throw error
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}

/** Undefined when there is no such process, or only its zombie. */
export function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name, in parentheses, may hold anything: fields count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  } catch {
    return undefined
  }
}
