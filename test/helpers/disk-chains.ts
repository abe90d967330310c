/** Chains of notes in directories of a test, with a state directory of its own. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { AteConfig, type Chain, ChainBuilder, dataType, type ObjectKey, plain } from '../../src/index.js'

export const Note = dataType('Note', plain<{ text: string }>())

export interface DiskChains {
  root: string
  config: AteConfig
  /** A second machine: other directories, and it knows nothing of the first. */
  elsewhere: AteConfig
  open: (config?: AteConfig, name?: string) => Promise<Chain>
  /** Acts as that machine. */
  on: (config: AteConfig) => void
}

export function diskChains(t: Test): DiskChains {
  const root = mkdtempSync(join(tmpdir(), 'atefs-copies-'))
  const state = process.env['XDG_STATE_HOME']
  t.teardown(() => {
    if (state === undefined) delete process.env['XDG_STATE_HOME']
    else process.env['XDG_STATE_HOME'] = state
    rmSync(root, { recursive: true })
  })
  const config = AteConfig.default().with({ logPath: join(root, 'logs'), compactMode: 'never' })
  const elsewhere = config.with({ logPath: join(root, 'elsewhere') })
  const on = (machine: AteConfig): void => {
    process.env['XDG_STATE_HOME'] = join(root, machine === elsewhere ? 'state-elsewhere' : 'state')
  }
  on(config)
  const open = (machine = config, name = 'notes'): Promise<Chain> => new ChainBuilder(machine).open(name)
  return { root, config, elsewhere, open, on }
}

export function store(chain: Chain, text: string): Promise<{ key: ObjectKey }> {
  return chain.transact((dio) => dio.store({ text }, { type: Note }))
}

/** The notes of a chain, sorted. */
export async function texts(chain: Chain): Promise<string[]> {
  const all: string[] = []
  const dio = chain.dio()
  for await (const { text } of dio.roots(Note)) all.push(text)
  return all.sort()
}

/** Name and bytes of each file of a directory, the lock aside. */
export function filesOf(directory: string): Record<string, string> {
  const names = readdirSync(directory, { withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name !== 'lock',
  )
  return Object.fromEntries(
    names.map(({ name }) => [name, readFileSync(join(directory, name)).toString('base64')] as const).sort(),
  )
}

export async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece.slice())
  return new Uint8Array(Buffer.concat(all))
}
