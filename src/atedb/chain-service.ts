/** What a server does with connections whose handshake is done. */
import type { Connection } from '../wire/index.js'

export interface ChainService {
  /** Resolves when the connection is over. Never rejects. */
  serve(connection: Connection): Promise<void>
  /** Everything that was acknowledged is durable when it resolves. */
  close(): Promise<void>
  /** Why it does not work. Undefined: it does. */
  problem(): Promise<string | undefined>
}
