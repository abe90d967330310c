/** What the parts of the floor have in common: sealed messages named by their digests, and the sealed frames they travel in. */
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'

const [DIGEST, NONCE, TAG, NUMBER] = [32, 12, 16, 8]
const NO_DATA = new Uint8Array(0)

/** Of a message of so many bytes: digest, nonce, what is sealed with AES-256-GCM. */
export function itemBytes(bytes: number): number {
  return DIGEST + NONCE + bytes + TAG
}

/** Seals a message into `target` at `at`. */
export function sealItem(key: Uint8Array, message: Uint8Array, target: Uint8Array, at: number): void {
  const nonce = nativeCrypto.randomBytes(NONCE)
  target.set(nonce, at + DIGEST)
  nativeCrypto.seal(key, nonce, NO_DATA, [message], target, at + DIGEST + NONCE)
  target.set(nativeCrypto.sha256(target.subarray(at + DIGEST, at + itemBytes(message.length))), at)
}

export function checkItem(item: Uint8Array): void {
  if (!nativeCrypto.equal(nativeCrypto.sha256(item.subarray(DIGEST)), item.subarray(0, DIGEST)))
    throw new Error('another digest')
}

export function openItem(key: Uint8Array, item: Uint8Array): Uint8Array {
  checkItem(item)
  const message = nativeCrypto.open(key, item.subarray(DIGEST, DIGEST + NONCE), NO_DATA, item.subarray(DIGEST + NONCE))
  if (message === undefined) throw new Error('a message that does not open')
  return message
}

/** One direction of a connection, with AES-128-GCM: frames have numbers, which are their nonces. */
export class Frames {
  readonly #key = new Uint8Array(16).fill(1)
  readonly #nonce = new Uint8Array(NONCE)
  readonly #view = new DataView(this.#nonce.buffer)
  #number = 0

  seal(payload: Uint8Array): Uint8Array {
    const frame = new Uint8Array(NUMBER + payload.length + TAG)
    nativeCrypto.seal(this.#key, this.#next(), NO_DATA, [payload], frame, NUMBER)
    frame.set(this.#nonce.subarray(0, NUMBER))
    return frame
  }

  open(frame: Uint8Array): Uint8Array {
    const body = frame.subarray(NUMBER)
    const payload = nativeCrypto.open(this.#key, this.#next(), NO_DATA, body, body.subarray(0, body.length - TAG))
    if (payload === undefined) throw new Error('a frame that does not open')
    return payload
  }

  #next(): Uint8Array {
    this.#view.setFloat64(0, this.#number++)
    return this.#nonce
  }
}

/** Of the messages: whoever writes and reads has it, the server has not. */
export const CHAIN_KEY = new Uint8Array(32).fill(2)

export async function dialFloor(address: string): Promise<WebSocket> {
  const socket = new WebSocket(address, { perMessageDeflate: false, generateMask: (mask) => void mask.fill(0) })
  await once(socket, 'open')
  return socket
}
