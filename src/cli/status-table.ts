/** `atefs status` for people: one block per mount. Scripts use --json. */
import type { MountReport } from '../fs/daemon/collect-status.js'
import type { MountStatus } from '../fs/daemon/mount-status.js'

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** 1536 -> '1.5 KiB'. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  for (; value >= 1024 && unit < UNITS.length - 1; unit++) value /= 1024
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit] ?? ''}`
}

export function statusTable(mounts: readonly MountReport[]): string {
  if (mounts.length === 0) return 'Nothing is mounted'
  return mounts.map((mount) => block(mount.mountpoint, rowsOf(mount))).join('\n\n')
}

function rowsOf(mount: MountReport): [string, string][] {
  if (mount.state !== 'silent') return statusRows(mount)
  const pid: [string, string][] = mount.pid === undefined ? [] : [['process', String(mount.pid)]]
  return [['state', 'no daemon answers'], ['chain', mount.directory], ...pid]
}

function statusRows(status: MountStatus): [string, string][] {
  const flags = [status.readOnly ? 'read-only' : '', status.temporary ? 'temporary' : ''].filter((flag) => flag !== '')
  const rows: [string, string][] = [
    ['state', [status.state, ...flags].join(', ')],
    ['process', `${status.pid} (driver ${status.driver})`],
    ['chain', `${status.chain} (${status.chainId})`],
    ['directory', status.directory],
    ['suite', `${status.suite}, ${status.keyBits} bits`],
    ['log', formatBytes(status.logBytes)],
    ['index', formatBytes(status.indexBytes)],
    ['head', `${status.headSequence} ${status.headDigest.slice(0, 16)}`],
    ['durable', durableText(status)],
    ['dirty', `${formatBytes(status.dirtyBytes)}, in flight ${formatBytes(status.inFlightBytes)}`],
  ]
  if (status.server !== undefined) rows.push(['server', serverText(status)])
  if (status.failure !== undefined) rows.push(['FAILED', status.failure])
  return rows
}

function serverText({ server = '', recoveryMode, connected, unsentBatches = 0, serverProblem }: MountStatus): string {
  const state = connected === true ? 'connected' : `away${serverProblem === undefined ? '' : ` (${serverProblem})`}`
  const unsent = unsentBatches === 0 ? 'has everything' : `${unsentBatches} batches are not there yet`
  return `${server}, ${recoveryMode ?? ''}: ${state}, ${unsent}`
}

function durableText({ durableSequence, durableAtMs }: MountStatus): string {
  return durableAtMs === undefined
    ? String(durableSequence)
    : `${durableSequence} at ${new Date(durableAtMs).toISOString()}`
}

function block(title: string, rows: readonly [string, string][]): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  return [title, ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)].join('\n')
}
