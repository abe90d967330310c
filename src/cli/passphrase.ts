/**
 * Where a passphrase comes from, in this order: --passfile, --passcommand, ATEFS_PASSWORD, standard input when it is not a
 * terminal, else a prompt without echo (twice when the passphrase is a new one). One newline at its end is not part of it;
 * an empty one is refused. It is never in an argument list, and the caller wipes the bytes after use.
 */
import { spawn } from 'node:child_process'
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { ChainSecret } from '../adapters/node/chain-handle.js'
import { AteError } from '../engine/error.js'
import { promptHidden, stopHiding } from './prompt.js'

export interface PassphraseSources {
  passfile?: string | undefined
  passcommand?: string | undefined
}

export interface PassphraseQuestion {
  /** Shown at the prompt, without colon: 'Passphrase for vault'. */
  prompt: string
  /** A new passphrase is asked for twice. */
  isNew: boolean
  /** The terminal goes on hiding what is typed: another question comes, and the caller calls `stopHiding` at the end. */
  moreFollows?: boolean
}

/** Larger than any passphrase, small enough to hold: a wrong file given by mistake is refused. */
export const MAX_PASSPHRASE_BYTES = 64 * 1024

const SOURCES = 'Use --passfile FILE, --passcommand CMD, ATEFS_PASSWORD, standard input, or a terminal.'

/** The passphrase's bytes. Fails with EMPTY_PASSPHRASE, NO_PASSPHRASE (no source worked), BAD_ARGUMENT (too long, or not the same twice). */
export async function readPassphrase(sources: PassphraseSources, question: PassphraseQuestion): Promise<Uint8Array> {
  const fromEnvironment = takeFromEnvironment()
  if (sources.passfile !== undefined) return finish(await readPassfile(sources.passfile))
  if (sources.passcommand !== undefined) return finish(await runPasscommand(sources.passcommand))
  if (fromEnvironment !== undefined) return finish(Buffer.from(fromEnvironment))
  if (!process.stdin.isTTY) return finish(await readAll(process.stdin, 'standard input'))
  return askTerminal(question)
}

/** What opens a chain that exists. The caller wipes it. */
export async function readSecret(
  presence: 'passphrase' | 'key-file',
  sources: PassphraseSources,
  chain: string,
): Promise<ChainSecret> {
  if (presence === 'key-file') return { kind: 'key-file' }
  return {
    kind: 'passphrase',
    passphrase: await readPassphrase(sources, { prompt: `Passphrase for ${chain}`, isNew: false }),
  }
}

export function wipeSecret(secret: ChainSecret): void {
  if (secret.kind === 'passphrase') secret.passphrase.fill(0)
}

/** Taken out, so that no child process inherits it. */
function takeFromEnvironment(): string | undefined {
  const value = process.env['ATEFS_PASSWORD']
  delete process.env['ATEFS_PASSWORD']
  return value
}

async function askTerminal({ prompt, isNew, moreFollows = false }: PassphraseQuestion): Promise<Uint8Array> {
  let hide = false
  try {
    const first = finish(await promptHidden(`${prompt}: `, { more: true }))
    if (isNew) await confirm(first)
    hide = moreFollows
    return first
  } finally {
    if (!hide) stopHiding()
  }
}

/** The same once more. Wipes it when it was not. */
async function confirm(first: Buffer): Promise<void> {
  const second = await promptHidden('The same again: ', { more: true })
  const same = Buffer.compare(first, second) === 0
  second.fill(0)
  if (same) return
  first.fill(0)
  throw new AteError('BAD_ARGUMENT', 'the two passphrases differ')
}

/** A stream, not readFile: FIFOs and /dev/fd/N (process substitution) have no size. */
async function readPassfile(path: string): Promise<Buffer> {
  try {
    const file = await open(path, 'r')
    return await readAll(file.createReadStream(), `the file ${path}`)
  } catch (cause) {
    if (cause instanceof AteError) throw cause
    throw new AteError('NO_PASSPHRASE', `cannot read the passphrase from ${path}`, { cause, hint: SOURCES })
  }
}

async function runPasscommand(command: string): Promise<Buffer> {
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['inherit', 'pipe', 'inherit'] })
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(`could not be started (${error.message})`))
    child.once('close', (code, signal) =>
      resolve(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`),
    )
  })
  try {
    const output = await readAll(child.stdout, 'the output of the passphrase command')
    const problem = await ended
    if (problem === undefined) return output
    output.fill(0)
    throw new AteError('NO_PASSPHRASE', `the passphrase command ${problem}`)
  } finally {
    child.kill()
  }
}

async function readAll(stream: Readable, what: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    const bytes: unknown = chunk
    if (!Buffer.isBuffer(bytes)) continue
    chunks.push(bytes)
    length += bytes.length
    if (length > MAX_PASSPHRASE_BYTES + 2) {
      throw new AteError('BAD_ARGUMENT', `${what} is too long for a passphrase (at most ${MAX_PASSPHRASE_BYTES} bytes)`)
    }
  }
  const all = Buffer.concat(chunks)
  for (const chunk of chunks) chunk.fill(0)
  return all
}

function finish(bytes: Buffer): Buffer {
  let end = bytes.length
  if (end > 0 && bytes[end - 1] === 0x0a) end -= end > 1 && bytes[end - 2] === 0x0d ? 2 : 1
  if (end === 0) throw new AteError('EMPTY_PASSPHRASE', 'the passphrase is empty', { hint: SOURCES })
  return bytes.subarray(0, end)
}
