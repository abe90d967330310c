/** Which key a server must have: one that was given, or the one that was seen first. */
import { AteError } from '../engine/error.js'
import type { ServerKeyId } from './signer.js'

/** Remembers the keys of servers, by `host:port`. */
export interface KnownServers {
  find(server: string): Promise<ServerKeyId | undefined>
  /** Remembers the key unless another is remembered by now; gives the one that counts. */
  remember(server: string, key: ServerKeyId): Promise<ServerKeyId>
}

export interface ServerTrust {
  /** `host:port` in lower case: what keys are remembered under. */
  readonly server: string
  /** The key it must have. */
  readonly key?: ServerKeyId | undefined
  readonly known?: KnownServers | undefined
}

/** The key that is expected, if any. */
export async function expectedKey({ server, key, known }: ServerTrust): Promise<ServerKeyId | undefined> {
  return key ?? (await known?.find(server))
}

/** Before anything is believed that the key has signed. SERVER_KEY_CHANGED, SERVER_KEY_UNKNOWN. */
export function checkServerKey(trust: ServerTrust, expected: ServerKeyId | undefined, seen: ServerKeyId): void {
  if (expected === undefined && trust.known === undefined) {
    throw new AteError('SERVER_KEY_UNKNOWN', `Nothing says which key ${trust.server} should have; it has ${seen}.`, {
      hint: 'Give the key of the server, or remember it at first use.',
    })
  }
  if (expected !== undefined && expected !== seen) throw changed(trust.server, expected, seen)
}

/** After the server has shown that it holds the key. */
export async function rememberServer(trust: ServerTrust, seen: ServerKeyId): Promise<void> {
  if (trust.key !== undefined || trust.known === undefined) return
  const kept = await trust.known.remember(trust.server, seen)
  if (kept !== seen) throw changed(trust.server, kept, seen)
}

export class MemoryKnownServers implements KnownServers {
  readonly #keys = new Map<string, ServerKeyId>()

  async find(server: string): Promise<ServerKeyId | undefined> {
    return this.#keys.get(server)
  }

  async remember(server: string, key: ServerKeyId): Promise<ServerKeyId> {
    const kept = this.#keys.get(server) ?? key
    this.#keys.set(server, kept)
    return kept
  }
}

function changed(server: string, expected: ServerKeyId, seen: ServerKeyId): AteError {
  return new AteError('SERVER_KEY_CHANGED', `The server ${server} has the key ${seen}, and should have ${expected}.`, {
    hint: 'It was set up anew, or somebody is between. Ask who runs it; only then forget the old key.',
  })
}
