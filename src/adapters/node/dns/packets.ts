/** Questions to DNS servers and what they answer, as bytes (RFC 1035). Nothing of an answer is believed that was not asked for. */
import { type Answer, AUTHENTIC_DATA, decode, encode, RECURSION_DESIRED } from 'dns-packet'
import { AteError } from '../../../engine/error.js'

export interface DnsQuestion {
  type: 'A' | 'AAAA' | 'TXT'
  /** Without a dot at its end. */
  name: string
}

export interface DnsAnswer {
  /** Addresses, or texts (the pieces of each joined). */
  values: string[]
  /** The server says that it has verified the answer, or that there is none, up to the root (RFC 4035). */
  isValidated: boolean
  /** There is more than fits: to be asked for by TCP. */
  isCut: boolean
}

/** What fits into a datagram nearly everywhere without being cut into pieces. */
const MAX_DATAGRAM_BYTES = 1232
/** Aliases that lead to aliases. */
const MAX_ALIASES = 16
const MAX_VALUES = 256
const MAX_TEXT_BYTES = 4096
const NO_SUCH_NAME = 3
const RESPONSE_CODE = 0x000f

export function encodeQuestion(id: number, question: DnsQuestion): Uint8Array {
  return encode({
    type: 'query',
    id,
    // RFC 6840, 5.7: asks to be told whether the answer was validated.
    flags: RECURSION_DESIRED | AUTHENTIC_DATA,
    questions: [question],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: MAX_DATAGRAM_BYTES,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  })
}

/** Undefined for what is no answer to the question: the true one may still come. BAD_FORMAT, CONNECTION_FAILED (the server refuses). */
export function decodeAnswer(bytes: Uint8Array, id: number, { type, name }: DnsQuestion): DnsAnswer | undefined {
  const packet = parsed(bytes)
  if (packet === undefined || packet.type !== 'response' || packet.id !== id) return undefined
  const [asked, ...more] = packet.questions ?? []
  if (asked === undefined || more.length > 0 || asked.type !== type || !isSame(asked.name, name)) return undefined
  const code = (packet.flags ?? 0) & RESPONSE_CODE
  const isValidated = packet.flag_ad
  if (packet.flag_tc) return { values: [], isValidated, isCut: true }
  if (code === NO_SUCH_NAME) return { values: [], isValidated, isCut: false }
  if (code !== 0)
    throw new AteError('CONNECTION_FAILED', `The DNS server does not answer for ${name} (${packet.rcode}).`)
  return { values: valuesOf(packet.answers ?? [], type, name), isValidated, isCut: false }
}

function parsed(bytes: Uint8Array): (ReturnType<typeof decode> & { rcode?: string }) | undefined {
  try {
    return decode(Buffer.from(bytes))
  } catch {
    return undefined
  }
}

/** Of the name, or of what it is an alias of. */
function valuesOf(answers: readonly Answer[], type: DnsQuestion['type'], name: string): string[] {
  let at = name
  for (let i = 0; i < MAX_ALIASES; i++) {
    const alias = answers.find((answer) => answer.type === 'CNAME' && isSame(answer.name, at))
    if (alias?.type !== 'CNAME') break
    at = alias.data
  }
  const values: string[] = []
  for (const answer of answers) {
    if (answer.type !== type || !isSame(answer.name, at)) continue
    if (answer.type === 'TXT') values.push(textOf(answer.data))
    else values.push(answer.data)
    if (values.length >= MAX_VALUES) break
  }
  return values
}

function textOf(data: string | Buffer | readonly (string | Buffer)[]): string {
  const pieces = typeof data === 'string' || Buffer.isBuffer(data) ? [data] : data
  const bytes = Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)))
  return bytes.subarray(0, MAX_TEXT_BYTES).toString('latin1')
}

function isSame(a: string, b: string): boolean {
  return a.replace(/\.$/, '').toLowerCase() === b.toLowerCase()
}
