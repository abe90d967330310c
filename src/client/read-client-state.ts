/** What a client knows of a chain when it starts. */
import type { CryptoProvider } from '../engine/crypto/provider.js'
import { isAteError } from '../engine/error.js'
import { SESSION_BYTES, START } from '../sync/index.js'
import { type ClientState, decodeClientState } from './client-state.js'
import type { StateStore } from './remote-chain-options.js'

/** Of another address, or damaged: as if it had never been there. */
export async function readClientState(crypto: CryptoProvider, store: StateStore, url: string): Promise<ClientState> {
  const bytes = await store.read()
  const session = crypto.randomBytes(SESSION_BYTES)
  const fresh = { url, session, term: 0, server: START, head: null, signer: null, freed: 0 }
  if (bytes === undefined) return fresh
  try {
    const state = decodeClientState(bytes)
    return state.url === url ? state : fresh
  } catch (error) {
    if (isAteError(error)) return fresh
    throw error
  }
}
