/** What programs/crash-writer.c asked of the file system, in order, and what it was answered. */
import { readFileSync } from 'node:fs'

export interface Operation {
  sequence: number
  /** Of the monotonic clock. */
  beforeNs: bigint
  afterNs: bigint
  /** 0, or the call's errno. */
  errno: number
  name: string
  path: string
  other: string
  /** Two arguments: offset and length, size, or mode. */
  x: number
  y: number
}

/** ENOTCONN, ECONNABORTED, EIO, ENODEV, ESTALE: the file system went away during the call. */
const GONE = new Set([107, 103, 5, 19, 116])

/** True for the last call of a round: nobody was told whether it happened. */
export function isUnanswered(operation: Operation): boolean {
  return GONE.has(operation.errno)
}

/** The operations of a log from the sequence given on. A last line that was cut short is none. */
export function readOperations(path: string, from: number): Operation[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  return lines.map(parse).filter(({ sequence }) => sequence >= from)
}

function parse(line: string): Operation {
  const [sequence, before, after, errno, name = '', path = '', other = '', x, y] = line.split(' ')
  return {
    ...{ sequence: Number(sequence), beforeNs: BigInt(before ?? 0), afterNs: BigInt(after ?? 0) },
    ...{ errno: Number(errno), name, path, other, x: Number(x), y: Number(y) },
  }
}

export function describe({ sequence, name, path, other, x, y, errno }: Operation): string {
  return `${sequence} ${name} ${path} ${other} ${x} ${y} = ${errno}`
}
