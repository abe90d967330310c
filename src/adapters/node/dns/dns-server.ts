/** Addresses of DNS servers. Apart from what asks them, which is loaded when something is asked. */
import { isIP, isIPv6 } from 'node:net'
import { AteError } from '../../../engine/error.js'

export interface DnsServer {
  address: string
  port: number
}

const PORT = 53
const MAX_PORT = 0xffff

/** `ADDRESS` or `ADDRESS:PORT`, IPv6 in brackets where a port follows. BAD_ARGUMENT. */
export function parseDnsServer(text: string): DnsServer {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const address = isIPv6(text) ? text : (bracketed ?? plain ?? '')
  const port = digits === undefined ? PORT : Number(digits)
  if (isIP(address) !== 0 && port > 0 && port <= MAX_PORT) return { address, port }
  throw new AteError('BAD_ARGUMENT', `${JSON.stringify(text)} is no address of a DNS server.`, {
    hint: 'Write an address such as 192.0.2.53, with a port when it is not 53: 192.0.2.53:5353.',
  })
}
