/**
 * The record of a directory entry: version (1), then per entry slot (1), type (1), inode number (varint), length of the
 * name (1), name. Names with the same hash share a record; the slot is the entry's place in the directory's order beside
 * the hash and never changes while it lives, or a listing could skip or repeat it.
 */
import { ByteReader } from '../../../engine/bytes/byte-reader.js'
import { ByteWriter } from '../../../engine/bytes/byte-writer.js'
import { isEntryType } from '../inodes/modes.js'
import type { Ino, Name } from '../types.js'

const VERSION = 1
/** Names that may share a hash of 48 bits: five would take a billion billion names, or the key. */
export const SLOTS = 32

export interface Entry {
  slot: number
  type: number
  ino: Ino
  name: Name
}

const writer = new ByteWriter(1024)

export function encodeEntries(entries: readonly Entry[]): Uint8Array {
  writer.reset().u8(VERSION)
  for (const entry of entries) writeEntry(entry.slot, entry.type, entry.ino, entry.name)
  return writer.copy()
}

/** The usual record, without an array around it. */
export function encodeSingleEntry(slot: number, type: number, ino: Ino, name: Name): Uint8Array {
  writer.reset().u8(VERSION)
  writeEntry(slot, type, ino, name)
  return writer.copy()
}

function writeEntry(slot: number, type: number, ino: Ino, name: Name): void {
  writer.u8(slot).u8(type).varint(ino).u8(name.length).latin1(name)
}

/** Throws BAD_FORMAT. */
export function decodeEntries(bytes: Uint8Array): Entry[] {
  const reader = new ByteReader(bytes, 'directory entry')
  const version = reader.u8('version')
  if (version !== VERSION) throw reader.bad('version', `is ${version}, not ${VERSION}`)
  const entries: Entry[] = []
  let lastSlot = -1
  do {
    const slot = reader.u8('slot')
    if (slot <= lastSlot || slot >= SLOTS) throw reader.bad('slot', 'is out of order')
    lastSlot = slot
    const type = reader.u8('type')
    if (!isEntryType(type)) throw reader.bad('type', 'is not a type')
    const ino = reader.varint('inode')
    if (ino === 0) throw reader.bad('inode', 'is 0')
    const name = reader.latin1(reader.u8('length of the name'), 'name')
    if (!isEntryName(name)) throw reader.bad('name', 'is not a name')
    entries.push({ slot, type, ino, name })
  } while (reader.remaining > 0)
  return entries
}

/** A name that an entry can have: 1 to 255 bytes, no NUL, no '/', not '.' or '..'. */
export function isEntryName(name: string): name is Name {
  if (name.length === 0 || name.length > 255 || name === '.' || name === '..') return false
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i)
    if (code === 0 || code === 0x2f) return false
  }
  return true
}
