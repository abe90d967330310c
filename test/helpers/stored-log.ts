/** Where every field of a stored log lies, so that tests can change each of them, and the checksum besides as an attacker would. */
import { FRAME_HEADER_BYTES } from '../../src/engine/log/format/frame-head.js'
import { crypto } from './log-workbench.js'
import type { SimulatedFile } from './fault-storage.js'

export interface Field {
  name: string
  at: number
  length: number
}

function layout(start: number, fields: readonly (readonly [name: string, length: number])[]): Field[] {
  let at = start
  return fields.map(([name, length]) => {
    const field = { name, at, length }
    at += length
    return field
  })
}

const FORMAT = [
  ['magic', 8],
  ['format version', 4],
  ['compat', 4],
  ['ro-compat', 4],
  ['incompat', 4],
] as const

export function segmentHeaderFields(): Field[] {
  return layout(0, [
    ...FORMAT,
    ['chain id', 16],
    ['number', 8],
    ['first sequence', 8],
    ['salt', 16],
    ['previous', 32],
    ['created', 8],
    ['crc', 4],
    ['reserved', 4],
    ['mac', 32],
  ])
}

export function manifestFields(segments: number): Field[] {
  const entry = [
    ['number', 4],
    ['state', 4],
    ['first', 8],
    ['length', 8],
    ['last position', 8],
    ['last', 8],
    ['digest', 32],
  ] as const
  return layout(0, [
    ...FORMAT,
    ['chain id', 16],
    ['suite', 2],
    ['reserved', 2],
    ['count', 4],
    ['created', 8],
    ['generation', 8],
    ...Array.from({ length: segments }, () => entry).flat(),
    ['crc', 4],
    ['reserved', 4],
    ['mac', 32],
  ])
}

/** The fields of the frame at `at`, whose groups have these stored lengths. */
export function frameFields(at: number, groups: readonly number[]): Field[] {
  const table = [
    ['kind', 1],
    ['flags', 1],
    ['reserved', 2],
    ['stored length', 4],
    ['number', 8],
    ['digest', 32],
  ] as const
  const group = (stored: number) =>
    [
      ['group kind', 1],
      ['group flags', 1],
      ['group reserved', 2],
      ['sealed length', 4],
      ['group number', 8],
      ['random', 8],
      ['key id', 32],
      ['group salt', 32],
      ['nonce', 12],
      ['ciphertext', stored - 116],
      ['tag', 16],
    ] as const
  const bodyBytes = groups.reduce((sum, stored) => sum + stored, 0)
  const headBytes = 112 + 184 + 48 * groups.length + 32
  const padding = (8 - ((headBytes + bodyBytes) % 8)) % 8
  return layout(at, [
    ['frame salt', 16],
    ['head length', 4],
    ['body length', 4],
    ['frame reserved', 4],
    ['frame crc', 4],
    ['sequence', 8],
    ['previous link', 32],
    ['batch digest', 32],
    ['time', 8],
    ['sequencer', 32],
    ['format', 2],
    ['suite', 2],
    ['auth kind', 1],
    ['batch flags', 1],
    ['auth length', 2],
    ['chain id', 16],
    ['author', 32],
    ['author counter', 8],
    ['author previous', 32],
    ['base sequence', 8],
    ['base digest', 32],
    ['key epoch', 4],
    ['group count', 4],
    ['durable', 8],
    ['root', 32],
    ...groups.flatMap(() => table),
    ['auth', 32],
    ...groups.flatMap(group),
    ['padding', padding],
  ]).filter(({ length }) => length > 0)
}

/** Makes the CRC of the frame at `at` right again. */
export function repairFrameCrc(file: SimulatedFile, at: number): void {
  const view = new DataView(file.bytes.buffer, file.bytes.byteOffset)
  const headBytes = view.getUint32(at + 16, true)
  const head = file.bytes.subarray(at + FRAME_HEADER_BYTES, at + FRAME_HEADER_BYTES + headBytes)
  view.setUint32(at + 28, crypto.crc32(head, crypto.crc32(file.bytes.subarray(at, at + 28))), true)
}

/** Makes the CRC before a MAC at the end of the first `length` bytes right again. */
export function repairCrc(file: SimulatedFile, length: number): void {
  const view = new DataView(file.bytes.buffer, file.bytes.byteOffset)
  view.setUint32(length - 40, crypto.crc32(file.bytes.subarray(0, length - 40)), true)
}
