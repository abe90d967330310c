/** The client's part of the handshake. */
import { concatBytes } from '../engine/bytes/concat.js'
import { encapsulate } from '../engine/crypto/kem.js'
import { LABELS } from '../engine/crypto/labels.js'
import { verify } from '../engine/crypto/signature.js'
import { SIGNATURE_ED25519_ML_DSA_65 } from '../engine/crypto/suites.js'
import { wipe } from '../engine/crypto/wipe.js'
import { AteError } from '../engine/error.js'
import { type Agreement, chosenMeans, type Line } from './agreement.js'
import { encodeClientHello, RANDOM_BYTES } from './client-hello.js'
import { FrameReader, FrameWriter } from './frame.js'
import type { HandshakePackets } from './handshake-packets.js'
import { bitsOf, CIPHER_NONE, kemOf } from './offers.js'
import type { WireSettings } from './options.js'
import { PACKET } from './packet-types.js'
import { decodePayload, encodeFinish } from './payload.js'
import { encodeProofs } from './proofs.js'
import { decodeRefusal } from './refusal.js'
import { decodeServerHello, type ServerHello } from './server-hello.js'
import { checkServerKey, expectedKeys, rememberServer, type ServerTrust } from './server-trust.js'
import { type ServerKeyId, serverKeyId, type Signer } from './signer.js'
import { directionSecret, TrafficKey } from './traffic-key.js'
import { connectionDigest, helloDigest } from './transcript.js'

export interface ClientSide {
  /** What is dialled: `host:port/path`. */
  readonly target: string
  readonly trust: ServerTrust
  /** Keys that are shown to the server. At most MAX_PROOFS. */
  readonly proofs: readonly Signer[]
}

export async function clientHandshake(
  packets: HandshakePackets,
  settings: WireSettings,
  { target, trust, proofs }: ClientSide,
): Promise<Agreement & Line> {
  const { crypto, versions, offers } = settings
  const expected = await expectedKeys(trust)
  const hello = encodeClientHello({ versions, random: crypto.randomBytes(RANDOM_BYTES), offers, target })
  packets.send(hello)
  const reply = decodeServerHello(await answer(packets))
  const means = checkChoices(settings, reply, trust, expected)
  const first = helloDigest(crypto, hello, reply.signed)
  const serverKey = checkIdentity(settings, reply, first, trust, expected)
  const { transcript, ...line } = agreeOnKeys(packets, settings, reply, first)
  try {
    packets.send(line.writer.write(encodeFinish(await encodeProofs(proofs, transcript))))
    const finish = decodePayload(line.reader.read(await answer(packets)), undefined)
    if (finish.kind !== 'finish' || finish.body.length > 0)
      throw new AteError('BAD_FORMAT', 'The server does not finish the handshake.')
    if (serverKey !== undefined) await rememberServer(trust, expected, serverKey)
  } catch (error) {
    line.writer.wipe()
    line.reader.wipe()
    throw error
  }
  const { version, cipher } = reply.choices
  const provenKeys = proofs.map(({ suite, publicKey }) => ({ suite, publicKey }))
  return { ...means, ...line, version, bits: bitsOf(cipher), target, transcript, serverKey, provenKeys }
}

/** The server's next packet, unless it refuses. */
async function answer(packets: HandshakePackets): Promise<Uint8Array> {
  const packet = await packets.next()
  if (packet[0] === PACKET.REFUSAL) throw decodeRefusal(packet)
  if (packet[0] === PACKET.CLIENT_HELLO) throw new AteError('FRAME_FORGED', 'A hello of our own came back.')
  return packet
}

/** Only what was offered may be chosen, and a server whose key is known does not speak in clear. */
function checkChoices(
  settings: WireSettings,
  { choices }: ServerHello,
  trust: ServerTrust,
  expected: readonly ServerKeyId[],
): Pick<Agreement, 'format' | 'compression'> {
  const { versions, offers } = settings
  const means = chosenMeans(settings, choices)
  const isOffered =
    choices.version >= versions.lowest &&
    choices.version <= versions.highest &&
    offers.ciphers.includes(choices.cipher) &&
    offers.formats.includes(choices.format) &&
    offers.compressions.includes(choices.compression)
  if (means === undefined || !isOffered)
    throw new AteError('WIRE_DOWNGRADED', `The server ${trust.server} chose what was not offered to it.`)
  if (choices.cipher !== CIPHER_NONE || expected.length === 0) return means
  throw new AteError('WIRE_DOWNGRADED', `The server ${trust.server} speaks in clear, although its key is known.`, {
    hint: 'Its encryption was switched off, or somebody is between. Ask who runs it; only then forget its key.',
  })
}

function checkIdentity(
  { crypto }: WireSettings,
  { keys, signature }: ServerHello,
  digest: Uint8Array,
  trust: ServerTrust,
  expected: readonly ServerKeyId[],
): ServerKeyId | undefined {
  if (keys === undefined || signature === undefined) return undefined
  const suite = SIGNATURE_ED25519_ML_DSA_65
  const seen = serverKeyId(crypto, { suite, publicKey: keys.identity })
  checkServerKey(trust, expected, seen)
  if (verify(suite, keys.identity, LABELS.wireServer, digest, signature)) return seen
  throw new AteError('HANDSHAKE_FORGED', `What ${trust.server} signed is not what was said: somebody is between.`)
}

function agreeOnKeys(
  packets: HandshakePackets,
  { crypto, keyLimits }: WireSettings,
  { choices: { cipher }, keys, signature }: ServerHello,
  first: Uint8Array,
): Line & { transcript: Uint8Array } {
  if (cipher === CIPHER_NONE || keys === undefined || signature === undefined) {
    const clear = {
      writer: new FrameWriter(crypto, 'client', undefined),
      reader: new FrameReader(crypto, 'server', undefined),
    }
    return { ...clear, transcript: connectionDigest(crypto, first) }
  }
  const { cipherText, sharedSecret } = encapsulate(kemOf(cipher), keys.kemPublicKey)
  const transcript = connectionDigest(crypto, first, signature, cipherText)
  const keyOf = (sender: 'client' | 'server'): TrafficKey =>
    new TrafficKey(crypto, cipher, directionSecret(crypto, sharedSecret, transcript, sender), keyLimits)
  const writer = new FrameWriter(crypto, 'client', keyOf('client'))
  const reader = new FrameReader(crypto, 'server', keyOf('server'))
  wipe(sharedSecret)
  packets.send(concatBytes(Uint8Array.of(PACKET.KEY), cipherText))
  return { writer, reader, transcript }
}
