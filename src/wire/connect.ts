/** The two ways to a connection. Both end the transport when it does not come about. */
import { AteError, isAteError } from '../engine/error.js'
import { clientHandshake, type ClientSide } from './client-handshake.js'
import { Connection } from './connection.js'
import { HandshakePackets } from './handshake-packets.js'
import { CIPHER_NONE } from './offers.js'
import { settle, type WireOptions, type WireSettings } from './options.js'
import { encodeRefusal } from './refusal.js'
import { serverHandshake, type ServerSide } from './server-handshake.js'
import type { Transport } from './transport.js'

export interface ConnectOptions extends WireOptions, Omit<ClientSide, 'proofs'>, Partial<Pick<ClientSide, 'proofs'>> {}

export interface AcceptOptions extends WireOptions, ServerSide {}

/** Speaks as the client. Fails with the codes of docs/protocol.md, section 7. */
export async function connect(transport: Transport, options: ConnectOptions): Promise<Connection> {
  const settings = settle(options)
  const packets = new HandshakePackets(transport, settings.timers, settings.signal)
  try {
    const agreed = await clientHandshake(packets, settings, { ...options, proofs: options.proofs ?? [] })
    return new Connection(transport, packets, agreed, settings)
  } catch (error) {
    packets.abandon()
    throw error
  }
}

/** Speaks as the server. BAD_ARGUMENT without an identity where one is needed; else as `connect`. The client is told why. */
export async function accept(transport: Transport, options: AcceptOptions): Promise<Connection> {
  const settings = serverSettings(options)
  const packets = new HandshakePackets(transport, settings.timers, settings.signal)
  try {
    const agreed = await serverHandshake(packets, settings, options)
    return new Connection(transport, packets, agreed, settings)
  } catch (error) {
    packets.abandon(isAteError(error) ? encodeRefusal(error) : undefined)
    throw error
  }
}

/** A server without an identity accepts connections in clear only. */
function serverSettings(options: AcceptOptions): WireSettings {
  const settings = settle(options)
  if (options.identity !== undefined) return settings
  if (!settings.offers.ciphers.includes(CIPHER_NONE))
    throw new AteError('BAD_ARGUMENT', 'A server that encrypts needs an identity key.')
  return { ...settings, offers: { ...settings.offers, ciphers: [CIPHER_NONE] } }
}
