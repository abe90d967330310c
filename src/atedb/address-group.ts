/** Whom an address is counted with: a subscriber of IPv6 has 2^64 of them, and IPv4 comes in two spellings. */
import { isIPv4, isIPv6 } from 'node:net'

/** IPv4 as it is, also where it is written as IPv6; of IPv6 the first 64 bits. */
export function addressGroup(address: string): string {
  const [plain = ''] = address.toLowerCase().split('%')
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1]
  if (mapped !== undefined) return mapped
  if (isIPv4(plain) || !isIPv6(plain)) return plain
  const [head = '', tail] = plain.split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length)
  const words = [...first, ...Array.from({ length: zeros }, () => '0'), ...last]
  return `${words
    .slice(0, 4)
    .map((word) => word.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`
}
