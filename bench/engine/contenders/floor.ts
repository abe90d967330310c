// What nobody can do without: sealing, hashing and writing the bytes in a loop, with what Node has for it.
import { createCipheriv, createDecipheriv, hash } from 'node:crypto'
import { closeSync, constants, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Contender, Durability, Part, Store } from '../contender.js'

const NONCE_BYTES = 12
const TAG_BYTES = 16
const DIGEST_BYTES = 32
/** The same in every process: there is no secret here. */
const KEY = Buffer.alloc(32, 7)

type Cut = 'each object' | 'the whole batch'

/** Sealed pieces one after another, each with its digest. A piece is an object, or all objects of a batch. */
class Floor implements Store {
  readonly #fd: number
  readonly #cut: Cut
  readonly #durability: Durability
  #seals = 0
  #end = 0

  constructor(file: string, durability: Durability, cut: Cut) {
    this.#fd = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600)
    this.#durability = durability
    this.#cut = cut
  }

  append(objects: readonly Uint8Array[]): Promise<readonly string[]> {
    const pieces = this.#cut === 'each object' ? objects.map((object) => [object]) : [objects]
    const parts: Uint8Array[] = []
    const keys: string[] = []
    let at = this.#end
    for (const piece of pieces) {
      const sealed = this.#seal(piece)
      parts.push(...sealed)
      const bytes = sealed.reduce((sum, { length }) => sum + length, 0)
      keys.push(`${at}:${bytes}`)
      at += bytes
    }
    writeSync(this.#fd, Buffer.concat(parts), 0, at - this.#end, this.#end)
    this.#end = at
    if (this.#durability === 'local') fdatasyncSync(this.#fd)
    return Promise.resolve(keys)
  }

  settle(): Promise<void> {
    return Promise.resolve()
  }

  get(key: string): Promise<Uint8Array> {
    const [at = 0, bytes = 0] = key.split(':').map(Number)
    const stored = Buffer.allocUnsafe(bytes)
    readSync(this.#fd, stored, 0, bytes, at)
    const sealed = stored.subarray(0, bytes - DIGEST_BYTES)
    if (!hash('sha256', sealed, 'buffer').equals(stored.subarray(bytes - DIGEST_BYTES))) throw new Error('damaged')
    const cipher = createDecipheriv('aes-256-gcm', KEY, sealed.subarray(0, NONCE_BYTES))
    cipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
    const plain = cipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES))
    cipher.final()
    return Promise.resolve(plain)
  }

  close(): Promise<void> {
    closeSync(this.#fd)
    return Promise.resolve()
  }

  #seal(piece: readonly Uint8Array[]): Uint8Array[] {
    const nonce = Buffer.alloc(NONCE_BYTES)
    nonce.writeUInt32LE(++this.#seals)
    const cipher = createCipheriv('aes-256-gcm', KEY, nonce)
    const plain = piece.length === 1 && piece[0] !== undefined ? piece[0] : Buffer.concat(piece)
    const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
    return [sealed, hash('sha256', sealed, 'buffer')]
  }
}

function floorOf(name: string, cut: Cut, parts: readonly Part[]): Contender {
  return {
    name,
    does: `seals and hashes ${cut} (AES-256-GCM, SHA-256, node:crypto) and writes a batch at once; \`local\`: fdatasync`,
    parts,
    hasTarget: cut === 'each object',
    version: () => Promise.resolve(`OpenSSL ${process.versions.openssl}`),
    open: (directory, durability) => Promise.resolve(new Floor(join(directory, 'data'), durability, cut)),
  }
}

export const floor = floorOf('floor', 'each object', ['append', 'load'])
/** As little as can be done for a batch: its objects are no objects any more. */
export const floorWhole = floorOf('floor, whole', 'the whole batch', ['append'])
