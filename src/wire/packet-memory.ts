/**
 * Memory of large packets, of all connections, which is used again when they are sent: new memory for each would keep the
 * collector of the engine busy.
 */
const LARGE_BYTES = 64 * 1024
const MAX_IDLE = 8

const idle: ArrayBufferLike[] = []

/** What is in it is of no meaning. */
export function packetMemory(length: number): Uint8Array {
  const place = length < LARGE_BYTES ? -1 : idle.findIndex(({ byteLength }) => byteLength >= length)
  const [memory = new ArrayBuffer(length)] = place < 0 ? [] : idle.splice(place, 1)
  return new Uint8Array(memory, 0, length)
}

/** Once, of what `packetMemory` gave: nobody looks at the packet any more. */
export function givePacketMemoryBack({ buffer }: Uint8Array): void {
  if (buffer.byteLength < LARGE_BYTES) return
  if (idle.length === MAX_IDLE) idle.shift()
  idle.push(buffer)
}
