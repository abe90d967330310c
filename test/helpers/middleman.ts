/** Somebody on the way between a client and a server, who does with packets what he likes. */
import { memoryTransports, type Transport } from '../../src/wire/index.js'

export type Side = 'client' | 'server'

/** What goes on in place of a packet: `index` counts those of one side. */
export type Rewrite = (packet: Uint8Array, from: Side, index: number) => readonly Uint8Array[]

export interface Middleman {
  client: Transport
  server: Transport
  /** Packets that each side has sent. */
  seen: Record<Side, Uint8Array[]>
  /** Sends something of his own. */
  inject(to: Side, packet: Uint8Array): void
  /** Hangs up on both. */
  cut(): void
}

export function middleman(rewrite: Rewrite = (packet) => [packet]): Middleman {
  const [client, towardsClient] = memoryTransports()
  const [towardsServer, server] = memoryTransports()
  const seen: Record<Side, Uint8Array[]> = { client: [], server: [] }
  const pass = (from: Side, source: Transport, sink: Transport): void => {
    source.start({
      packet(bytes) {
        const index = seen[from].push(bytes) - 1
        for (const each of rewrite(bytes, from, index)) sink.send(each, () => undefined)
      },
      ended: () => sink.close(),
    })
  }
  pass('client', towardsClient, towardsServer)
  pass('server', towardsServer, towardsClient)
  return {
    client,
    server,
    seen,
    inject: (to, packet) => (to === 'client' ? towardsClient : towardsServer).send(packet, () => undefined),
    cut() {
      towardsClient.destroy()
      towardsServer.destroy()
    },
  }
}

/** The packet with one byte changed; `at` counts from the end when negative. */
export function flipped(packet: Uint8Array, at: number, bits = 1): Uint8Array {
  const changed = packet.slice()
  const index = at < 0 ? packet.length + at : at
  changed[index] = (changed[index] ?? 0) ^ bits
  return changed
}
