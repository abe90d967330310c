/** Keys that the client shows to have: each signs transcript 2. They travel in its finish. */
import { ByteReader } from '../engine/bytes/byte-reader.js'
import { ByteWriter } from '../engine/bytes/byte-writer.js'
import { equalBytes } from '../engine/bytes/equal.js'
import { LABELS } from '../engine/crypto/labels.js'
import { SIGNATURE_BYTES, SIGNATURE_PUBLIC_KEY_BYTES, verify } from '../engine/crypto/signature.js'
import { parseSignatureSuite } from '../engine/crypto/suites.js'
import { AteError } from '../engine/error.js'
import { MAX_PROOFS } from './limits.js'
import type { PublicKey, Signer } from './signer.js'

/** BAD_ARGUMENT for too many keys. */
export async function encodeProofs(signers: readonly Signer[], transcript: Uint8Array): Promise<Uint8Array> {
  if (signers.length > MAX_PROOFS)
    throw new AteError('BAD_ARGUMENT', `A connection can prove ${MAX_PROOFS} keys, not ${signers.length}.`)
  const writer = new ByteWriter().u8(signers.length)
  for (const signer of signers) {
    writer.u8(signer.suite).bytes(signer.publicKey)
    writer.bytes(await signer.sign(LABELS.wireClient, transcript))
  }
  return writer.copy()
}

/** The keys that are proven. BAD_FORMAT; UNSUPPORTED_FORMAT; HANDSHAKE_FORGED when one does not verify. About 3 ms for each. */
export function verifyProofs(body: Uint8Array, transcript: Uint8Array): PublicKey[] {
  const reader = new ByteReader(body, 'finish')
  const count = reader.u8('number of proofs')
  if (count > MAX_PROOFS) throw reader.bad('proofs', `are ${count}, more than ${MAX_PROOFS}`, 0)
  const proofs = Array.from({ length: count }, () => ({
    suite: parseSignatureSuite(reader.u8('suite')),
    publicKey: reader.copy(SIGNATURE_PUBLIC_KEY_BYTES, 'public key'),
    signature: reader.bytes(SIGNATURE_BYTES, 'signature'),
  }))
  reader.done()
  return proofs.map(({ suite, publicKey, signature }, at) => {
    if (proofs.findIndex((each) => equalBytes(each.publicKey, publicKey)) !== at)
      throw reader.bad('proofs', 'name a key twice', 0)
    if (verify(suite, publicKey, LABELS.wireClient, transcript, signature)) return { suite, publicKey }
    throw new AteError('HANDSHAKE_FORGED', 'A key that the client shows is not his.')
  })
}
