/** The server's part of the handshake. */
import { concatBytes } from '../engine/bytes/concat.js'
import { BOX_SEED_BYTES, boxPublicKey, boxSizes, decapsulate } from '../engine/crypto/kem.js'
import { LABELS } from '../engine/crypto/labels.js'
import type { AeadSuite } from '../engine/crypto/suites.js'
import { wipe } from '../engine/crypto/wipe.js'
import { AteError } from '../engine/error.js'
import { type Agreement, chosenMeans, type Line } from './agreement.js'
import { type ClientHello, decodeClientHello, RANDOM_BYTES } from './client-hello.js'
import { FrameReader, FrameWriter } from './frame.js'
import type { HandshakePackets } from './handshake-packets.js'
import { bitsOf, type Cipher, choose, chooseVersion, CIPHER_NONE, kemOf } from './offers.js'
import type { WireSettings } from './options.js'
import { PACKET } from './packet-types.js'
import { decodePayload, encodeFinish } from './payload.js'
import { verifyProofs } from './proofs.js'
import { type Choices, encodeServerHello } from './server-hello.js'
import { serverKeyId, type Signer } from './signer.js'
import { directionSecret, TrafficKey } from './traffic-key.js'
import { connectionDigest, helloDigest } from './transcript.js'

export interface ServerSide {
  /** Needed unless the server accepts connections in clear, and for those that are not. */
  readonly identity?: Signer | undefined
  /** Throws when there is no such target here. */
  readonly checkTarget?: ((target: string) => void) | undefined
}

export async function serverHandshake(
  packets: HandshakePackets,
  settings: WireSettings,
  { identity, checkTarget }: ServerSide,
): Promise<Agreement & Line> {
  const { crypto } = settings
  const packet = await packets.next()
  const hello = decodeClientHello(packet)
  const choices = chooseFrom(hello, settings)
  const means = chosenMeans(settings, choices)
  if (means === undefined) throw new AteError('WIRE_NOT_AGREED', 'The two sides have no format in common.')
  checkTarget?.(hello.target)
  const { transcript, ...line } = await agreeOnKeys(packets, settings, packet, choices, identity)
  try {
    const finish = decodePayload(line.reader.read(await packets.next()), undefined)
    if (finish.kind !== 'finish') throw new AteError('BAD_FORMAT', 'The client does not finish the handshake.')
    const provenKeys = verifyProofs(finish.body, transcript)
    packets.send(line.writer.write(encodeFinish(new Uint8Array(0))))
    const bits = bitsOf(choices.cipher)
    const serverKey = bits === 0 || identity === undefined ? undefined : serverKeyId(crypto, identity)
    return {
      ...means,
      ...line,
      version: choices.version,
      bits,
      target: hello.target,
      transcript,
      serverKey,
      provenKeys,
    }
  } catch (error) {
    line.writer.wipe()
    line.reader.wipe()
    throw error
  }
}

function chooseFrom({ versions, offers }: ClientHello, settings: WireSettings): Choices {
  const ours = settings.offers
  const cipher = choose(offers.ciphers, ours.ciphers, 'cipher')
  return {
    version: chooseVersion(versions, settings.versions),
    cipher: cipherOf(cipher, ours.ciphers),
    format: choose(offers.formats, ours.formats, 'format'),
    compression: choose(offers.compressions, ours.compressions, 'compression'),
  }
}

async function agreeOnKeys(
  packets: HandshakePackets,
  settings: WireSettings,
  clientHello: Uint8Array,
  choices: Choices,
  identity: Signer | undefined,
): Promise<Line & { transcript: Uint8Array }> {
  const { crypto } = settings
  const { cipher } = choices
  const random = crypto.randomBytes(RANDOM_BYTES)
  if (cipher === CIPHER_NONE) {
    const hello = encodeServerHello(choices, random, undefined)
    packets.send(hello)
    const clear = {
      writer: new FrameWriter(crypto, 'server', undefined),
      reader: new FrameReader(crypto, 'client', undefined),
    }
    return { ...clear, transcript: connectionDigest(crypto, helloDigest(crypto, clientHello, hello)) }
  }
  if (identity === undefined) throw new AteError('BAD_ARGUMENT', 'A server that encrypts needs an identity key.')
  const seed = crypto.randomBytes(BOX_SEED_BYTES)
  try {
    const keys = { kemPublicKey: boxPublicKey(kemOf(cipher), seed), identity: identity.publicKey }
    const hello = encodeServerHello(choices, random, keys)
    const first = helloDigest(crypto, clientHello, hello)
    const signature = await identity.sign(LABELS.wireServer, first)
    packets.send(concatBytes(hello, signature))
    const cipherText = kemCiphertext(await packets.next(), cipher)
    const transcript = connectionDigest(crypto, first, signature, cipherText)
    return { ...sealedLine(settings, cipher, cipherText, seed, transcript), transcript }
  } finally {
    wipe(seed)
  }
}

function kemCiphertext(packet: Uint8Array, cipher: AeadSuite): Uint8Array {
  if (packet[0] !== PACKET.KEY || packet.length !== 1 + boxSizes(kemOf(cipher)).kemCiphertext)
    throw new AteError('BAD_FORMAT', 'This is no key of a client.')
  return packet.subarray(1)
}

function sealedLine(
  { crypto, keyLimits }: WireSettings,
  cipher: AeadSuite,
  cipherText: Uint8Array,
  seed: Uint8Array,
  transcript: Uint8Array,
): Line {
  const sharedSecret = decapsulate(kemOf(cipher), cipherText, seed)
  if (sharedSecret === undefined) throw new AteError('HANDSHAKE_FORGED', 'The key of the client does not decode.')
  const keyOf = (sender: 'client' | 'server'): TrafficKey =>
    new TrafficKey(crypto, cipher, directionSecret(crypto, sharedSecret, transcript, sender), keyLimits)
  const line = {
    writer: new FrameWriter(crypto, 'server', keyOf('server')),
    reader: new FrameReader(crypto, 'client', keyOf('client')),
  }
  wipe(sharedSecret)
  return line
}

/** The number among those of this side. */
function cipherOf(chosen: number, ciphers: readonly Cipher[]): Cipher {
  return ciphers.find((each) => each === chosen) ?? CIPHER_NONE
}
