/** Signatures of programs on messages of theirs. */
import t from 'tap'
import { generateWriteKey, signerOf, signMessage } from '../../src/index.js'

t.test('a signed message names its signer, and nothing else does', (t) => {
  const [ann, eve] = [generateWriteKey(), generateWriteKey()]
  const message = new TextEncoder().encode('I owe Bob a beer.')
  const signed = signMessage(ann, message)
  t.equal(signerOf(message, signed), ann.id)
  t.equal(signerOf(message, signMessage(eve, message)), eve.id)
  t.equal(signerOf(message.subarray(1), signed), undefined, 'another message')
  t.equal(signerOf(message, Uint8Array.of()), undefined)
  t.equal(signerOf(message, signed.subarray(1)), undefined)
  t.equal(signerOf(message, signed.subarray(0, -1)), undefined)
  for (const at of [0, 40, 1984, 2050, signed.length - 1]) {
    const bad = signed.slice()
    bad[at] = (bad[at] ?? 0) ^ 1
    t.equal(signerOf(message, bad), undefined, `a bit of byte ${at}`)
  }
  const mixed = signMessage(eve, message)
  mixed.set(signed.subarray(0, 32))
  t.equal(signerOf(message, mixed), undefined, 'half of one key and half of another')
  t.end()
})
