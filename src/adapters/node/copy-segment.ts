/** Copies files of a log without holding up the thread: holes stay holes, and the digest of all bytes is told. */
import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { AteError } from '../../engine/error.js'
import { fileError } from './file-error.js'
import { demandWanted } from './wanted.js'

const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_TRUNC, O_WRONLY } = constants
const CHUNK_BYTES = 1024 * 1024
const BLOCK_BYTES = 4096
const ZEROS = new Uint8Array(BLOCK_BYTES)

export interface CopyWatch {
  signal?: AbortSignal | undefined
  onBytes: (bytes: number) => void
}

/** The first `length` bytes of `from`, durable in `to`; resolves with their SHA-256. INPUT_OUTPUT, NO_SPACE, ABORTED, ... */
export async function copySegment(from: string, to: string, length: number, watch: CopyWatch): Promise<Uint8Array> {
  return await withFile(from, O_RDONLY, async (source) =>
    withFile(to, O_WRONLY | O_CREAT | O_TRUNC, async (target) => {
      const digest = await readAll(source, basename(from), length, watch, (chunk, at) => writeSparse(target, chunk, at))
      await target.truncate(length)
      await target.sync()
      return digest
    }),
  )
}

/** SHA-256 of the first `length` bytes of a file, which must have as many. */
export async function digestOfFile(path: string, length: number, watch: CopyWatch): Promise<Uint8Array> {
  const nothing = (): Promise<void> => Promise.resolve()
  return await withFile(path, O_RDONLY, (file) => readAll(file, basename(path), length, watch, nothing))
}

async function readAll(
  file: FileHandle,
  name: string,
  length: number,
  { signal, onBytes }: CopyWatch,
  take: (chunk: Uint8Array, at: number) => Promise<void>,
): Promise<Uint8Array> {
  const hash: Hash = createHash('sha256')
  const buffer = new Uint8Array(Math.min(length, CHUNK_BYTES))
  for (let at = 0; at < length;) {
    demandWanted(signal)
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, length - at), at)
    if (bytesRead === 0) throw new AteError('CHAIN_DAMAGED', `The file ${name} has ${at} bytes where ${length} belong.`)
    const chunk = buffer.subarray(0, bytesRead)
    hash.update(chunk)
    await take(chunk, at)
    at += bytesRead
    onBytes(bytesRead)
  }
  return new Uint8Array(hash.digest())
}

/** Blocks of zeros are left out. */
async function writeSparse(file: FileHandle, chunk: Uint8Array, at: number): Promise<void> {
  for (let from = 0; from < chunk.length;) {
    let to = from
    while (to < chunk.length && !isZeroBlock(chunk, to)) to += BLOCK_BYTES
    const end = Math.min(to, chunk.length)
    for (let done = from; done < end;) done += (await file.write(chunk, done, end - done, at + done)).bytesWritten
    from = to + BLOCK_BYTES
  }
}

function isZeroBlock(bytes: Uint8Array, at: number): boolean {
  const end = Math.min(at + BLOCK_BYTES, bytes.length)
  return Buffer.compare(bytes.subarray(at, end), ZEROS.subarray(0, end - at)) === 0
}

async function withFile<T>(path: string, flags: number, use: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    const file = await open(path, flags | O_NOFOLLOW | O_NONBLOCK, 0o600)
    try {
      if (!(await file.stat()).isFile()) throw new Error('not a regular file')
      return await use(file)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw fileError('copy', basename(path), error)
  }
}
