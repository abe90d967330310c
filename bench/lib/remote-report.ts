// The tables of bench/remote.md: what a chain of a server costs beside a local one.
import type { Mode } from './arguments.js'
import type { RowResult } from './measure.js'
import { cost, format, medianOf } from './report.js'
import type { Row } from './rows.js'
import { percentile, type Staleness } from './staleness.js'

export interface RemoteMode {
  readonly mode: Mode
  readonly facts: readonly string[]
  readonly rows: readonly { readonly row: Row; readonly result: RowResult }[]
  readonly staleness: readonly Staleness[]
}

const NAMES = ['atefs', 'remote', 'sync', 'sshfs'] as const
/** How many times the cost of the local mount: metadata that is read, and what is written. */
const READ_LIMIT = 1.2
const WRITE_LIMIT = 1.5

function line({ row, result }: RemoteMode['rows'][number]): string[] {
  const value = cost(row, (m) => m.ns)
  const [local = NaN, remote = NaN, , peer = NaN] = NAMES.map((name) => medianOf(result, name, value))
  const limit = row.isWrite === true ? WRITE_LIMIT : READ_LIMIT
  const times = remote / local
  const verdict = Number.isFinite(times) ? `${times.toFixed(2)}x ${times <= limit ? 'met' : '**behind**'}` : '-'
  const against = Number.isFinite(peer / remote) ? `${(peer / remote).toFixed(2)}x` : '-'
  const shown = NAMES.map((name) => format(row, medianOf(result, name, value)))
  return [row.title, row.unit, ...shown, verdict, `${limit}x`, against]
}

export function remoteTable({ rows }: RemoteMode): string {
  const head = ['row', '', 'local', 'remote', 'remote, sync', 'sshfs', 'remote to local', 'at most', 'sshfs to remote']
  const align = head.map((_, i) => (i < 2 ? ':--' : '--:'))
  return [head, align, ...rows.map(line)].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** What is put off is done too: how long it takes until the local disk, or the server's, has everything. */
function broughtTable({ rows }: RemoteMode): string {
  const head = ['row', '', 'local', 'remote', 'remote, sync', 'remote to local']
  const align = head.map((_, i) => (i < 2 ? ':--' : '--:'))
  const lines = rows
    .filter(({ row }) => row.isWrite === true)
    .map(({ row, result }) => {
      const value = cost(row, (m) => m.broughtNs)
      const medians = NAMES.slice(0, 3).map((name) => medianOf(result, name, value))
      const [local = NaN, remote = NaN] = medians
      const times = Number.isFinite(remote / local) ? `${(remote / local).toFixed(2)}x` : '-'
      return [row.title, row.unit, ...medians.map((each) => format(row, each)), times]
    })
  return [head, align, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

export function stalenessLine(staleness: Staleness): string {
  const [p50, p99, most] = [0.5, 0.99, 1].map((share) => percentile(staleness, share).toFixed(0))
  return `A file made on one mount is seen on another (\`${staleness.mode}\`) after ${p50} ms (p50), ${p99} ms (p99), ${most} ms at most, of ${staleness.ms.length}.`
}

const TITLES: Readonly<Record<Mode, string>> = {
  pinned: 'Pinned: servers, daemons and load on one core',
  unpinned: 'Unpinned: all cores',
}

export function remoteReport(rounds: number, modes: readonly RemoteMode[]): string {
  const method = [
    ...(modes[0]?.facts ?? []),
    `Median of ${rounds} rounds; in each round every system runs the row once, in rotating order, after one round that is not counted. Before each run everything is on the disks, and at the server.`,
    'Local: `atefs mount`. Remote: the same of a chain of `atedb` on this machine (recovery mode `readonly-async`, AES-128 on the wire), which no other machine changes meanwhile; its copy, the logs of the server and the files of sshfs lie on one fresh ext4 image (loop mount). Remote, sync: recovery mode `sync`, in which the kernel remembers nothing and the server is asked at every lookup and open. sshfs: with its defaults, from an sshd on this machine.',
    'Remote to local: how many times the cost of the local mount; metadata and content that are read are held to 1.2, what is written to 1.5. Above 1, sshfs is slower than remote.',
  ]
  const sections = modes.map((mode) => {
    const staleness = mode.staleness.map((each) => `- ${stalenessLine(each)}`).join('\n')
    const brought = 'The same until the disk of the mount has everything, and the one of the server:'
    return [`## ${TITLES[mode.mode]}`, remoteTable(mode), brought, broughtTable(mode), staleness].join('\n\n')
  })
  const title =
    '# Mounts of a chain that a server keeps\n\nWritten by `npm run bench:remote`. us/op and ms: smaller is better; MB/s: larger is better.'
  return [title, method.map((item) => `- ${item}`).join('\n'), ...sections].join('\n\n') + '\n'
}
