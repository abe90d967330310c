/** Groups of content of one batch, read from the log for who asks for them by their numbers. */
import { equalBytes } from '../engine/bytes/equal.js'
import type { CryptoProvider } from '../engine/crypto/provider.js'
import { AteError } from '../engine/error.js'
import { merkleLeaf } from '../engine/log/format/merkle.js'
import type { FoundFrame } from '../engine/log/frame-places.js'
import { groupsOf } from '../engine/log/groups-of-frame.js'
import { GROUP_CONTENT } from '../engine/log/types.js'
import { MAX_SENT_BODY_BYTES } from '../sync/limits.js'

/** As `RelayLog.bodies`. */
export async function bodiesIn(
  crypto: CryptoProvider,
  { frame, read }: FoundFrame,
  numbers: readonly number[],
): Promise<(Uint8Array | null)[]> {
  const content = [...groupsOf(frame)].filter(({ kind }) => kind === GROUP_CONTENT)
  const places = new Map(content.map((place) => [place.number, place]))
  const bodies: (Uint8Array | null)[] = []
  let bytes = 0
  for (const number of numbers) {
    const place = places.get(number)
    if (place === undefined) throw new AteError('BAD_ARGUMENT', `The batch has no body ${number}.`)
    const { position, storedBytes, digest } = place
    if (storedBytes > MAX_SENT_BODY_BYTES)
      throw new AteError('NOT_SUPPORTED', `Body ${number} is too large to be sent by itself.`)
    bytes += storedBytes
    if (bytes > MAX_SENT_BODY_BYTES) break
    const stored = await read(position, storedBytes)
    bodies.push(equalBytes(merkleLeaf(crypto, stored), digest) ? stored : null)
  }
  return bodies
}
