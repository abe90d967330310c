/** Binds what was asked for; where the machine has no IPv6, "everywhere" is all of IPv4. */
import { type Listener, type ListenOptions, listenWebSocket } from '../adapters/node/web-socket/listen.js'
import { errnoOf } from '../adapters/node/file-error.js'

const NO_IPV6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'])

/** CONNECTION_FAILED; BAD_ARGUMENT for a certificate that is none. */
export async function listenEverywhere(options: ListenOptions): Promise<Listener> {
  try {
    return await listenWebSocket(options)
  } catch (error) {
    const isMissing = error instanceof Error && NO_IPV6.has(errnoOf(error.cause) ?? '')
    if (options.host !== '::' || !isMissing) throw error
    return listenWebSocket({ ...options, host: '0.0.0.0' })
  }
}
