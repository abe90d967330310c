import { createDecipheriv, hkdfSync } from 'node:crypto'
import t from 'tap'
import { LABELS } from '../../src/engine/crypto/labels.js'
import { FrameReader, FrameWriter } from '../../src/wire/frame.js'
import { directionSecret, TrafficKey } from '../../src/wire/traffic-key.js'
import { SealRecorder } from '../helpers/seal-recorder.js'
import { connected, crypto, take } from '../helpers/wire.js'

const shared = new Uint8Array(32).fill(1)
const transcript = new Uint8Array(32).fill(2)
const bytes = (buffer: ArrayBuffer): Uint8Array => new Uint8Array(buffer)
const GCM = { 1: ['aes-256-gcm', 32], 2: ['aes-192-gcm', 24], 3: ['aes-128-gcm', 16] } as const

t.test('frames are what docs/protocol.md says, over a change of keys too', async (t) => {
  const limits = { frames: 2, bytes: 1000 }
  for (const suite of [1, 2, 3] as const) {
    for (const sender of ['client', 'server'] as const) {
      const label = sender === 'client' ? LABELS.wireClientFrames : LABELS.wireServerFrames
      let secret = bytes(hkdfSync('sha256', shared, transcript, label, 32))
      const key = new TrafficKey(crypto, suite, directionSecret(crypto, shared, transcript, sender), limits)
      const writer = new FrameWriter(crypto, sender, key)
      const [algorithm, length] = GCM[suite]
      for (let number = 0; number < 7; number++) {
        // The fourth payload is so long that the key is changed for it alone.
        const payload = new Uint8Array(number === 3 ? 1000 : 20).fill(number)
        const packet = writer.write(payload)
        if (number === 2 || number === 4 || number === 6)
          secret = bytes(hkdfSync('sha256', secret, new Uint8Array(0), LABELS.wireNextSecret, 32))
        const info = Buffer.concat([LABELS.wireFrameKey, Uint8Array.of(suite)])
        const derived = bytes(hkdfSync('sha256', secret, new Uint8Array(0), info, length + 12))
        const nonce = derived.slice(length)
        nonce[4] = (nonce[4] ?? 0) ^ number
        const decipher = createDecipheriv(algorithm, derived.subarray(0, length), nonce)
        decipher.setAAD(packet.subarray(0, 9))
        decipher.setAuthTag(packet.subarray(-16))
        const opened = Buffer.concat([decipher.update(packet.subarray(9, -16)), decipher.final()])
        t.ok(opened.equals(payload), `suite ${suite}, ${sender}, frame ${number}`)
        t.same([...packet.subarray(0, 9)], [sender === 'client' ? 4 : 5, number, 0, 0, 0, 0, 0, 0, 0])
      }
    }
  }
})

t.test('no key seals with a nonce twice, in either direction, over changes of keys', async (t) => {
  const recorder = new SealRecorder(crypto)
  const options = { crypto: recorder.crypto, keyLimits: { frames: 5, bytes: 10_000 } }
  const { client, server } = await connected(options, options)
  for (let i = 0; i < 50; i++) {
    client.send(i)
    server.send(new Uint8Array(300 * (i % 7)))
    await Promise.all([take(server, 1), take(client, 1)])
  }
  await client.close()
  t.ok(recorder.keyCount > 20, `${recorder.keyCount} keys`)
  t.equal(recorder.repeated, 0)
})

t.test('connections never share a key, however alike they are', async (t) => {
  const recorder = new SealRecorder(crypto)
  for (let i = 0; i < 3; i++) {
    const { client } = await connected({ crypto: recorder.crypto }, { crypto: recorder.crypto })
    await client.close()
  }
  t.equal(recorder.keyCount, 6)
})

t.test('the numbers of frames reach beyond 32 bits in the nonce', async (t) => {
  const key = new TrafficKey(crypto, 3, new Uint8Array(32).fill(7))
  const zero = key.nonce(0)
  const differing = (number: number): number[] => [...key.nonce(number)].map((byte, at) => byte ^ (zero[at] ?? 0))
  t.same(differing(0x01_02_03_04), [0, 0, 0, 0, 4, 3, 2, 1, 0, 0, 0, 0])
  t.same(differing(2 ** 52 + 2 ** 32 + 5), [0, 0, 0, 0, 5, 0, 0, 0, 1, 0, 16, 0])
})

t.test('nothing is sealed or opened with a key that was wiped', async (t) => {
  const key = (): TrafficKey => new TrafficKey(crypto, 3, new Uint8Array(32).fill(7))
  const writer = new FrameWriter(crypto, 'client', key())
  const reader = new FrameReader(crypto, 'client', key())
  const packet = writer.write(Uint8Array.of(1))
  writer.wipe()
  reader.wipe()
  t.throws(() => writer.write(Uint8Array.of(1)), { code: 'CONNECTION_CLOSED' })
  t.throws(() => reader.read(packet), { code: 'CONNECTION_CLOSED' })
})
