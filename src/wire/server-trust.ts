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
  readonly published?: PublishedKeys | undefined
}

/** What somebody else than the server says of its key: one of these, or nothing when there are none. */
export interface PublishedKeys {
  /** They count before what is remembered. Otherwise only where nothing is: whoever can say so can be between, too. */
  readonly isValidated: boolean
  /** Asked for when it is needed. */
  readonly keys: () => Promise<readonly ServerKeyId[]>
}

/** Keys of which the server must have one; none: whichever it has. */
export async function expectedKeys({ server, key, known, published }: ServerTrust): Promise<readonly ServerKeyId[]> {
  if (key !== undefined) return [key]
  const validated = published?.isValidated === true ? await published.keys() : []
  if (validated.length > 0) return validated
  const remembered = await known?.find(server)
  if (remembered !== undefined) return [remembered]
  return published?.isValidated === false ? await published.keys() : []
}

/** Before anything is believed that the key has signed. SERVER_KEY_CHANGED, SERVER_KEY_UNKNOWN. */
export function checkServerKey(trust: ServerTrust, expected: readonly ServerKeyId[], seen: ServerKeyId): void {
  if (expected.length === 0 && trust.known === undefined) {
    throw new AteError('SERVER_KEY_UNKNOWN', `Nothing says which key ${trust.server} should have; it has ${seen}.`, {
      hint: 'Give the key of the server, or remember it at first use.',
    })
  }
  if (expected.length > 0 && !expected.includes(seen)) throw changed(trust.server, expected, seen)
}

/** After the server has shown that it holds the key, one of the expected ones. */
export async function rememberServer(
  trust: ServerTrust,
  expected: readonly ServerKeyId[],
  seen: ServerKeyId,
): Promise<void> {
  const isSaidElsewhere = trust.key !== undefined || (trust.published?.isValidated === true && expected.length > 0)
  if (isSaidElsewhere || trust.known === undefined) return
  const kept = await trust.known.remember(trust.server, seen)
  if (kept !== seen) throw changed(trust.server, [kept], seen)
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

function changed(server: string, expected: readonly ServerKeyId[], seen: ServerKeyId): AteError {
  const wanted = expected.slice(0, 4).join(' or ')
  return new AteError('SERVER_KEY_CHANGED', `The server ${server} has the key ${seen}, and should have ${wanted}.`, {
    hint: 'It was set up anew, or somebody is between. Ask who runs it; only then forget the old key.',
  })
}
